// The draft of the open thread, and what was sent and is not stored yet.
import { Answering } from "./answering.js";
import { Attaching } from "./attaching.js";
import { byId, debounce, on, say } from "./dom.js";
import { ClientError } from "../protocol/errors.js";
import { formatBytes } from "../protocol/format.js";
import { notice } from "./dialogs.js";
import { VoiceRecorder } from "./voice.js";

const MEASURE_WAIT_MS = 250;
const LONG_CHARACTERS = 20_000;

export class ComposerView {
  #client;
  #body = byId("chatBody");
  #status = byId("chatSendStatus");
  #contact = null;
  #answering;
  #voice;
  #unsettled = []; // {fingerprint, text, settled, error}
  #measureSoon = debounce(() => this.#tellSize(), MEASURE_WAIT_MS);

  constructor(client) {
    this.#client = client;
    this.#answering = new Answering(client, () => this.#showDraft());
    new Attaching(client, () => this.#contact, this.#answering);
    this.#voice = new VoiceRecorder(this.#answering, () => this.#contact);
    on(byId("composer"), "submit", (event) => this.#submit(event));
    on(this.#body, "keydown", (event) => this.#keyDown(event));
    on(this.#body, "input", () => this.#typed());
    on(document, "visibilitychange", () => client.drafts.flush());
    on(window, "pagehide", () => client.drafts.flush());
    on(visualViewport, "resize", followKeyboard);
    on(client.drafts, "draft", ({ detail }) => this.#isOpen(detail.fingerprint) && this.#showDraft());
    on(client, "shared", ({ detail }) => this.#takeShared(detail));
    on(client.drafts, "unsaved", ({ detail }) => this.#tellUnsaved(detail.error));
    on(client.store, "contact", ({ detail }) => this.#isOpen(detail.contact.fingerprint) && (this.#contact = detail.contact));
    on(client.relays, "relays", () => this.#measure()); // how much a server takes is heard of late
  }

  get answering() {
    return this.#answering;
  }

  open(contact) {
    const again = this.#isOpen(contact.fingerprint);
    this.#contact = contact;
    this.#answering.open(contact.fingerprint);
    if (again) return;
    this.#voice.show();
    say(this.#status, "");
    this.#takeOver();
    this.#showDraft();
  }

  /** What a guest sent before the page was ready goes now, if this is whom they were invited by. */
  #takeOver() {
    if (!window.guest) return;
    const { fingerprint, sent, typed } = window.guest.end();
    const draft = this.#client.drafts.get(fingerprint); // emptied by what is sent
    const unsent = this.#isOpen(fingerprint) ? sent.filter((text) => !this.#sends(text)) : sent;
    this.#client.drafts.set(fingerprint, [draft, ...unsent, typed].filter(Boolean).join("\n"));
  }

  #takeShared({ contact: { fingerprint }, files, text }) {
    if (files.length > 0) return;
    this.#client.drafts.set(fingerprint, [this.#client.drafts.get(fingerprint), text].filter(Boolean).join("\n"));
    if (this.#isOpen(fingerprint)) this.#showDraft();
  }

  close() {
    this.#takeOver();
    this.#contact = null;
    this.#answering.open(null);
    this.#voice.show();
    this.#fill("");
    say(this.#status, "");
  }

  #isOpen(fingerprint) {
    return fingerprint === this.#contact?.fingerprint;
  }

  #showDraft() {
    this.#fill(this.#answering.words ?? this.#client.drafts.get(this.#contact.fingerprint));
  }

  #tellUnsaved(error) {
    if (error) say(this.#status, `What you type is not stored yet. ${error.message}`, "bad");
    else say(this.#status, "");
  }

  #focus() {
    this.#body.focus({ preventScroll: true });
  }

  #fill(text) {
    this.#body.value = text.slice(0, 2 * this.#body.maxLength); // earlier versions kept any length
    this.#measure();
    this.#fit();
  }

  #typed() {
    if (!this.#contact) return; // a guest: see guest.js
    if (this.#status.textContent) say(this.#status, "");
    if (!this.#answering.typed(this.#body.value)) this.#client.drafts.set(this.#contact.fingerprint, this.#body.value);
    this.#measure();
    this.#fit();
  }

  /** What is long takes longer than a key: measured when the typing pauses. */
  #measure() {
    if (this.#body.value.length > LONG_CHARACTERS) this.#measureSoon();
    else this.#tellSize();
  }

  #tellSize() {
    const counter = byId("chatByteCount");
    const size = this.#contact && this.#client.outbox.measure(this.#contact.fingerprint, this.#body.value, this.#contact.relay, this.#contact.devices);
    const tells = Boolean(size) && (size.near || size.over);
    counter.textContent = tells ? `${formatBytes(size.bytes)} of ${formatBytes(size.limit)}` : "";
    counter.classList.toggle("over", tells && size.over);
  }

  // Not where `field-sizing` is known (style.css).
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

  // Emptied before anything is awaited: what is typed from now on is the next message.
  #submit(event) {
    event.preventDefault();
    if (!this.#contact) return;
    this.#focus();
    if (this.#body.value.trim() && this.#sends(this.#body.value)) this.#showDraft();
  }

  #sends(text) {
    try {
      this.#send(text);
      return true;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      say(this.#status, error.message, "bad");
      return false;
    }
  }

  #send(text) {
    const storing = this.#answering.send(this.#contact, text);
    const sent = { fingerprint: this.#contact.fingerprint, text, settled: false, error: null };
    this.#unsettled.push(sent);
    storing.catch((error) => (sent.error = error)).finally(() => this.#settle(sent));
  }

  /** What could not be stored goes back in its order, once nothing of its thread is under way. */
  #settle(sent) {
    sent.settled = true;
    const ofThread = this.#unsettled.filter(({ fingerprint }) => fingerprint === sent.fingerprint);
    if (ofThread.some(({ settled }) => !settled)) return;
    this.#unsettled = this.#unsettled.filter(({ fingerprint }) => fingerprint !== sent.fingerprint);
    const failed = ofThread.filter(({ error }) => error);
    if (failed.length > 0) this.#giveBack(sent.fingerprint, failed);
  }

  #giveBack(fingerprint, failed) {
    const { drafts } = this.#client;
    const [{ error }] = failed;
    drafts.set(fingerprint, [...failed.map(({ text }) => text), drafts.get(fingerprint)].filter(Boolean).join("\n"));
    if (!this.#isOpen(fingerprint)) return notice(`A message was not stored, and is a draft again. ${error.message}`);
    this.#showDraft();
    return say(this.#status, error.message, "bad");
  }
}

/** Where the browser does not resize the page for a soft keyboard (Safari), the composer stays in sight. */
function followKeyboard() {
  const covered = visualViewport.scale === 1 && visualViewport.height < innerHeight - 1;
  document.body.style.setProperty("--visible", covered ? `${visualViewport.height}px` : "");
  if (covered) scrollTo(0, 0);
}
