// What is wrong with this browser's storage, for as long as it is.
import { byId, on } from "./dom.js";

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
