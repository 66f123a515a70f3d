/**
 * Unsent texts. What can't be stored now is kept here, and in sessionStorage, which outlives a reload of the tab; it is stored as soon
 * as that works again.
 */
import { StorageError } from "../protocol/errors.js";
import { result } from "./database.js";
import { keepItem, sessionItems } from "./web-storage.js";

const ITEM = "io3233_unstored_drafts";
const AGAIN_MS = 2000;

export class Drafts {
  #db;
  #items = sessionItems();
  #unstored; // fingerprint → text

  constructor(db) {
    this.#db = db;
    this.#unstored = new Map(Object.entries(JSON.parse(this.#items.getItem(ITEM) ?? "{}")));
    db.addEventListener("state", () => db.state === "open" && this.#storeAll());
    if (db.state === "open") this.#storeAll();
  }

  async get(fingerprint) {
    const unstored = this.#unstored.get(fingerprint);
    if (unstored !== undefined) return unstored;
    return (await this.#db.read(["drafts"], ({ drafts }) => result(drafts.get(fingerprint)))) ?? "";
  }

  /** Begun and committed within this call: a page that goes away aborts whatever it has not committed. */
  async set(fingerprint, text) {
    if (!this.#db.connected) return this.#keep(fingerprint, text);
    try {
      await this.#store(fingerprint, text);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#keep(fingerprint, text);
      if (this.#db.state === "open") setTimeout(() => this.#storeAll(), AGAIN_MS); // else its next state says when
    }
    return undefined;
  }

  /** Whoever removes or replaces drafts in the database means these, too. */
  forget(fingerprint) {
    if (this.#unstored.delete(fingerprint)) this.#remember();
  }

  forgetAll() {
    this.#unstored.clear();
    this.#remember();
  }

  async #store(fingerprint, text) {
    await this.#db.note(["drafts"], ({ drafts }) => {
      if (text) drafts.put(text, fingerprint);
      else drafts.delete(fingerprint);
      drafts.transaction.commit();
    });
    this.forget(fingerprint);
  }

  #keep(fingerprint, text) {
    this.#unstored.set(fingerprint, text);
    this.#remember();
  }

  #remember() {
    if (this.#unstored.size === 0) this.#items.removeItem(ITEM);
    else keepItem(this.#items, ITEM, JSON.stringify(Object.fromEntries(this.#unstored)));
  }

  async #storeAll() {
    for (const [fingerprint, text] of this.#unstored) await this.set(fingerprint, text);
  }
}
