// The list of threads: beside every view, and on a phone a screen of its own.
import { byId, clone, fillAvatar, icon, on, reconcile } from "./dom.js";
import { oneLine } from "../protocol/excerpt.js";
import { displayName, formatCount } from "../protocol/format.js";
import { newestFirst } from "../protocol/order.js";
import { threadPath } from "./router.js";

const LAST_CHARACTERS = 120;

export class ThreadsView {
  #client;
  #router;
  #list = byId("chatTabs");
  #contacts = new Map();
  #tabs = new Map();
  #active = null;
  #mayHover = matchMedia("(hover: hover)").matches;

  constructor(client, router) {
    this.#client = client;
    this.#router = router;
    on(client.store, "contact", ({ detail }) => this.#update(detail.contact));
    on(client.store, "contact-removed", ({ detail }) => this.#remove(detail.fingerprint));
    on(client.relays, "relays", () => this.#countDropped());
    on(this.#list, "click", (event) => this.#close(event));
    for (const type of ["pointerleave", "focusout"]) on(this.#list, type, () => queueMicrotask(() => this.#arrange()));
  }

  async load() {
    for (const contact of await this.#client.store.contacts()) this.#keep(contact);
    this.#arrange(true);
  }

  /** A contact of the list, at once; undefined for others. */
  contact(fingerprint) {
    return this.#contacts.get(fingerprint);
  }

  /** Marks the open thread; null when none is. */
  set active(fingerprint) {
    this.#active = fingerprint;
    for (const [key, tab] of this.#tabs) markActive(tab, key === fingerprint);
  }

  #update(contact) {
    this.#keep(contact);
    this.#arrange();
  }

  #keep(contact) {
    const { fingerprint } = contact;
    if (!contact.open || contact.blocked) return this.#forget(fingerprint);
    this.#contacts.set(fingerprint, contact);
    if (!this.#tabs.has(fingerprint)) this.#tabs.set(fingerprint, clone("chatTabTemplate"));
    fillTab(this.#tabs.get(fingerprint), contact);
    markActive(this.#tabs.get(fingerprint), fingerprint === this.#active);
  }

  #remove(fingerprint) {
    this.#forget(fingerprint);
    this.#arrange(true);
  }

  #forget(fingerprint) {
    this.#contacts.delete(fingerprint);
    this.#tabs.get(fingerprint)?.remove();
    this.#tabs.delete(fingerprint);
  }

  // Newest first; but a list that somebody is pointing at or tabbing through
  // stays as it is until they leave, or the click would land on another thread.
  #arrange(now = false) {
    const tabs = newestFirst([...this.#contacts.values()]).map(({ fingerprint }) => this.#tabs.get(fingerprint));
    if (now || !this.#isInUse()) reconcile(this.#list, tabs);
    else this.#list.append(...tabs.filter((tab) => !tab.isConnected));
    byId("threadsEmpty").hidden = tabs.length > 0;
    this.#countDropped();
  }

  /** Said while there are requests that one could think to be all. */
  #countDropped() {
    const dropped = this.#client.relays.list().reduce((sum, relay) => sum + (relay.requests_dropped ?? 0), 0);
    const asked = [...this.#contacts.values()].some(({ request }) => request);
    const shown = dropped > 0 && asked;
    byId("requestsDropped").hidden = !shown;
    if (shown) byId("requestsDropped").textContent = `And ${formatCount(dropped)} more from strangers, for which there was no room.`;
  }

  #isInUse() {
    return this.#list.matches(":focus-within") || (this.#mayHover && this.#list.matches(":hover"));
  }

  async #close(event) {
    const tab = event.target.closest(".chat-tab-close")?.closest(".chat-tab");
    if (!tab) return;
    const { fingerprint } = tab.dataset;
    const neighbour = tab.nextElementSibling ?? tab.previousElementSibling;
    await this.#client.store.updateContact(fingerprint, { open: false });
    if (fingerprint === this.#active) this.#router.go("/chats");
    (neighbour?.querySelector(".chat-tab-close") ?? byId("tab-chats")).focus();
  }
}

function fillTab(tab, contact) {
  const name = displayName(contact);
  tab.dataset.fingerprint = contact.fingerprint;
  tab.classList.toggle("unread", contact.unread > 0);
  tab.querySelector(".chat-tab-label").setAttribute("href", threadPath(contact.fingerprint));
  fillAvatar(tab.querySelector(".avatar"), contact, contact.name || "#");
  tab.querySelector("bdi").textContent = name;
  tab.querySelector(".chat-tab-marks").replaceChildren(...marks(contact));
  tab.querySelector(".chat-tab-last").textContent = lastLine(contact);
  tab.querySelector(".chat-tab-close").setAttribute("aria-label", `Close the chat with ${name}; its history stays`);
}

function marks(contact) {
  const shown = [];
  if (contact.request) shown.push(requestMark());
  if (contact.verified) shown.push(icon("shield"));
  if (contact.muted) shown.push(icon("muted"));
  if (contact.unread > 0) shown.push(unreadDot(contact.unread));
  return shown;
}

function requestMark() {
  const mark = document.createElement("span");
  mark.className = "mark";
  mark.textContent = "request";
  return mark;
}

function unreadDot(unread) {
  const dot = document.createElement("span");
  dot.className = "chat-tab-unread-dot";
  dot.setAttribute("role", "img");
  dot.setAttribute("aria-label", `${unread} unread`);
  return dot;
}

function lastLine(contact) {
  if (!contact.last_at) return "No messages yet";
  return (contact.last_direction === "out" ? "> " : "") + (oneLine(contact.last_text, LAST_CHARACTERS) || "(not readable)");
}

function markActive(tab, active) {
  tab.classList.toggle("active", active);
  const label = tab.querySelector(".chat-tab-label");
  if (active) label.setAttribute("aria-current", "true");
  else label.removeAttribute("aria-current");
}
