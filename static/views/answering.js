// What the composer writes beside a new message: an answer to one, or other words for one of mine. A bar above the field says which.
import { openOnTop } from "./dialogs.js";
import { byId, on } from "./dom.js";
import { oneLine } from "../protocol/excerpt.js";
import { saidIn } from "../protocol/files.js";

const QUOTE_CHARACTERS = 120;

const referenceTo = (message) => ({ of: message.envelope_id, quote: oneLine(saidIn(message), QUOTE_CHARACTERS), mine: message.direction === "out" });

export class Answering {
  #client;
  #changed;
  #bar = byId("answerBar");
  #contact = null; // fingerprint of the open thread
  #begun = new Map(); // fingerprint → {message, words}: kept while another thread is open, and by the drafts over a reload
  #closed = null; // tells dialogs.js

  /** `changed()`: the field shows the draft again, or the message that is edited. */
  constructor(client, changed) {
    this.#client = client;
    this.#changed = changed;
    on(byId("answerCancel"), "click", () => this.#cancel());
    on(client.store, "message-removed", ({ detail }) => this.#gone(detail));
    on(client.store, "message", ({ detail }) => detail.message.deleted_at && this.#gone(detail.message));
  }

  /** What is in the field to become the words of a message that is there; null where none is edited. */
  get words() {
    return this.#begun.get(this.#contact)?.words ?? null;
  }

  /** Keeps what is typed where it is such; else returns false. */
  typed(words) {
    if (this.words === null) return false;
    this.#keep({ ...this.#begun.get(this.#contact), words });
    return true;
  }

  reply(message) {
    this.#begin({ message, words: null });
  }

  edit(message) {
    this.#begin({ message, words: message.text });
  }

  /** Another thread is open, or none (null). */
  open(fingerprint) {
    this.#contact = fingerprint;
    this.#show();
    if (fingerprint && !this.#begun.has(fingerprint)) this.#goOn(fingerprint);
  }

  /** With what was begun before the page was loaded. */
  async #goOn(fingerprint) {
    const { store, drafts } = this.#client;
    const kept = drafts.answers(fingerprint);
    const message = kept && (await store.message(kept.seq));
    if (!message || message.contact !== fingerprint || message.deleted_at || this.#begun.has(fingerprint) || !drafts.answers(fingerprint)) return;
    this.#begun.set(fingerprint, { message, words: kept.words });
    if (fingerprint !== this.#contact) return;
    this.#show();
    this.#changed();
  }

  /** Sends `text` as what it is; a promise that it is stored. Throws as Outbox.send does, and stays then. */
  send(contact, text) {
    const begun = this.#begun.get(contact.fingerprint);
    const storing = this.#store(contact, text, begun);
    this.#end(contact.fingerprint);
    return storing;
  }

  #store(contact, text, begun) {
    const { outbox, changes } = this.#client;
    if (!begun) return outbox.send(contact, text);
    const { seq, envelope_id: of } = begun.message;
    if (begun.words === null) return outbox.send(contact, text, { re: referenceTo(begun.message) });
    outbox.refuseLong(contact, text + JSON.stringify({ of })); // an edit the server refuses would show here alone
    return changes.edit(seq, text);
  }

  /** Sends a file as the answer, where one is begun: it stays until that is stored. An edit goes on beside it. Rejects as Outbox.sendFile does. */
  async sendFile(contact, file, text = "") {
    const begun = this.#begun.get(contact.fingerprint);
    const re = begun?.words === null ? referenceTo(begun.message) : undefined;
    await this.#client.outbox.sendFile(contact, file, { text, re });
    if (re && this.#begun.get(contact.fingerprint) === begun) this.#end(contact.fingerprint);
  }

  #begin(begun) {
    this.#keep(begun);
    this.#show();
    this.#changed();
    byId("chatBody").focus();
  }

  #keep({ message, words }) {
    this.#begun.set(message.contact, { message, words });
    this.#client.drafts.setAnswers(message.contact, { seq: message.seq, words });
  }

  /** Its message is not there any more. */
  #gone({ seq, contact }) {
    const begun = this.#begun.get(contact)?.message ?? this.#client.drafts.answers(contact);
    if (begun?.seq !== seq) return;
    if (contact === this.#contact && this.#begun.has(contact)) this.#cancel();
    else this.#end(contact);
  }

  #cancel() {
    const { words } = this.#begun.get(this.#contact);
    this.#end(this.#contact);
    if (words !== null) this.#changed();
    byId("chatBody").focus();
  }

  #end(fingerprint) {
    this.#begun.delete(fingerprint);
    this.#client.drafts.setAnswers(fingerprint, null);
    this.#show();
  }

  #show() {
    const begun = this.#begun.get(this.#contact);
    this.#closed?.();
    this.#closed = begun ? openOnTop(() => this.#cancel()) : null;
    this.#bar.hidden = !begun;
    if (!begun) return;
    byId("answerWhat").textContent = begun.words !== null ? "Edit" : "Reply to";
    byId("answerText").textContent = oneLine(saidIn(begun.message), QUOTE_CHARACTERS);
  }
}
