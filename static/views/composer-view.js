// The composer: one draft per thread, kept as it is typed.
import { byId, debounce, on, say } from "./dom.js";
import { formatBytes } from "../protocol/format.js";

const DRAFT_WAIT_MS = 250;
const MEASURE_WAIT_MS = 250;
const LONG_CHARACTERS = 20_000;

export class ComposerView {
  #client;
  #body = byId("chatBody");
  #status = byId("chatSendStatus");
  #fingerprint = null;
  #kept = null; // the draft as this tab last read or wrote it; null while it is read
  #opening = null;
  #relay = "";
  #sending = new Map(); // fingerprint → text that is sent but not stored yet: until then it counts as draft
  #measureSoon = debounce(() => this.#tellSize(), MEASURE_WAIT_MS);
  #saveSoon = debounce(() => this.save(), DRAFT_WAIT_MS);

  constructor(client) {
    this.#client = client;
    on(byId("composer"), "submit", (event) => this.#submit(event));
    on(this.#body, "keydown", (event) => this.#keyDown(event));
    on(this.#body, "input", () => this.#typed());
    on(document, "visibilitychange", () => this.save());
    on(window, "pagehide", () => this.save());
  }

  /** Puts the draft for this contact into the field. */
  async open({ fingerprint, relay }) {
    this.#relay = relay;
    if (fingerprint === this.#fingerprint) return;
    this.close();
    this.#fingerprint = fingerprint;
    const unstored = this.#unstored(fingerprint);
    const opening = (this.#opening = {});
    const draft = await this.#client.store.draft(fingerprint);
    if (opening !== this.#opening) return;
    this.#kept = draft;
    const unsent = draft.startsWith(unstored) ? draft.slice(unstored.length) : draft;
    if (unsent) this.#fill(unsent + this.#body.value); // some of it may be typed already
    await this.save();
  }

  /**
   * Keeps the draft. Begun at once, so that whoever reads the store next finds it there. Only what was typed here: another
   * tab's draft, and a restored one, are not undone by a field that was merely open, nor is one that was not read yet.
   */
  save() {
    const text = this.#unstored(this.#fingerprint) + this.#body.value;
    if (this.#kept === null || text === this.#kept) return undefined;
    return this.#write(text);
  }

  async #write(text) {
    const before = this.#kept;
    this.#kept = text;
    try {
      await this.#client.store.setDraft(this.#fingerprint, text);
    } catch (error) {
      if (this.#kept === text) this.#kept = before; // the next save tries again
      throw error;
    }
  }

  /** What was typed and sent before the thread's draft had been read is kept beside it. */
  async #addToDraft(fingerprint, unstored, typed) {
    const draft = await this.#client.store.draft(fingerprint);
    await this.#client.store.setDraft(fingerprint, (draft.startsWith(unstored) ? draft : unstored + draft) + typed);
  }

  /** Keeps the draft and empties the field. */
  close() {
    const [unstored, typed] = [this.#unstored(this.#fingerprint), this.#body.value];
    if (this.#opening && this.#kept === null && unstored + typed) this.#addToDraft(this.#fingerprint, unstored, typed);
    this.save();
    this.discard();
  }

  /** Empties the field and keeps nothing: the contact is gone. */
  discard() {
    this.#fingerprint = this.#kept = this.#opening = null;
    this.#fill("");
    say(this.#status, "");
  }

  #focus() {
    this.#body.focus({ preventScroll: true });
  }

  #unstored(fingerprint) {
    return this.#sending.get(fingerprint) ?? "";
  }

  #fill(text) {
    this.#body.value = text.slice(0, 2 * this.#body.maxLength); // earlier versions kept drafts of any length
    this.#measure();
    this.#fit();
  }

  #typed() {
    if (this.#status.textContent) say(this.#status, "");
    this.#measure();
    this.#fit();
    this.#saveSoon();
  }

  /** What is long is measured when the typing pauses: it takes longer than a key. */
  #measure() {
    if (this.#body.value.length > LONG_CHARACTERS) this.#measureSoon();
    else this.#tellSize();
  }

  #tellSize() {
    const counter = byId("chatByteCount");
    const size = this.#fingerprint && this.#client.outbox.measure(this.#fingerprint, this.#body.value, this.#relay);
    const tells = Boolean(size) && (size.near || size.over);
    counter.textContent = tells ? `${formatBytes(size.bytes)} of ${formatBytes(size.limit)}` : "";
    counter.classList.toggle("over", tells && size.over);
  }

  // Browsers that know `field-sizing` (style.css) need none of this.
  #fit() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#body.style.height = "auto";
    this.#body.style.height = `${this.#body.scrollHeight + 2}px`;
  }

  #keyDown(event) {
    // 229: Safari ends a composition before the Enter that confirmed it.
    if (event.key !== "Enter" || event.isComposing || event.keyCode === 229 || event.shiftKey) return;
    event.preventDefault();
    if (event.ctrlKey || event.altKey) this.#breakLine();
    else byId("composer").requestSubmit();
  }

  #breakLine() {
    const { selectionStart, selectionEnd } = this.#body;
    this.#body.setRangeText("\n", selectionStart, selectionEnd, "end");
    this.#typed();
  }

  // The field is emptied before anything is awaited, so that what is typed in
  // the meantime is the next message; a refused text comes back.
  async #submit(event) {
    event.preventDefault();
    const fingerprint = this.#fingerprint;
    const text = this.#body.value;
    if (!text.trim()) return this.#focus();
    this.#sending.set(fingerprint, this.#unstored(fingerprint) + text);
    this.#fill("");
    this.#focus();
    try {
      await this.#client.outbox.send(fingerprint, text);
    } catch (error) {
      return this.#giveBack(fingerprint, text, error);
    }
    return this.#settle(fingerprint, text);
  }

  /** The text is stored: the draft of its thread goes on without it. */
  async #settle(fingerprint, text) {
    this.#drop(fingerprint, text);
    if (fingerprint === this.#fingerprint) return this.save();
    const draft = await this.#client.store.draft(fingerprint);
    if (draft.startsWith(text)) await this.#client.store.setDraft(fingerprint, draft.slice(text.length));
  }

  // Shown before anything is stored, for the store may be what failed. The draft
  // of a thread that was left meanwhile begins with the text already.
  #giveBack(fingerprint, text, error) {
    this.#drop(fingerprint, text);
    if (fingerprint === this.#fingerprint) this.#fill(text + this.#body.value);
    say(this.#status, error.message, "bad");
    return this.save();
  }

  #drop(fingerprint, text) {
    this.#sending.set(fingerprint, this.#unstored(fingerprint).slice(text.length));
  }
}
