/**
 * What is typed and not sent yet, one text a thread. All of it is in memory, so that a thread opens with its draft before a key can be
 * pressed there. Every change is written at once, one write at a time, and shows in the other tabs when it is stored.
 * Events: draft {fingerprint} (another tab changed it) · unsaved {error} (null: all is kept again).
 */
import { SharedEventTarget } from "./shared-events.js";

const AGAIN_MS = 5000;

export class Drafts extends SharedEventTarget {
  #store;
  #texts = new Map(); // fingerprint → text; "" for what was sent or emptied in this visit
  #unwritten = new Set();
  #writing = false;
  #failing = false;

  static async load(store) {
    const drafts = new Drafts(store);
    for (const [fingerprint, text] of await store.drafts()) if (!drafts.#texts.has(fingerprint)) drafts.#texts.set(fingerprint, text);
    return drafts;
  }

  constructor(store) {
    super("io3233-drafts");
    this.#store = store;
    this.addEventListener("kept", ({ detail, remote }) => remote && this.#adopt(detail));
    store.addEventListener("contact-removed", ({ detail }) => this.#forget(detail.fingerprint));
  }

  get(fingerprint) {
    return this.#texts.get(fingerprint) ?? "";
  }

  set(fingerprint, text) {
    if (text === this.get(fingerprint)) return;
    this.#texts.set(fingerprint, text);
    this.#unwritten.add(fingerprint);
    if (!this.#writing) this.#writeAll();
  }

  /**
   * The draft has become a message: whoever stores that clears the draft in the same transaction. Told at once, and not when it is
   * stored: this tab may be gone by then, and another must not show the text as if it were still to be sent.
   */
  sent(fingerprint) {
    this.#forget(fingerprint);
    this.emit("kept", { fingerprint, text: "" });
  }

  /** Begins within this call to write what is not written yet: the page may be going away. Throws StorageError. */
  async flush() {
    const written = [...this.#unwritten].map((fingerprint) => ({ fingerprint, text: this.get(fingerprint) }));
    if (written.length === 0) return;
    this.#unwritten.clear();
    try {
      await this.#store.writeDrafts(written);
    } catch (error) {
      for (const { fingerprint } of written) this.#unwritten.add(fingerprint);
      throw error;
    }
    for (const draft of written) if (draft.text === this.get(draft.fingerprint)) this.emit("kept", draft);
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
  }

  #tell(error) {
    if (error || this.#failing) this.dispatchEvent(new CustomEvent("unsaved", { detail: { error } }));
    this.#failing = Boolean(error);
  }

  /** What is typed here and not written yet is newer. */
  #adopt({ fingerprint, text }) {
    if (this.#unwritten.has(fingerprint)) return;
    this.#texts.set(fingerprint, text);
    this.dispatchEvent(new CustomEvent("draft", { detail: { fingerprint } }));
  }

  #forget(fingerprint) {
    this.#texts.set(fingerprint, "");
    this.#unwritten.delete(fingerprint);
  }
}
