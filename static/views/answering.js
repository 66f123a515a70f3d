// What the composer writes beside a new message: an answer to one, or other words for one of mine. A bar above the field says which.
import { openOnTop } from "./dialogs.js";
import { byId, on } from "./dom.js";
import { oneLine } from "../protocol/excerpt.js";
import { saidIn } from "../protocol/files.js";

const QUOTE_CHARACTERS = 120;

export class Answering {
  #client;
  #changed;
  #bar = byId("answerBar");
  #contact = null; // fingerprint of the open thread
  #begun = new Map(); // fingerprint → {message, edits}: kept while another thread is open
  #closed = null; // tells dialogs.js

  /** `changed()`: the field shows the draft again, or the message that is edited. */
  constructor(client, changed) {
    this.#client = client;
    this.#changed = changed;
    on(byId("answerCancel"), "click", () => this.#cancel());
    on(client.store, "message-removed", ({ detail }) => this.#isOf(detail) && this.#cancel());
    on(client.store, "message", ({ detail }) => this.#isOf(detail.message) && detail.message.deleted_at && this.#cancel());
  }

  /** The message whose words are in the field, to be changed, or null. */
  get edited() {
    const begun = this.#begun.get(this.#contact);
    return begun?.edits ? begun.message : null;
  }

  reply(message) {
    this.#begin(message, false);
  }

  edit(message) {
    this.#begin(message, true);
  }

  /** Another thread is open, or none (null). */
  open(fingerprint) {
    this.#contact = fingerprint;
    this.#show();
  }

  /** Sends `text` as what it is; a promise that it is stored. Throws as Outbox.send does, and stays then. */
  send(contact, text) {
    const begun = this.#begun.get(contact.fingerprint);
    const storing = this.#store(contact, text, begun);
    this.#begun.delete(contact.fingerprint);
    this.#show();
    return storing;
  }

  #store(contact, text, begun) {
    const { outbox, changes } = this.#client;
    if (!begun) return outbox.send(contact, text);
    const { seq, envelope_id: of, direction } = begun.message;
    if (begun.edits) {
      outbox.refuseLong(contact, text + JSON.stringify({ of })); // an edit the server refuses would show here alone
      return changes.edit(seq, text);
    }
    return outbox.send(contact, text, { re: { of, quote: oneLine(saidIn(begun.message), QUOTE_CHARACTERS), mine: direction === "out" } });
  }

  #begin(message, edits) {
    this.#begun.set(message.contact, { message, edits });
    this.#show();
    this.#changed();
    byId("chatBody").focus();
  }

  #isOf({ seq, contact }) {
    return contact === this.#contact && this.#begun.get(contact)?.message.seq === seq;
  }

  #cancel() {
    const { edits } = this.#begun.get(this.#contact);
    this.#begun.delete(this.#contact);
    this.#show();
    if (edits) this.#changed();
    byId("chatBody").focus();
  }

  #show() {
    const begun = this.#begun.get(this.#contact);
    this.#closed?.();
    this.#closed = begun ? openOnTop(() => this.#cancel()) : null;
    this.#bar.hidden = !begun;
    if (!begun) return;
    byId("answerWhat").textContent = begun.edits ? "Edit" : "Reply to";
    byId("answerText").textContent = oneLine(saidIn(begun.message), QUOTE_CHARACTERS);
  }
}
