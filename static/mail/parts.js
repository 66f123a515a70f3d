/**
 * Files on their way, part by part (PROTOCOL.md, "Files"). What goes out: its message is queued like words, and once a relay has that with
 * part 0, the others follow, beside the words. What comes in: parts are stored as they come, and asked for where none does for a while.
 */
import { MOST_IDS } from "../protocol/content.js";
import { PART_BYTES, cutPart, partBytes, partId } from "../protocol/files.js";
import { result } from "../store/database.js";
import { toMessage, withTimer } from "../store/messages.js";
import { deleteParts, findFile, numbersOf } from "../store/parts.js";
import { pause } from "../store/indexed-db.js";
import { readSession } from "../store/sessions.js";
import { copyToMine } from "./posts.js";
import { claim, leadThread, putLatest } from "./queue.js";
import { askAgain, mayConfirm } from "./receipts.js";

const QUIET_MS = 60_000; // after which parts are asked for; then after ten times as long
const MOST_ASKED = 3;
const MOST_DUE = 10; // files that are asked for at once, however many somebody begins
const AHEAD_MS = 60_000; // for which questions to one contact may wait already

/** Where a file stands among those of which parts are missing: by when they are asked for. */
const dueAt = (at) => `from ${new Date(at).toISOString()}`;

// -- out

const EVERY_MS = 125; // the relay grants a person ten requests a second: most are for parts, and some are left for words

/** Turns that parts take, whoever they are for, my own devices included: the relay counts them together. */
export class Turns {
  #next_at = 0;

  take() {
    this.#next_at = Math.max(this.#next_at + EVERY_MS, performance.now());
    return pause(this.#next_at - performance.now());
  }
}

/** Stores a message with a file (`file`: its header) as queued, with all octets, or nothing. Returns it. */
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

/** Contacts to whom parts are on their way. */
export async function movingContacts(store) {
  const keys = await store.db.read(["messages"], async ({ messages }) => {
    const found = [];
    const walk = messages.index("moving").openKeyCursor(IDBKeyRange.bound("to ", "to!"), "nextunique");
    for (let cursor = await result(walk); cursor; cursor.continue(), cursor = await result(walk)) found.push(cursor.key);
    return found;
  });
  return keys.map((key) => key.slice(3));
}

/** The oldest file that is on its way to a contact, claimed for `tab`: `{record, octets}`, the octets of its next part; or as claimNext. */
export function claimPart(store, contact, tab, now = Date.now()) {
  return store.db.write(["messages", "parts"], async ({ messages, parts }) => {
    const record = await result(messages.index("moving").get(`to ${contact}`));
    if (!record) return {};
    const part = await result(parts.get([record.seq, record.file.sent]));
    return { ...claim(messages, "record", record, 2 * PART_BYTES, tab, now), octets: part.octets };
  });
}

/** The relay has this part, as `relay_id`. False where the file was deleted or stopped meanwhile. */
export async function settlePart(store, me, { seq, file: { id, sent: n } }, relay_id) {
  let contact;
  const settled = await changeFile(store, seq, ["contacts", "posts", "sessions"], async (record, stores) => {
    if (record.file.id !== id || record.file.sent !== n || !record.moving) return null;
    const file = { ...record.file, sent: n + 1, relay_ids: [...(record.file.relay_ids ?? []), relay_id] };
    await copyToMine(stores, me, { id: partId(id, n), at: record.at, content: { type: "part", file: id, n }, contact: record.contact, seq });
    const { moving, ...rest } = { ...record, file, error: "", claimed_until: 0 };
    const ended = rest.lasts && { gone_at: Date.now() + rest.lasts * 1000 };
    if (file.sent < file.parts) return { ...rest, moving };
    contact = await putLatest(stores.contacts, rest); // the list of chats shows that all of it is sent, or that it is not
    return { ...rest, ...ended };
  });
  if (contact) store.emitContact(contact);
  return settled;
}

/** Why its next part is not there yet, or (`final`) does not go by itself. */
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

/** The octets that a queued post has beside its fields, undefined where it has none; null where their file was deleted. */
export async function octetsOf(store, { seq, content }) {
  if (seq === undefined) return undefined;
  return (await store.db.read(["parts"], ({ parts }) => result(parts.get([seq, content.n ?? 0]))))?.octets ?? null;
}

/** What was sent as a part under this id to a contact, or was copied for my other devices: as queueAgain takes it. */
export async function sentPart({ messages, parts }, contact, me, id) {
  const part = await result(parts.index("id").get(id));
  const record = part && (await result(messages.get(part.seq)));
  if (!record?.file || part.n >= record.file.sent || (record.contact !== contact && contact !== me)) return undefined;
  const content = { type: "part", file: record.file.id, n: part.n, ...(contact === me && { chat: record.contact }) };
  return { part, content, at: record.at, sent_at: record.sent_at, resent: part.resent };
}

// -- in

/** Stores a file's header and part 0; `put(fields)` stores its message. Of a stranger it keeps the header alone. */
export async function keepFile(page, { contact, direction, content: { file, octets } }, put) {
  if (await findFile(page.stores, contact.fingerprint, direction, file.id)) return;
  const fields = { ...file, have: 1, state: "", ...(direction === "out" && { sent: file.parts }) };
  const moving = file.parts > 1 && { moving: dueAt(Date.now() + QUIET_MS) };
  const record = await put(contact.request ? { file: { ...fields, have: 0, state: "held" } } : { file: fields, ...moving });
  if (record?.file?.state === "") page.stores.parts.put({ seq: record.seq, n: 0, octets }); // else it was deleted before it came
}

/** Stores a part that is wanted. One of another length than it has to have ends the file: no other can come. */
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

/** Asks for what is missing of files of which nothing came for a while. */
export async function askForParts(store, me, now = Date.now()) {
  const due = await store.db.read(["messages"], ({ messages }) => result(messages.index("moving").getAllKeys(IDBKeyRange.bound("from ", dueAt(now)), MOST_DUE)));
  for (const seq of due) await changeFile(store, seq, ["contacts", "posts", "sessions"], (record, stores) => ask(stores, record, me, now));
  if (due.length > 0) store.emit("posts");
}

/** What was asked for in vain is given up, which nobody is kept from sending yet. */
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

/** Stores what `change(record, stores)` makes of a message with a file, and tells every tab. False where it is gone, or stays. */
export async function changeFile(store, seq, more, change) {
  const changed = await store.db.write(["messages", "parts", ...more], async (stores) => {
    const record = await result(stores.messages.get(seq));
    const next = record?.file ? await change(record, stores) : null;
    if (next) stores.messages.put(next);
    return next;
  });
  if (changed) store.emit("message", { message: toMessage(changed) });
  return changed !== null;
}
