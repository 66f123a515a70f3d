// What is wrong with this browser's storage, for as long as it is.
import { byId, on, attempt } from "./dom.js";
import { importBackup } from "./export-view.js";
import { confirmed } from "./questions.js";

const RELOAD_HELPS = new Set(["stuck", "outdated"]);
const NO_KEYS = "no keys: see above";

export class StorageView {
  #storage;

  constructor(storage) {
    this.#storage = storage;
    on(storage, "state", () => this.#show());
    on(byId("storageReload"), "click", () => location.reload());
    this.#show();
  }

  #show() {
    const { state, message } = this.#storage;
    byId("storageNotice").hidden = !message;
    byId("storageNoticeText").textContent = message;
    byId("storageReload").hidden = !RELOAD_HELPS.has(state);
    for (const id of ["inviteLinkInput", "publicKeyShareInput"]) byId(id).placeholder = message ? NO_KEYS : "making keys…";
  }
}

// The browser deleted what was kept here: what happened, and what can be done,
// before any new key is made.

export class LostView {
  #lost;

  constructor(lost) {
    this.#lost = lost;
    byId("lostAddress").textContent = lost.short;
    byId("lostKeep").hidden = !lost.hasKeys;
    on(byId("lostRestore"), "click", () => importBackup(lost));
    on(byId("lostKeep"), "click", ({ target }) => attempt(target, byId("lostStatus"), () => lost.keepKeys()));
    on(byId("lostAnew"), "click", ({ target }) => attempt(target, byId("lostStatus"), () => this.#startAnew()));
    lost.onReset(() => location.reload());
    document.body.toggleAttribute("data-lost", true);
    byId("lostTitle").focus();
  }

  async #startAnew() {
    const agreed = await confirmed({
      title: "Start with new keys?",
      text: `You get a new address. Whoever writes to ${this.#lost.short} no longer reaches you, and messages that wait there can't be read, unless you restore a backup later.`,
      ok: "Start anew",
      danger: true,
    });
    if (agreed) await this.#lost.startAnew();
  }
}
