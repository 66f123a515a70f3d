// Which view is shown, by the address; and the frame around the views.
import { asMenu, closeTopmost, copy, showMenu } from "./dialogs.js";
import { byId, on } from "./dom.js";
import { canScan, scan } from "./media.js";

// A thread's place is in the fragment, which no server sees: /chats#chat=<fingerprint>, and &at=<seq> for one message.

const TITLES = { newchat: "Home", chats: "Chats", library: "Library", keys: "Keys", server: "Server", about: "About", me: "Me" };
const THREAD = /^#chat=([0-9a-f]{64})(?:&at=(\d+))?$/i;

export function threadPath(fingerprint, seq) {
  return `/chats#chat=${fingerprint}${seq === undefined ? "" : `&at=${seq}`}`;
}

/** Fires "route" with `{view, thread, seq, byPerson}`: `thread` a fingerprint or null; `byPerson` false for the first view. */
export class Router extends EventTarget {
  #unread = 0;
  #shown = "";

  constructor() {
    super();
    history.replaceState(history.state, "", `/${this.#entry()}${location.search}${location.hash}`);
    on(window, "popstate", () => this.#step());
    on(document, "click", (event) => this.#followLink(event));
    this.#showView();
  }

  get view() {
    return location.pathname.slice(1).replace(/\/$/, "");
  }

  get place() {
    const [, thread, seq] = (this.view === "chats" && THREAD.exec(location.hash)) || [];
    return { thread: thread?.toLowerCase() ?? null, seq: seq === undefined ? null : Number(seq) };
  }

  start() {
    this.#enter(false);
  }

  go(path) {
    if (path !== location.pathname + location.search + location.hash) history.pushState(null, "", path);
    this.#enter(true);
  }

  replace(path, byPerson = true) {
    history.replaceState(null, "", path);
    this.#enter(byPerson);
  }

  set unread(total) {
    this.#unread = total;
    this.#showTitle();
  }

  // An invite may lead to any path; so did those of earlier clients.
  #entry() {
    const given = location.search + location.hash;
    if (/[?#&](chat|fp)=/.test(given)) return "chats";
    if (/[?#&]server=/.test(given)) return "server";
    return this.view in TITLES ? this.view : "newchat";
  }

  // What is on top goes first. The browser has left the place already: it is entered again.
  #step() {
    const place = closeTopmost();
    if (place) history.pushState(null, "", place);
    else this.#enter(true);
  }

  #enter(byPerson) {
    this.#showView();
    this.dispatchEvent(new CustomEvent("route", { detail: { view: this.view, ...this.place, byPerson } }));
  }

  #showView() {
    for (const name of Object.keys(TITLES)) {
      document.getElementById(`view-${name}`).hidden = name !== this.view;
      const tab = document.getElementById(`tab-${name}`);
      if (name === this.view) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    document.body.dataset.view = this.view;
    if (this.view !== this.#shown) document.getElementById("main").scrollTop = 0;
    this.#shown = this.view;
    this.#showTitle();
  }

  #showTitle() {
    const count = this.#unread ? `(${this.#unread}) ` : "";
    document.title = `${count}${TITLES[this.view]} · io3233`;
  }

  #followLink(event) {
    const link = event.target.closest("a[data-link]");
    const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
    if (!link || !plain) return;
    event.preventDefault();
    this.go(link.getAttribute("href"));
  }
}

// The rail, which on a phone is three tabs and "Me", and the menu of the list's head.

/** One screen at a time; style.css says the same. */
export const PHONE = matchMedia("(max-width: 47.99em), (max-height: 29.99em)");

const RAIL = ["tab-newchat", "tab-chats", "tab-library", "tab-keys", "tab-server", "tab-about", "tab-me", "railFoot"];
const IN_ME = ["tab-newchat", "tab-keys", "tab-server", "tab-about"];

export class ShellView {
  #router;

  constructor(client, router) {
    this.#router = router;
    asMenu(byId("listMenu"));
    on(byId("listMenuOpen"), "click", () => showMenu(byId("listMenu"), byId("listMenuOpen")));
    on(byId("listPaste"), "click", () => this.#offerField());
    byId("listScan").hidden = !canScan();
    on(byId("listScan"), "click", () => this.#scan());
    on(byId("listInvite"), "click", () => invite(client.inviteLink()));
    on(PHONE, "change", () => this.#arrange());
    this.#arrange();
  }

  show() {
    if (!PHONE.matches) this.#router.replace("/newchat", false);
  }

  /** Each button is in the page once. The focus stays on what is moved. */
  #arrange() {
    const focused = document.activeElement;
    if (PHONE.matches) {
      byId("meViews").append(...IN_ME.map(byId));
      byId("meFoot").append(byId("railFoot"));
      byId("meShortcuts").append(byId("shortcuts"));
    } else {
      byId("viewTabs").append(...RAIL.map(byId));
      byId("listMenu").append(byId("shortcuts"));
      if (this.#router.view === "me") this.show();
    }
    focused.focus({ preventScroll: true });
  }

  #offerField() {
    this.#router.go("/newchat");
    byId("openChatFp").focus();
  }

  async #scan() {
    const found = await scan("Scan an invite");
    if (found === null) return;
    this.#offerField();
    byId("openChatFp").value = found;
    byId("openChatForm").requestSubmit();
  }
}

function invite(url) {
  return navigator.share ? share(url) : copy(url, "Invite link");
}

/** Whoever closes the share sheet wanted that. */
export async function share(url) {
  try {
    await navigator.share({ title: "Chat with me on io3233", url });
  } catch (error) {
    if (error.name !== "AbortError") await copy(url, "Invite link");
  }
}
