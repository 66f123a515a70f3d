// The list of chats, and below it what was archived.
import { block } from "./contact-view.js";
import { asMenu, offerUndo, showMenu } from "./dialogs.js";
import { byId, clone, on, reconcile, whenDayChanges } from "./dom.js";
import { displayName, formatCount, newestFirst } from "../protocol/format.js";
import { fillRow, nameButton } from "./thread-row.js";

export class ThreadsView {
  #client;
  #router;
  #list = byId("chatTabs");
  #archive = byId("archivedList");
  #menu = byId("rowMenu");
  #contacts = new Map();
  #rows = new Map();
  #active = null;
  #menuFor = "";
  #menuActs = {};
  #mayHover = matchMedia("(hover: hover)").matches;

  constructor(client, router) {
    this.#client = client;
    this.#router = router;
    on(client.store, "contact", ({ detail }) => this.#update(detail.contact));
    on(client.store, "contact-removed", ({ detail }) => this.#remove(detail.fingerprint));
    on(client.drafts, "draft", ({ detail }) => this.#fill(detail.fingerprint));
    on(router, "route", () => this.#fill(this.#active));
    on(client.relays, "relays", () => this.#countDropped());
    for (const list of [this.#list, this.#archive]) {
      on(list, "click", (event) => this.#act(event.target.closest("[data-do]"), event.target.closest("li")?.dataset.fingerprint));
      on(list, "contextmenu", (event) => this.#openMenu(event));
    }
    on(byId("archived"), "toggle", ({ target }) => target.open && this.#archive.firstElementChild?.scrollIntoView({ block: "nearest" }));
    asMenu(this.#menu);
    on(this.#menu, "click", (event) => this.#act(event.target.closest("[data-do]"), this.#menuFor));
    for (const type of ["pointerleave", "focusout"]) on(this.#list, type, () => queueMicrotask(() => this.#arrange()));
    whenDayChanges(() => this.#contacts.forEach((_, fingerprint) => this.#fill(fingerprint)));
  }

  async load() {
    for (const contact of await this.#client.store.contacts()) this.#keep(contact);
    this.#arrange(true);
  }

  contact(fingerprint) {
    return this.#contacts.get(fingerprint);
  }

  get contacts() {
    return [...this.#contacts.values()];
  }

  set active(fingerprint) {
    const left = this.#active;
    this.#active = fingerprint;
    for (const each of [left, fingerprint]) if (this.#contacts.has(each)) this.#fill(each);
  }

  #update(contact) {
    this.#keep(contact);
    this.#arrange();
  }

  #keep(contact) {
    const { fingerprint, open, blocked } = contact;
    const moved = Boolean(this.#contacts.get(fingerprint)?.open) !== open;
    if (blocked || moved) this.#forget(fingerprint);
    if (blocked) return;
    this.#contacts.set(fingerprint, contact);
    if (!this.#rows.has(fingerprint)) this.#rows.set(fingerprint, clone(open ? "chatTabTemplate" : "archivedTemplate"));
    this.#fill(fingerprint);
  }

  #fill(fingerprint) {
    const row = this.#rows.get(fingerprint);
    if (!row) return;
    const active = fingerprint === this.#active;
    const isTyped = active && this.#router.view === "chats"; // and told as a draft once it is left
    fillRow(row, this.#contacts.get(fingerprint), isTyped ? "" : this.#client.drafts.get(fingerprint));
    row.classList.toggle("active", active);
    if (active) row.querySelector("a").setAttribute("aria-current", "true");
    else row.querySelector("a").removeAttribute("aria-current");
  }

  #remove(fingerprint) {
    this.#forget(fingerprint);
    this.#arrange(true);
  }

  #forget(fingerprint) {
    this.#contacts.delete(fingerprint);
    this.#rows.get(fingerprint)?.remove();
    this.#rows.delete(fingerprint);
  }

  // Pinned ones first, then the newest; but a list that somebody points at or tabs through stays until they leave.
  #arrange(now = false) {
    const order = newestFirst(this.contacts);
    const listed = order.filter(({ open }) => open);
    const rows = [...listed.filter(({ pinned }) => pinned), ...listed.filter(({ pinned }) => !pinned)].map(({ fingerprint }) => this.#rows.get(fingerprint));
    if (now || !this.#isInUse()) reconcile(this.#list, rows);
    else this.#list.append(...rows.filter((row) => !row.isConnected));
    byId("threadsEmpty").hidden = rows.length > 0;
    this.#showArchive(order.filter(({ open }) => !open));
    this.#countDropped();
  }

  #showArchive(archived) {
    reconcile(this.#archive, archived.map(({ fingerprint }) => this.#rows.get(fingerprint)));
    byId("archived").hidden = archived.length === 0;
    byId("archivedCount").textContent = formatCount(archived.length);
  }

  #countDropped() {
    const dropped = this.#client.relays.list().reduce((sum, relay) => sum + (relay.requests_dropped ?? 0), 0);
    const asked = this.contacts.some(({ request }) => request);
    const shown = dropped > 0 && asked;
    byId("requestsDropped").hidden = !shown;
    if (shown) byId("requestsDropped").textContent = `And ${formatCount(dropped)} more from strangers, for which there was no room.`;
  }

  #isInUse() {
    return this.#list.matches(":focus-within") || (this.#mayHover && this.#list.matches(":hover"));
  }

  // By the right button, a long press or the menu key.
  #openMenu(event) {
    const row = event.target.closest("li");
    if (!row) return;
    event.preventDefault();
    this.showMenu(row.dataset.fingerprint, row.querySelector("a"));
  }

  showMenu(fingerprint, anchor, acts = {}) {
    [this.#menuFor, this.#menuActs] = [fingerprint, acts];
    const contact = this.#contacts.get(fingerprint);
    for (const button of this.#menu.querySelectorAll("button")) {
      nameButton(button, contact);
      button.hidden = !(button.dataset.do in { ...this.#acts(contact), ...acts });
    }
    this.#menu.setAttribute("aria-label", displayName(contact));
    showMenu(this.#menu, anchor);
  }

  #act(button, fingerprint) {
    const contact = this.#contacts.get(fingerprint);
    if (!button || !contact) return undefined;
    const acts = { ...this.#acts(contact), ...this.#menuActs, more: () => this.showMenu(fingerprint, button) };
    return acts[button.dataset.do]();
  }

  #acts(contact) {
    const change = (fields) => this.#client.store.updateContact(contact.fingerprint, fields);
    return {
      pin: () => change({ pinned: !contact.pinned }),
      mute: () => change({ muted: !contact.muted }),
      archive: () => this.archive(contact),
      block: () => block(this.#client, contact),
    };
  }

  /** Which can be undone; or takes it out. The focus goes to the row that takes its place, from this one or the open chat. */
  async archive({ fingerprint }) {
    const contact = this.#contacts.get(fingerprint);
    if (!contact.open) return this.#client.store.updateContact(fingerprint, { open: true });
    const row = this.#rows.get(fingerprint);
    const isShown = fingerprint === this.#active && this.#router.view === "chats";
    const next = (isShown || row.contains(document.activeElement)) && (row.nextElementSibling ?? row.previousElementSibling);
    await this.#client.store.updateContact(fingerprint, { open: false });
    if (fingerprint === this.#active) this.#router.go("/chats");
    if (next !== false) (next?.querySelector("a") ?? byId("listMenuOpen")).focus();
    offerUndo(`${displayName(contact)} is archived.`, () => this.#client.store.updateContact(fingerprint, { open: true }));
  }
}
