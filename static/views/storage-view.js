// What is wrong with this browser's storage, for as long as it is.
import { byId, clone, on, attempt } from "./dom.js";
import { importBackup } from "./export-view.js";
import { displayName, formatBytes, plural } from "../protocol/format.js";
import { confirmed } from "./dialogs.js";
import { notice } from "./toast.js";

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

// What is kept here takes room: how much, and for which chats the files do, which can go.

export class RoomView {
  #client;

  constructor(client) {
    this.#client = client;
    on(byId("settingsOpen"), "click", () => this.#show());
  }

  async #show() {
    const chats = await this.#client.files.kept();
    const bytes = chats.reduce((sum, chat) => sum + chat.bytes, 0); // counted here: what a browser says of its room may be made up, so that no page knows it
    byId("roomHint").textContent = bytes ? `Pictures and files take ${formatBytes(bytes)}.` : "No pictures or files are kept here.";
    const rows = await Promise.all(chats.map(async (chat) => this.#row(chat, displayName(await this.#client.store.contact(chat.contact)))));
    byId("roomList").replaceChildren(...rows);
  }

  #row(chat, name) {
    const item = clone("roomTemplate");
    const button = item.querySelector("button");
    item.querySelector("bdi").textContent = name;
    item.querySelector("span").textContent = `${plural(chat.seqs.length, "file")}, ${formatBytes(chat.bytes)}`;
    button.setAttribute("aria-label", `Free up the files of ${name}`);
    on(button, "click", () => this.#free(chat, name));
    return item;
  }

  async #free({ seqs, bytes }, name) {
    const agreed = await confirmed({
      title: `Free up ${formatBytes(bytes)}?`,
      text: `${plural(seqs.length, "file")} of the chat with ${name} go from this device, pictures and voice messages among them. What was written stays. They can't be fetched again: save first what you want to keep.`,
      ok: "Free up",
      danger: true,
    });
    if (!agreed) return;
    try {
      await this.#client.files.free(seqs);
      notice(`${formatBytes(bytes)} are free.`);
    } finally {
      await this.#show();
    }
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
