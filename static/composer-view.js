// The composer: one draft per thread, kept as it is typed.
import { byId, debounce, on, say } from "./dom.js";
import { EmptyMessageError } from "./errors.js";
import { formatBytes } from "./format.js";

const DRAFT_WAIT_MS = 250;

export class ComposerView {
  #client;
  #body = byId("chatBody");
  #status = byId("chatSendStatus");
  #fingerprint = null;
  #relay = "";
  #sending = new Map(); // fingerprint → text that is sent but not stored yet: until then it counts as draft
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
    const draft = await this.#client.store.draft(fingerprint);
    if (draft && fingerprint === this.#fingerprint) this.#fill(draft + this.#body.value); // some of it may be typed already
  }

  /** Keeps the draft. Begun at once, so that whoever reads the store next finds it there. */
  save() {
    if (this.#fingerprint) return this.#client.store.setDraft(this.#fingerprint, this.#unstored(this.#fingerprint) + this.#body.value);
  }

  /** Keeps the draft and empties the field. */
  close() {
    this.save();
    this.discard();
  }

  /** Empties the field and keeps nothing: the contact is gone. */
  discard() {
    this.#fingerprint = null;
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
    this.#body.value = text;
    this.#measure();
    this.#fit();
  }

  #typed() {
    if (this.#status.textContent) say(this.#status, "");
    this.#measure();
    this.#fit();
    this.#saveSoon();
  }

  #measure() {
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
      await this.#settle(fingerprint, text);
      return this.#giveBack(fingerprint, text, error);
    }
    await this.#settle(fingerprint, text);
  }

  /** The text is stored, or refused: the draft of its thread goes on without it. */
  async #settle(fingerprint, text) {
    this.#sending.set(fingerprint, this.#unstored(fingerprint).slice(text.length));
    if (fingerprint === this.#fingerprint) return this.save();
    const draft = await this.#client.store.draft(fingerprint);
    if (draft.startsWith(text)) await this.#client.store.setDraft(fingerprint, draft.slice(text.length));
  }

  async #giveBack(fingerprint, text, error) {
    if (error instanceof EmptyMessageError) return;
    if (fingerprint !== this.#fingerprint) await this.#client.store.setDraft(fingerprint, text + (await this.#client.store.draft(fingerprint)));
    else this.#fill(text + this.#body.value);
    this.save();
    say(this.#status, error.message, "bad");
  }
}
