/** Message records, the octets of their files, deleting one and putting it back. */
import { oneLine } from "../protocol/text.js";
import { saidIn } from "../protocol/files.js";
import { result } from "./database.js";

const PREVIEW_CHARACTERS = 120;
const MOST_FAILED = 100; // that a contact's record tells of

export const everythingOf = (fingerprint) => IDBKeyRange.bound([fingerprint], [fingerprint, []]);

/** As views get it: a copy, every field present. */
export const toMessage = (record) => ({
  seq: record.seq,
  contact: record.contact,
  relay: record.relay,
  direction: record.direction,
  kind: record.kind,
  text: record.text,
  at: record.at,
  written_at: record.written_at ?? null, // where the sender's clock differs much from `at`
  stored_at: record.stored_at ?? null,
  envelope_id: record.envelope_id ?? "",
  reason: record.reason ?? "",
  legacy: record.legacy ?? false,
  state: record.state ?? "",
  error: record.error ?? "",
  retriable: record.retriable ?? false,
  relay_id: record.relay_id ?? null,
  expires_at: record.expires_at ?? "",
  taken_back_at: record.taken_back_at ?? null,
  unsealed: record.unsealed ?? false, // sealed with the address key only
  event: record.event ?? "", // a line that nobody wrote: "device", "verified-device", "own-device", "unopened", "impostor", "timer" with `lasts`, or what was refused with `reason`
  delivered_at: record.delivered_at ?? null,
  read_at: record.read_at ?? null,
  re: record.re ?? null, // {of, quote, mine}: the message that is answered, by envelope_id
  edited_at: record.edited_at ?? null,
  deleted_at: record.deleted_at ?? null,
  reactions: (record.reactions ?? []).filter(({ emoji }) => emoji).map(({ by, emoji }) => ({ by, emoji })), // by: fingerprint
  file: record.file ?? null,
  lasts: record.lasts ?? 0, // seconds; 0: for ever
  gone_at: record.gone_at ?? null, // ms, once the timer runs
});

export const lineOf = ({ fingerprint, relay }, event) => ({
  contact: fingerprint, relay, direction: "in", kind: "unknown", text: "", stored_at: Date.now(), ...event,
});

/** Its file has come, or never will: where it was read before, its timer begins. */
export const withTimer = (record, now = Date.now()) => (record.was_read && record.lasts && !record.gone_at ? { ...record, gone_at: now + record.lasts * 1000 } : record);

const preview = (message) => oneLine(saidIn(message), PREVIEW_CHARACTERS);

export const withLatest = (contact, message) => ({
  ...contact,
  last_seq: message.seq,
  last_at: message.at,
  last_text: message.deleted_at ? "Deleted" : preview(message),
  last_direction: message.direction,
  last_state: (message.state === "relayed" && message.file?.sent < message.file?.parts && "queued") || (message.read_at && "read") || (message.delivered_at && "delivered") || (message.state ?? ""),
});

/** `failed`: `{seq, text}` of each message that could not be sent, which the list tells before all else. */
export const failedWith = ({ failed = [] }, message) => {
  const others = failed.filter(({ seq }) => seq !== message.seq);
  return message.state === "failed" ? [...others, { seq: message.seq, text: preview(message) }].slice(-MOST_FAILED) : others;
};

export const withChanged = (contact, message) => ({ ...(message.seq === contact.last_seq ? withLatest(contact, message) : contact), failed: failedWith(contact, message) });

/** Who is muted stays in the archive. */
export const isListed = ({ open, muted }) => open || !muted;

// A message's `file` has the header's fields, `have` (how many parts are here), `sent` (of an own one: how many a relay took) and `state`: ""
// while it comes, "here" (whole, and its hash is right), "damaged", "cancelled" (the person wants no more of it), "held" (of a stranger: not
// kept), "gone" (freed, or not in the backup). Its octets are kept in parts as they travel.

const partsOf = (seq) => IDBKeyRange.bound([seq], [seq, []]);

export const deleteParts = ({ parts }, seq) => parts.delete(partsOf(seq));

export const readParts = ({ parts }, seq) => result(parts.getAll(partsOf(seq)));

export const numbersOf = async ({ parts }, seq) => (await result(parts.getAllKeys(partsOf(seq)))).map(([, n]) => n);

export const findFile = ({ messages }, contact, direction, id) => result(messages.index("file").get([contact, direction, id]));

export async function isWanted({ messages, parts }, contact, direction, { file, n }) {
  const record = await findFile({ messages }, contact, direction, file);
  return record?.file.state === "" && n < record.file.parts && (await result(parts.count([record.seq, n]))) === 0;
}

export async function readOctets(store, seq) {
  const records = await store.db.read(["parts"], (stores) => readParts(stores, seq));
  return new Uint8Array(await new Blob(records.map(({ octets }) => octets)).arrayBuffer());
}

// Deleting on this device, and putting back. Row, preview and count of unread ones change together or not at all. `seen` keeps the id: a copy
// that the relay delivers again stays away.

const NO_MESSAGE = { seq: 0, at: 0, text: "", direction: "" };

/** Only if `may(record)`. Returns the record for `restoreMessage`, with the `parts` of its file; or null. */
export async function removeMessage(store, seq, may = () => true) {
  const removed = await store.db.write(["contacts", "messages", "parts"], async ({ contacts, messages, parts }) => {
    const record = await result(messages.get(seq));
    if (!record || !may(record)) return null;
    const kept = record.file && { parts: await readParts({ parts }, seq) };
    deleteParts({ parts }, seq);
    const known = await result(contacts.get(record.contact));
    const unread = known && (await isUnread(messages, record, known.unread)) ? known.unread - 1 : known?.unread;
    messages.delete(seq);
    return { record: { ...record, ...kept }, contact: known && (await putLatest(contacts, messages, { ...known, unread, failed: failedWith(known, { seq }) })) };
  });
  if (!removed) return null;
  const { record, contact } = removed;
  store.emit("message-removed", { seq, contact: record.contact });
  if (contact) store.emitContact(contact);
  await store.emitUnread();
  return record;
}

/** Into the queue what was queued. False where its thread was removed or replaced meanwhile. */
export async function restoreMessage(store, { parts: octets = [], ...record }) {
  const contact = await store.db.write(["contacts", "messages", "parts"], async ({ contacts, messages, parts }) => {
    const known = await result(contacts.get(record.contact));
    if (!known || (await result(messages.count(record.seq)))) return null;
    messages.add(record.state === "queued" ? { ...record, claimed_until: 0 } : record);
    for (const part of octets) parts.put(part);
    return putLatest(contacts, messages, { ...known, failed: failedWith(known, record) });
  });
  if (!contact) return false;
  store.emit("message-restored", { message: toMessage(record) });
  store.emitContact(contact);
  return true;
}

/** The newest are unread, as many as are counted. */
async function isUnread(messages, { contact, seq, direction }, count) {
  if (direction !== "in") return false;
  const newer = messages.index("thread").openCursor(IDBKeyRange.bound([contact, seq], [contact, []], true), "prev");
  let received = 0;
  for (let cursor = await result(newer); cursor && received < count; cursor = await next(cursor, newer)) {
    if (cursor.value.direction === "in") received += 1;
  }
  return received < count;
}

function next(cursor, request) {
  cursor.continue();
  return result(request);
}

async function putLatest(contacts, messages, contact) {
  const latest = await result(messages.index("thread").openCursor(everythingOf(contact.fingerprint), "prev"));
  const changed = withLatest(contact, latest?.value ?? NO_MESSAGE);
  contacts.put(changed);
  return changed;
}
