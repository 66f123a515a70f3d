/**
 * What a person does to messages that are there, and to a chat. Stored and queued in one transaction, for the contact's devices and my own
 * others.
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

  /** `reading()`: the thread on screen in this tab, or null. */
  constructor({ store, relays, settings, identity, reading }) {
    store.addEventListener("contact", ({ detail, remote }) => remote || this.#contactChanged(detail.contact, reading));
    settings.addEventListener("change", ({ detail, remote }) => remote || detail.name !== "name" || this.#sayMyName(detail.value));
    this.#store = store;
    this.#relays = relays;
    this.#settings = settings;
    this.#me = identity.fingerprint;
  }

  mayEdit(message) {
    return mayEdit(message);
  }

  /** Throws UnchangeableError, NotYetError. */
  async edit(seq, text) {
    await this.#change(seq, { type: "edit", text: text.replaceAll("\0", "\ufffd") }, (record) => mayEdit(record) && text.trim() !== "");
  }

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

  /** What was being sent may have reached the relay. */
  async #maybeSent({ contact, envelope_id: of, claimed_until }) {
    if (claimed_until === undefined) return;
    await this.#store.db.write(["posts"], (stores) => queuePost(stores, contact, { type: "delete", of }));
    this.#store.emit("posts");
  }

  /** "" takes my reaction back. */
  async react(seq, emoji) {
    await this.#change(seq, { type: "react", emoji }, ({ deleted_at, kind }) => !deleted_at && kind === "text");
  }

  /** Before it was edited, oldest first: `[{text, ts}]`. */
  async earlier(seq) {
    const record = await this.#store.db.read(["messages"], ({ messages }) => result(messages.get(seq)));
    return record ? earlierWords(record) : [];
  }

  /** The seq of the answered message, or null. */
  async answered({ contact, re }) {
    const record = re && (await this.#store.db.read(["messages"], (stores) => findMessage(stores, contact, re.of, re.mine)));
    return record?.seq ?? null;
  }

  /** `lasts`: seconds; 0: for ever. */
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

  /** Whoever goes without a name keeps the one that contacts knew. */
  async #sayMyName(name) {
    if (!name) return;
    await this.#store.db.write(["contacts", "posts"], async (stores) => {
      const known = (await result(stores.contacts.getAll())).filter(({ devices, request, blocked }) => devices > 0 && !request && !blocked);
      for (const { fingerprint } of known) queuePost(stores, fingerprint, { type: "profile", name });
    });
    this.#store.emit("posts");
  }

  /** Accepted, or on screen (`reading`): receipts go, and timers start. */
  async confirm(fingerprint, { reading }) {
    await confirm(this.#store, fingerprint, { reading, shows: this.#settings.get("receipts") });
    await removeGone(this.#store, this.#me);
  }

  /** A new device of theirs could not read what was written before it was there. */
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

  /** Their client was replaced by one that reads v1's form only. Nobody but the person may decide that. */
  async answerOldForm(fingerprint, yes) {
    await changeSession(this.#store, fingerprint, (session) => ({ ...session, old_form_asked: true, ...(yes && { devices: [], sealed: false, old_since: 0, old_form_asked: false }) }));
  }

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

const CUT_OFF = { state: "failed", error: "Not all of it was sent, and it is not on this device any more.", retriable: false };

/** What comes back where nobody is told of a deletion. Of a file its row and words: 16 MiB do not wait beside a post, unseen. */
function beforeDeletion({ moving, ...record }) {
  const { file } = record;
  return file ? { ...record, ...(file.sent < file.parts && CUT_OFF), file: { ...file, state: "gone", have: 0 } } : record;
}

const meant = ({ contact, direction, envelope_id }) => ({ contact, of: envelope_id, mine: direction === "out" });
