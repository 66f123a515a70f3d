// Messages that come of one that is there: an answer, other words for one of mine, the same words in another chat.
import { notice, onClose, openOnTop, showModal } from "./dialogs.js";
import { byId, clone, fillAvatar, on, say } from "./dom.js";
import { cut, fold, oneLine } from "../protocol/text.js";
import { safeName, saidIn } from "../protocol/files.js";
import { ClientError } from "../protocol/errors.js";
import { displayName } from "../protocol/format.js";

const QUOTE_CHARACTERS = 120;
const referenceTo = (message) => ({ of: message.envelope_id, quote: oneLine(saidIn(message), QUOTE_CHARACTERS), mine: message.direction === "out" });

export class Answering {
  #client;
  #changed;
  #bar = byId("answerBar");
  #contact = null; // fingerprint of the open thread
  #begun = new Map(); // fingerprint → {message, words}: kept while another thread is open, and by the drafts
  #closed = null; // tells dialogs.js

  /** `changed()`: the field shows the draft again, or what is edited. */
  constructor(client, changed) {
    this.#client = client;
    this.#changed = changed;
    on(byId("answerCancel"), "click", () => this.#cancel());
    on(client.drafts, "draft", ({ detail }) => this.#endedElsewhere(detail));
    on(client.store, "message-removed", ({ detail }) => this.#gone(detail));
    on(client.store, "message", ({ detail }) => detail.message.deleted_at && this.#gone(detail.message));
  }

  get words() {
    return this.#begun.get(this.#contact)?.words ?? null;
  }

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

  open(fingerprint) {
    this.#contact = fingerprint;
    this.#show();
    if (fingerprint && !this.#begun.has(fingerprint)) this.#goOn(fingerprint);
  }

  leave() {
    this.#closed?.();
  }

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

  /** A promise that it is stored. What Outbox.send throws leaves all as it was. */
  send(contact, text) {
    const begun = this.#begun.get(contact.fingerprint);
    const storing = this.#store(contact, text, begun);
    if (begun) this.#end(contact.fingerprint);
    if (begun?.words === null) storing.catch(() => this.#begun.has(contact.fingerprint) || (this.#keep(begun), this.#show()));
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

  /** A file is the answer, where one is begun: it stays until that is stored. An edit goes on beside it. */
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

  #gone({ seq, contact }) {
    const begun = this.#begun.get(contact)?.message ?? this.#client.drafts.answers(contact);
    if (begun?.seq !== seq) return;
    this.#end(contact);
    if (contact === this.#contact) this.#changed();
  }

  /** Sent or put aside by another tab; or another one was, and this is to be kept again. */
  #endedElsewhere({ fingerprint: key, was }) {
    const begun = this.#begun.get(key.split(" ")[1]);
    if (!begun || this.#client.drafts.answers(begun.message.contact)) return;
    if (JSON.parse(was).seq === begun.message.seq) this.#gone(begun.message);
    else this.#keep(begun);
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
    if (fingerprint === this.#contact) this.#show();
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

// A message's words go on as one's own, for the protocol knows no mark for it; or what another app shared.

const SHOWN_CHARACTERS = 300;
let forwarding = null; // {send, contacts, sends} while the dialog is open

on(byId("forwardSearch"), "input", () => showContacts());
onClose(byId("forwardDialog"), () => (forwarding = null));
on(byId("forwardForm"), "submit", (event) => {
  event.preventDefault();
  const choices = byId("forwardList").querySelectorAll("button");
  if (choices.length === 1) choices[0].click(); // a slip of the Enter key sends to nobody
});
on(byId("forwardList"), "click", ({ target }) => sendTo(target.closest("button")?.value));

export function forward({ text }, client) {
  return ask(client, "Forward to", text, async (contact) => {
    await client.outbox.send(contact, text, { was_draft: false });
    notice(`Forwarded to ${displayName(contact)}`);
  });
}

export async function forwardShared(client) {
  if (!new URLSearchParams(location.search).has("shared")) return client.forgetShared();
  history.replaceState(history.state, "", location.pathname + location.hash); // not after a reload
  const shared = await client.takeShared();
  if (!shared) return notice("Nothing was shared, or it is too large, or this device has no room for it.");
  const told = [...shared.files.map(({ name }) => safeName(name)), shared.text].filter(Boolean).join("\n");
  return ask(client, "Send to", told, (contact) => {
    byId("forwardDialog").close();
    client.offerShared({ contact, ...shared });
  });
}

async function ask(client, title, text, send) {
  const contacts = (await client.store.contacts()).filter(({ blocked }) => !blocked);
  forwarding = { send, contacts };
  byId("forwardTitle").textContent = title;
  byId("forwardText").textContent = cut(text, SHOWN_CHARACTERS);
  byId("forwardSearch").value = "";
  say(byId("forwardStatus"), "");
  showContacts();
  showModal(byId("forwardDialog"));
}

function showContacts() {
  const wanted = fold(byId("forwardSearch").value.trim());
  const found = forwarding.contacts.filter((contact) => fold(displayName(contact)).includes(wanted) || contact.fingerprint.startsWith(wanted));
  byId("forwardList").replaceChildren(...found.map(choice));
  byId("forwardNone").hidden = found.length > 0;
}

function choice(contact) {
  const item = clone("forwardTemplate");
  item.querySelector("button").value = contact.fingerprint;
  item.querySelector("bdi").textContent = displayName(contact);
  fillAvatar(item.querySelector(".avatar"), contact, displayName(contact));
  return item;
}

async function sendTo(fingerprint) {
  const asked = forwarding;
  const contact = asked.contacts.find((each) => each.fingerprint === fingerprint);
  if (!contact || asked.sends) return;
  asked.sends = true; // many press twice
  try {
    await asked.send(contact);
    if (asked === forwarding) byId("forwardDialog").close(); // else it asks something else by now
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (asked === forwarding) say(byId("forwardStatus"), error.message, "bad");
    else notice(error.message);
  } finally {
    asked.sends = false;
  }
}
