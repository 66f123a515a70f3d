/**
 * Files, part by part (PROTOCOL.md, "Files"). Out: the message is queued like words, and once a relay has it with part 0, the others follow
 * beside the words. In: parts are stored as they come, and asked for where none does for a while. Here: checked once all have come, read, and
 * given up.
 */
import { MOST_IDS } from "../protocol/content.js";
import { digest } from "../protocol/crypto.js";
import { toHex } from "../protocol/encoding.js";
import { cutPart, partBytes, partId } from "../protocol/files.js";
import { readSession } from "../store/contacts.js";
import { result } from "../store/database.js";
import { pause } from "../store/indexed-db.js";
import { deleteParts, findFile, numbersOf, readOctets, toMessage, withTimer } from "../store/messages.js";
import { askAgain, copyToMine, mayConfirm } from "./posts.js";
import { leadThread, putLatest } from "./queue.js";

const QUIET_MS = 60_000; // then after ten times as long
const MOST_ASKED = 3;
const MOST_DUE = 10;
const AHEAD_MS = 60_000; // for which questions may wait already

const dueAt = (at) => `from ${new Date(at).toISOString()}`;

/** Tells every tab. False where it is gone, or stays as it is. */
async function changeFile(store, seq, more, change) {
  const changed = await store.db.write(["messages", "parts", ...more], async (stores) => {
    const record = await result(stores.messages.get(seq));
    const next = record?.file ? await change(record, stores) : null;
    if (next) stores.messages.put(next);
    return next;
  });
  if (changed) store.emit("message", { message: toMessage(changed) });
  return changed !== null;
}

// -- out

const EVERY_MS = 125; // of the ten requests a second that the relay grants some are left for words

/** Whoever the parts are for: the relay counts them together. */
export class Turns {
  #next_at = 0;

  take() {
    this.#next_at = Math.max(this.#next_at + EVERY_MS, performance.now());
    return pause(this.#next_at - performance.now());
  }
}

/** Queues it with all octets, or nothing. `file`: its header. */
export async function enqueueFile(store, { file, bytes, ...written }) {
  const queued = { state: "queued", queued_for: written.contact, file: { ...file, have: file.parts, sent: 0, state: "here" } };
  const record = { direction: "out", kind: "text", at: Date.now(), ...written, ...queued };
  await store.db.write(["messages", "parts"], async ({ messages, parts }) => {
    record.seq = await result(messages.add(record));
    for (let n = 0; n < file.parts; n += 1) parts.put({ seq: record.seq, n, octets: cutPart(bytes, n), id: partId(file.id, n) });
  });
  store.emit("messages", { messages: [toMessage(record)], received: false });
  leadThread(store, record).catch((error) => console.warn("The list of threads shows this file when it is sent:", error));
  return toMessage(record);
}

/** False where the file was deleted or stopped meanwhile. */
export async function settlePart(store, me, { seq, file: { id, sent: n } }, relay_id) {
  let contact;
  const settled = await changeFile(store, seq, ["contacts", "posts", "sessions"], async (record, stores) => {
    if (record.file.id !== id || record.file.sent !== n || !record.moving) return null;
    const file = { ...record.file, sent: n + 1, relay_ids: [...(record.file.relay_ids ?? []), relay_id] };
    await copyToMine(stores, me, { id: partId(id, n), at: record.at, content: { type: "part", file: id, n }, contact: record.contact, seq });
    const { moving, ...rest } = { ...record, file, error: "", claimed_until: 0 };
    const ended = rest.lasts && { gone_at: Date.now() + rest.lasts * 1000 };
    if (file.sent < file.parts) return { ...rest, moving };
    contact = await putLatest(stores.contacts, rest); // the list shows that all of it is sent, or not
    return { ...rest, ...ended };
  });
  if (contact) store.emitContact(contact);
  return settled;
}

/** `final`: it does not go by itself. */
export async function notePart(store, { seq, file: { id } }, error, final) {
  let contact;
  await changeFile(store, seq, ["contacts"], async ({ moving, ...record }, stores) => {
    if (!moving || record.file.id !== id || (!final && record.error === error)) return null;
    if (!final) return { ...record, moving, error, claimed_until: 0 };
    const failed = { ...record, error, state: "failed", retriable: true, claimed_until: 0 };
    contact = await putLatest(stores.contacts, failed);
    return failed;
  });
  if (contact) store.emitContact(contact);
}

/** To a contact, or copied for my other devices: as queueAgain takes it. */
export async function sentPart({ messages, parts }, contact, me, id) {
  const part = await result(parts.index("id").get(id));
  const record = part && (await result(messages.get(part.seq)));
  if (!record?.file || part.n >= record.file.sent || (record.contact !== contact && contact !== me)) return undefined;
  const content = { type: "part", file: record.file.id, n: part.n, ...(contact === me && { chat: record.contact }) };
  return { part, content, at: record.at, sent_at: record.sent_at, resent: part.resent };
}

// -- in

/** `put(fields)` stores its message. Of a stranger the header alone is kept. */
export async function keepFile(page, { contact, direction, content: { file, octets } }, put) {
  if (await findFile(page.stores, contact.fingerprint, direction, file.id)) return;
  const fields = { ...file, have: 1, state: "", ...(direction === "out" && { sent: file.parts }) };
  const moving = file.parts > 1 && { moving: dueAt(Date.now() + QUIET_MS) };
  const record = await put(contact.request ? { file: { ...fields, have: 0, state: "held" } } : { file: fields, ...moving });
  if (record?.file?.state === "") page.stores.parts.put({ seq: record.seq, n: 0, octets }); // else it was deleted before it came
}

/** One of a wrong length ends the file: no other can come. */
export async function keepPart(page, { contact, direction, content: { file: id, n, octets } }) {
  const { moving, ...record } = await findFile(page.stores, contact, direction, id);
  if (octets.length !== partBytes(record.file, n)) {
    deleteParts(page.stores, record.seq);
    return page.changed(withTimer({ ...record, file: { ...record.file, have: 0, state: "damaged" } }));
  }
  page.stores.parts.put({ seq: record.seq, n, octets });
  const file = { ...record.file, have: record.file.have + 1, asked: 0 };
  return page.changed({ ...record, ...(file.have < file.parts && { moving: dueAt(Date.now() + QUIET_MS) }), file });
}

export async function askForParts(store, me, now = Date.now()) {
  const due = await store.db.read(["messages"], ({ messages }) => result(messages.index("moving").getAllKeys(IDBKeyRange.bound("from ", dueAt(now)), MOST_DUE)));
  for (const seq of due) await changeFile(store, seq, ["contacts", "posts", "sessions"], (record, stores) => ask(stores, record, me, now));
  if (due.length > 0) store.emit("posts");
}

/** What was asked for in vain is given up; nobody is kept from sending it still. */
async function ask(stores, { moving, ...record }, me, now) {
  const { asked = 0, id, parts } = record.file;
  const contact = await result(stores.contacts.get(record.contact));
  const session = await readSession(stores, { fingerprint: record.direction === "out" ? me : record.contact });
  if (asked === MOST_ASKED || !contact || !mayConfirm(contact, session)) return withTimer(record, now);
  if (session.ask_from > now + AHEAD_MS) return { ...record, moving: dueAt(session.ask_from) };
  const here = new Set(await numbersOf(stores, record.seq));
  const missing = Array.from({ length: parts }, (_, n) => n).filter((n) => !here.has(n));
  stores.sessions.put(await askAgain(stores, session, missing.slice(0, MOST_IDS).map((n) => partId(id, n)), now));
  return { ...record, moving: dueAt(now + QUIET_MS * 10 ** (asked + 1)), file: { ...record.file, asked: asked + 1 } };
}

// -- here

/** What is still on its way has to stay. */
const mayGo = ({ direction, state, moving, file }) => file.state === "here" && !moving && (direction === "in" || state === "relayed");

export class Files {
  #store;
  #reading = new Map(); // seq → its octets: nothing is checked twice at once

  constructor(store) {
    this.#store = store;
    store.addEventListener("messages", ({ detail, remote }) => remote || detail.messages.forEach((message) => this.#arrived(message)));
    store.addEventListener("message", ({ detail, remote }) => remote || this.#arrived(detail.message));
  }

  /** Of a file that is whole, and whose hash is right; else null. */
  read(seq) {
    if (!this.#reading.has(seq)) this.#reading.set(seq, this.#read(seq).finally(() => this.#reading.delete(seq)));
    return this.#reading.get(seq);
  }

  cancel(seq) {
    return this.#end(seq, "cancelled");
  }

  /** By chat, the largest first: `{contact, seqs, bytes}`. Not those of which copies for my other devices wait. */
  async kept() {
    const [records, queued] = await this.#store.db.read(["messages", "posts"], ({ messages, posts }) =>
      Promise.all([result(messages.index("file").getAll()), result(posts.index("queued").getAll())]));
    const waiting = new Set(queued.map(({ seq }) => seq));
    const chats = new Map();
    for (const { contact, seq, file } of records.filter((record) => mayGo(record) && !waiting.has(record.seq))) {
      const { seqs, bytes } = chats.get(contact) ?? { seqs: [], bytes: 0 };
      chats.set(contact, { contact, seqs: [...seqs, seq], bytes: bytes + file.size });
    }
    return [...chats.values()].sort((a, b) => b.bytes - a.bytes);
  }

  /** Their rows stay. */
  async free(seqs) {
    for (const seq of seqs) await this.#end(seq, "gone");
  }

  #arrived({ seq, file }) {
    if (file?.state === "" && file.have === file.parts) this.read(seq).catch((error) => console.warn("A file is checked when it is shown:", error));
  }

  async #read(seq) {
    const { file } = (await this.#store.message(seq)) ?? {};
    if (!file || file.have < file.parts || !["", "here"].includes(file.state)) return null;
    const bytes = await readOctets(this.#store, seq);
    if (file.state === "here") return bytes;
    const right = toHex(await digest(bytes)) === file.sha256;
    await this.#end(seq, right ? "here" : "damaged", ({ id, state }) => id === file.id && state === "");
    return right ? bytes : null;
  }

  #end(seq, state, may = () => true) {
    return changeFile(this.#store, seq, [], ({ moving, ...record }, stores) => {
      if (!may(record.file)) return null;
      if (state !== "here") deleteParts(stores, seq);
      return withTimer({ ...record, file: { ...record.file, state, have: state === "here" ? record.file.have : 0 } });
    });
  }
}
