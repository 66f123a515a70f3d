// Path ↔ view, titles and history. A thread's place is in the fragment, which
// no server sees: /chats#chat=<fingerprint>, and &at=<seq> for one message.
import { closeTopmost } from "./dialogs.js";
import { on } from "./dom.js";

const TITLES = { newchat: "Home", chats: "Chats", library: "Library", keys: "Keys", server: "Server", about: "About", me: "Me" };
const THREAD = /^#chat=([0-9a-f]{64})(?:&at=(\d+))?$/i;

/** The address of a contact's thread, or of one message in it. */
export function threadPath(fingerprint, seq) {
  return `/chats#chat=${fingerprint}${seq === undefined ? "" : `&at=${seq}`}`;
}

/**
 * Fires "route" with `detail` `{view, thread, seq, byPerson}`: `thread` a
 * fingerprint or null, `byPerson` false for the page's first view.
 */
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

  /** The name of the view that the address bar shows. */
  get view() {
    return location.pathname.slice(1).replace(/\/$/, "");
  }

  /** `{thread, seq}` of the address; both null where it names no thread. */
  get place() {
    const [, thread, seq] = (this.view === "chats" && THREAD.exec(location.hash)) || [];
    return { thread: thread?.toLowerCase() ?? null, seq: seq === undefined ? null : Number(seq) };
  }

  /** Enters the page's first view; called once, when the views listen. */
  start() {
    this.#enter(false);
  }

  go(path) {
    if (path !== location.pathname + location.search + location.hash) history.pushState(null, "", path);
    this.#enter(true);
  }

  /** Goes there without a step in the history. */
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

  // What is open on top goes first. The browser has left the place already, so that is entered in the history again.
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
