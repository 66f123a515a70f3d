/**
 * What a person does to messages that are there, and to what a chat is: edit, delete for both, react, the timer, who may be written to
 * how. Each is stored and queued in one transaction, and goes to the contact's devices and to my own others.
 *
 * A message has `edited_at`, `deleted_at`, `reactions` `[{by, emoji}]`, `re` `{of, quote, mine}`, `lasts`, `gone_at`, `delivered_at`, `read_at`,
 * `unsealed`, `event`; a contact has `devices` (0: their client reads plain text only), `lasts`, `asks_again`, `asks_old_form`.
 */
import { isEnvelopeId, newEnvelopeId } from "../protocol/envelope.js";
import { NotYetError, UnchangeableError } from "../protocol/errors.js";
import { changeSession } from "../store/contacts.js";
import { result } from "../store/database.js";
import { lineOf, toMessage, withChanged } from "../store/messages.js";
import { noteTaken, takeBack, takeBackParts } from "./erasure.js";
import { sentPart } from "./files.js";
import { confirm, forgetWords, queueAgain, queuePost, sentPost } from "./posts.js";
import { discard } from "./queue.js";
import { applyChange, earlierWords, findMessage, mayEdit } from "./references.js";
import { removeGone } from "./sweeper.js";

const STORES = ["contacts", "messages", "parts", "posts", "references", "sessions"];

export class Changes {
  #store;
  #relays;
  #settings;
  #me;
  #requests = new Set(); // fingerprints, as many as are kept

  /** `reading()`: the fingerprint of the thread on screen in this tab, or null. */
  constructor({ store, relays, settings, identity, reading }) {
    store.addEventListener("contact", ({ detail, remote }) => remote || this.#contactChanged(detail.contact, reading));
    settings.addEventListener("change", ({ detail, remote }) => remote || detail.name !== "name" || this.#sayMyName(detail.value));
    this.#store = store;
    this.#relays = relays;
    this.#settings = settings;
    this.#me = identity.fingerprint;
  }

  /** Whether `message` may be edited: an own text of the last 24 hours. */
  mayEdit(message) {
    return mayEdit(message);
  }

  /** Gives an own message other words. Throws UnchangeableError, NotYetError. */
  async edit(seq, text) {
    await this.#change(seq, { type: "edit", text: text.replaceAll("\0", "\ufffd") }, (record) => mayEdit(record) && text.trim() !== "");
  }

  /** Deletes an own message on both sides, and takes the relay's copy back where it can be. */
  async remove(seq) {
    const { file } = (await this.#store.message(seq)) ?? {};
    const unsent = !file?.sent && (await discard(this.#store, seq));
    if (unsent) return this.#maybeSent(unsent);
    let relay_ids; // at that very moment: its parts may be on their way
    const record = await this.#change(seq, { type: "delete" }, (known) => {
      relay_ids = known.file?.relay_ids;
      return known.direction === "out" && !known.deleted_at;
    });
    const parts = { store: this.#store, relays: this.#relays };
    const noted = () => noteTaken(this.#store, record).catch((error) => console.debug("Not noted:", error.message));
    const taking = [record.relay_id && takeBack(parts, seq), relay_ids && takeBackParts(parts, record.relay, relay_ids, noted)];
    for (const each of taking) if (each) each.catch((error) => console.debug("Not taken back:", error.message));
  }

  /** One that was being sent when it was removed may have reached the relay. */
  async #maybeSent({ contact, envelope_id: of, claimed_until }) {
    if (claimed_until === undefined) return;
    await this.#store.db.write(["posts"], (stores) => queuePost(stores, contact, { type: "delete", of }));
    this.#store.emit("posts");
  }

  /** My one reaction to a message; "" takes it back. */
  async react(seq, emoji) {
    await this.#change(seq, { type: "react", emoji }, ({ deleted_at, kind }) => !deleted_at && kind === "text");
  }

  /** The words of a message before it was edited, oldest first: `[{text, ts}]`. */
  async earlier(seq) {
    const record = await this.#store.db.read(["messages"], ({ messages }) => result(messages.get(seq)));
    return record ? earlierWords(record) : [];
  }

  /** The seq of the message that `message` answers, or null where it is not here. */
  async answered({ contact, re }) {
    const record = re && (await this.#store.db.read(["messages"], (stores) => findMessage(stores, contact, re.of, re.mine)));
    return record?.seq ?? null;
  }

  /** How long messages of a chat last from now on, in seconds; 0: for ever. */
  async setTimer(fingerprint, lasts) {
    const at = Date.now();
    const [contact, line] = await this.#store.db.write(["contacts", "messages", "posts"], async (stores) => {
      const known = await result(stores.contacts.get(fingerprint));
      if (!(known?.devices > 0)) throw new NotYetError("Their client can't do this yet, or has not written to you.");
      stores.contacts.put({ ...known, lasts, lasts_ts: at });
      queuePost(stores, fingerprint, { type: "setting", lasts }, { at, copied: true, before: { lasts: known.lasts, lasts_ts: known.lasts_ts ?? 0 } });
      const said = lineOf(known, { event: "timer", lasts, at });
      return [{ ...known, lasts, lasts_ts: at }, { ...said, seq: await result(stores.messages.add(said)) }];
    });
    this.#store.emitContact(contact);
    this.#store.emit("messages", { messages: [toMessage(line)], received: true });
    this.#store.emit("posts");
  }

  /** Tells all contacts what I call myself now. Whoever goes without a name keeps the one that they knew. */
  async #sayMyName(name) {
    if (!name) return;
    await this.#store.db.write(["contacts", "posts"], async (stores) => {
      const known = (await result(stores.contacts.getAll())).filter(({ devices, request, blocked }) => devices > 0 && !request && !blocked);
      for (const { fingerprint } of known) queuePost(stores, fingerprint, { type: "profile", name });
    });
    this.#store.emit("posts");
  }

  /** A contact was accepted, or their thread is on screen (`reading`): receipts go, and timers start. */
  async confirm(fingerprint, { reading }) {
    await confirm(this.#store, fingerprint, { reading, shows: this.#settings.get("receipts") });
    await removeGone(this.#store, this.#me);
  }

  /** The person's answer to `asks_again`: a new device of the contact could not read what was written before it was there. */
  async answerAgain(fingerprint, yes) {
    await this.#store.db.write(["messages", "parts", "posts", "sessions"], async (stores) => {
      const { wanted } = await result(stores.sessions.get(fingerprint));
      for (const id of (yes && wanted?.ids) || []) {
        const sent = (await findMessage(stores, fingerprint, id, true)) ?? (await sentPost(stores, fingerprint, id)) ?? (await sentPart(stores, fingerprint, this.#me, id));
        if (sent && !sent.deleted_at && sent.queued_for === undefined) queueAgain(stores, sent, fingerprint, id);
      }
    });
    await changeSession(this.#store, fingerprint, ({ wanted, ...session }) => session);
    this.#store.emit("posts");
  }

  /** The person's answer to `asks_old_form`: their client was replaced by one that reads v1's form only. Nobody else may decide that. */
  async answerOldForm(fingerprint, yes) {
    await changeSession(this.#store, fingerprint, (session) => ({ ...session, old_form_asked: true, ...(yes && { devices: [], sealed: false, old_since: 0, old_form_asked: false }) }));
  }

  /** Somebody was accepted: what they wrote is confirmed now. */
  #contactChanged({ fingerprint, request }, reading) {
    if (request) this.#requests.add(fingerprint);
    else if (this.#requests.delete(fingerprint)) this.confirm(fingerprint, { reading: reading() === fingerprint });
  }

  async #change(seq, change, may) {
    const said = { ...change, id: newEnvelopeId(), ts: Date.now(), author: this.#me };
    const { record, contact } = await this.#store.db.write(STORES, async (stores) => {
      const known = await result(stores.messages.get(seq));
      const record = isEnvelopeId(known?.envelope_id) && may(known) && (await applyChange(stores, { ...said, ...meant(known) }, { keep: false }));
      if (!record) throw new UnchangeableError("This message can't be changed so any more.");
      const before = said.type === "delete" ? beforeDeletion(known) : known.reactions?.find(({ by }) => by === this.#me);
      return { record, contact: await this.#tell(stores, record, { ...said, before }) };
    });
    this.#store.emit("message", { message: toMessage(record) });
    if (contact) this.#store.emitContact(contact);
    this.#store.emit("posts");
    return record;
  }

  /** Queues a change, and has the list of threads show it. */
  async #tell(stores, record, { type, text, emoji, id, ts, before }) {
    const { contact: fingerprint, of, mine } = meant(record);
    const by = type === "react" && !mine && { by: fingerprint };
    if (type === "delete") await forgetWords(stores, [fingerprint, this.#me], of);
    queuePost(stores, fingerprint, { type, of, ...(text && { text }), ...(emoji !== undefined && { emoji }), ...by }, { id, at: ts, copied: true, before });
    const known = await result(stores.contacts.get(fingerprint));
    if (!known) return null;
    stores.contacts.put(withChanged(known, record));
    return withChanged(known, record);
  }
}

/** Of a file that was on its way when it was deleted. */
const CUT_OFF = { state: "failed", error: "Not all of it was sent, and it is not on this device any more.", retriable: false };

/** What comes back where nobody is told of a deletion. Of a file its row and its words: 16 MiB of what was to go do not wait beside a post, unseen. */
function beforeDeletion({ moving, ...record }) {
  const { file } = record;
  return file ? { ...record, ...(file.sent < file.parts && CUT_OFF), file: { ...file, state: "gone", have: 0 } } : record;
}

/** Which message a change means. */
const meant = ({ contact, direction, envelope_id }) => ({ contact, of: envelope_id, mine: direction === "out" });
