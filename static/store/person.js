/** What the person puts in that is no message yet, the same in every tab. */
import { NameError } from "../protocol/errors.js";
import { readName } from "../protocol/text.js";
import { SharedEventTarget, keepItem, sessionItems } from "./browser.js";
import { answersKey, pause } from "./indexed-db.js";

const DEFAULTS = { notifications: false, preview: true, sound: true, erase_on_relay: false, receipts: true, name: "" };
const KEY = "settings";

/** Read at once. Emits "change" {name, value} in every tab. */
export class Settings extends SharedEventTarget {
  #store;
  #values;

  /** `home`: until the person chooses one. */
  static async load(store, { home }) {
    return new Settings(store, { ...DEFAULTS, home, ...(await store.value(KEY)) });
  }

  constructor(store, values) {
    super("io3233-settings");
    this.#store = store;
    this.#values = values;
    this.addEventListener("change", ({ detail }) => (this.#values[detail.name] = detail.value));
  }

  get(name) {
    return this.#values[name];
  }

  async set(name, value) {
    await this.#store.changeValue(KEY, (stored) => ({ ...stored, [name]: value }));
    this.emit("change", { name, value });
  }

  /** Goes with every message and in the invite link; an empty one takes mine away. Throws NameError. */
  async callMyself(typed) {
    const name = readName(typed);
    if (typed.trim() && !name) throw new NameError("This can't be a name: it takes 1 to 64 characters that can all be seen, and no check marks.");
    await this.set("name", name);
    await this.#store.reviewNames();
  }
}

// Drafts, one text a thread, all in memory, so that a thread opens with its own. Every change is written at once, one at a time, and shows in
// the other tabs when it is stored. What can't be stored now is in sessionStorage, which outlives a reload. What a draft answers or edits is
// kept beside it likewise.

const ITEM = "io3233_unstored_drafts";
const AGAIN_MS = 2000;
const STORED_WITHIN_MS = 1000;

/** Events: draft {fingerprint, was} (by another tab) · unsaved {error} (null: all is kept again). */
export class Drafts extends SharedEventTarget {
  #store;
  #items = sessionItems();
  #texts; // fingerprint, or answersKey → text; "" for what was sent or emptied in this visit
  #unwritten; // fingerprints
  #sending = new Set(); // {fingerprint, text}: sent, and not stored yet
  #writing = false;
  #written = Promise.resolve(); // or refused, for now
  #failing = false;

  static async load(store) {
    const drafts = new Drafts(store);
    for (const [fingerprint, text] of await store.drafts()) if (!drafts.#texts.has(fingerprint)) drafts.#texts.set(fingerprint, text);
    if (drafts.#unwritten.size > 0) drafts.#writeAll();
    return drafts;
  }

  constructor(store) {
    super("io3233-drafts");
    this.#store = store;
    this.#texts = new Map(Object.entries(JSON.parse(this.#items.getItem(ITEM) ?? "{}")));
    this.#unwritten = new Set(this.#texts.keys());
    this.addEventListener("kept", ({ detail, remote }) => remote && this.#adopt(detail));
    this.addEventListener("stored", ({ detail, remote }) => remote && this.#look(detail.fingerprint));
    store.addEventListener("contact-removed", ({ detail: { fingerprint } }) => this.#forget([fingerprint, answersKey(fingerprint)]));
    store.addEventListener("reset", () => this.#items.removeItem(ITEM));
    store.db.addEventListener("state", () => this.#storageChanged(store.db.state));
  }

  get(fingerprint) {
    return this.#texts.get(fingerprint) ?? "";
  }

  set(fingerprint, text) {
    if (text === this.get(fingerprint)) return;
    this.#texts.set(fingerprint, text);
    this.#unwritten.add(fingerprint);
    if (this.#failing || !this.#store.db.connected) this.#remember();
    if (!this.#writing) this.#written = this.#writeAll();
  }

  /** What it answers or, with `words`, edits: `{seq, words}`; or null. */
  answers(fingerprint) {
    const kept = this.get(answersKey(fingerprint));
    return kept ? JSON.parse(kept) : null;
  }

  setAnswers(fingerprint, answers) {
    this.set(answersKey(fingerprint), answers ? JSON.stringify(answers) : "");
  }

  written() {
    return this.#written;
  }

  /**
   * The draft is a message now, an `answer` or not: whoever stores that clears it in the same transaction (`storing`). Told at once, for this
   * tab may be gone by then; and again, for another may have looked before.
   */
  async sent(fingerprint, text, storing, answer) {
    const sent = { fingerprint, text };
    const keys = answer ? [fingerprint, answersKey(fingerprint)] : [fingerprint];
    this.#sending.add(sent);
    this.#forget(keys);
    for (const key of keys) this.emit("kept", { fingerprint: key, text: "" });
    if (!this.#store.db.connected) this.#remember();
    await Promise.allSettled([storing]);
    for (const key of keys) this.emit("stored", { fingerprint: key });
    this.#sending.delete(sent);
    this.#remember();
  }

  /** Begins within this call: the page may be going away. Throws StorageError. */
  async flush() {
    const written = this.#typed();
    if (written.length === 0) return;
    await this.#store.writeDrafts(written);
    for (const draft of written) if (draft.text === this.get(draft.fingerprint)) this.#kept(draft);
  }

  #typed() {
    return [...this.#unwritten].map((fingerprint) => ({ fingerprint, text: this.get(fingerprint) }));
  }

  #kept(draft) {
    this.#unwritten.delete(draft.fingerprint);
    this.emit("kept", draft);
  }

  async #writeAll() {
    this.#writing = true;
    try {
      while (this.#unwritten.size > 0) await this.flush();
      this.#writing = false;
      this.#tell(null);
    } catch (error) {
      setTimeout(() => this.#writeAll(), AGAIN_MS);
      this.#tell(error);
    }
    this.#remember();
  }

  #tell(error) {
    if (error || this.#failing) this.dispatchEvent(new CustomEvent("unsaved", { detail: { error } }));
    this.#failing = Boolean(error);
  }

  #storageChanged(state) {
    this.#remember();
    if (this.#failing && state === "open") this.#writeAll();
  }

  /** What waits to be stored as sent is a draft again after a reload, above what was typed since. */
  #remember() {
    const waiting = this.#store.db.connected ? [] : [...this.#sending];
    const unstored = {};
    for (const { fingerprint, text } of [...waiting, ...this.#typed()]) unstored[fingerprint] = [unstored[fingerprint], text].filter(Boolean).join("\n");
    if (Object.keys(unstored).length === 0) this.#items.removeItem(ITEM);
    else keepItem(this.#items, ITEM, JSON.stringify(unstored));
  }

  /** What is typed here is newer. What was sent is looked for: its tab may be gone, or store it still. */
  async #adopt({ fingerprint, text }) {
    this.#show(fingerprint, text);
    if (text) return;
    await pause(STORED_WITHIN_MS);
    await this.#look(fingerprint);
  }

  /** What changed here meanwhile is newer. */
  async #look(fingerprint) {
    const shown = this.get(fingerprint);
    const kept = await this.#store.draft(fingerprint).catch(() => shown);
    if (shown === this.get(fingerprint)) this.#show(fingerprint, kept);
  }

  #show(fingerprint, text) {
    const was = this.get(fingerprint);
    if (this.#unwritten.has(fingerprint) || text === was) return;
    this.#texts.set(fingerprint, text);
    this.dispatchEvent(new CustomEvent("draft", { detail: { fingerprint, was } }));
  }

  #forget(keys) {
    for (const key of keys) {
      this.#texts.set(key, "");
      if (this.#unwritten.delete(key)) this.#remember();
    }
  }
}
