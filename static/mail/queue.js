/** The outbox's rows: queued until the relay has them, in the store of all history; and whose turn it is. */
import { contentOf, isPlain } from "../protocol/content.js";
import { PART_BYTES } from "../protocol/files.js";
import { uploadMs } from "../relay/http.js";
import { newContact } from "../store/contacts.js";
import { result } from "../store/database.js";
import { answersKey } from "../store/indexed-db.js";
import { failedWith, removeMessage, toMessage, withLatest } from "../store/messages.js";
import { copyToMine } from "./posts.js";

const UNSENT = ["queued", "failed"];
const CLAIM_MS = 40_000; // longer than a request may take

/**
 * The thread's draft goes in the same transaction where `was_draft`. Committed within this call: whatever becomes of the page, one of the two
 * is kept, and never both. `envelope_id` and `at` stay the same over every retry.
 */
export async function enqueue(store, { was_draft = true, ...written }) {
  const queued = { state: "queued", queued_for: written.contact };
  const record = { direction: "out", kind: "text", at: Date.now(), ...written, ...queued };
  record.seq = await store.db.write(["drafts", "messages"], ({ drafts, messages }) => {
    const added = result(messages.add(record));
    if (was_draft) drafts.delete(record.contact);
    if (was_draft && record.re) drafts.delete(answersKey(record.contact));
    messages.transaction.commit();
    return added;
  });
  store.emit("messages", { messages: [toMessage(record)], received: false });
  leadThread(store, record).catch((error) => console.warn("The list of threads shows this message when it is sent:", error));
  return toMessage(record);
}

/** A commit at once can't hold this, for the contact has to be read before: `settle` makes up for it. */
export async function leadThread(store, record) {
  const changed = await store.db.note(["contacts"], ({ contacts }) => putLatest(contacts, record));
  if (changed) store.emitContact(changed);
}

/** Who is answered is no stranger any more, though a message of theirs was stored behind the answer. */
export async function putLatest(contacts, record) {
  const known = (await result(contacts.get(record.contact))) ?? newContact(record.contact, { relay: record.relay });
  const isLatest = record.seq >= known.last_seq;
  const wasFailed = (known.failed ?? []).some(({ seq }) => seq === record.seq);
  if (!isLatest && !known.request && wasFailed === (record.state === "failed")) return null;
  const answered = { ...known, open: true, request: false, failed: failedWith(known, record) };
  const changed = isLatest ? withLatest(answered, record) : answered;
  contacts.put(changed);
  return changed;
}

export function waitingContacts(store) {
  return store.db.read(["messages", "posts"], async ({ messages, posts }) => {
    const found = new Set();
    for (const index of [messages.index("queued"), posts.index("queued")]) {
      for (let next = await firstAfter("", index); next; next = await firstAfter(next.key, index)) found.add(next.key);
    }
    return found;
  });
}

const firstAfter = (contact, index) => result(index.openKeyCursor(IDBKeyRange.lowerBound(contact, true)));

export async function movingContacts(store) {
  const keys = await store.db.read(["messages"], async ({ messages }) => {
    const found = [];
    const walk = messages.index("moving").openKeyCursor(IDBKeyRange.bound("to ", "to!"), "nextunique");
    for (let cursor = await result(walk); cursor; cursor.continue(), cursor = await result(walk)) found.push(cursor.key);
    return found;
  });
  return keys.map((key) => key.slice(3));
}

/**
 * `{record}`: the oldest message, and after all of these the oldest `{post}`, claimed for `tab`; `{claimed_elsewhere: true}`; or `{due_at}`
 * of the next post. Those in `too_slow` (seqs) come last. What v1 can't say waits until a device of the contact is known. A claim keeps two
 * tabs without Web Locks from sending the same at once; it lapses, so a closed tab holds nothing up.
 */
export function claimNext(store, contact, tab, too_slow, now = Date.now()) {
  return store.db.write(["messages", "posts", "sessions"], async ({ messages, posts, sessions }) => {
    const isHeardOf = (await result(sessions.get(contact)))?.devices.length > 0;
    const record = await nextMessage(messages, contact, too_slow, isHeardOf);
    if (record) return claim(messages, "record", record, record.text.length, tab, now);
    const queued = (await result(posts.index("queued").getAll(contact))).filter(({ content }) => isHeardOf || content.type === "hello");
    const due = queued.find(({ after, content }) => after <= now && content.type !== "part") ?? queued.find(({ after }) => after <= now);
    if (due) return claim(posts, "post", due, JSON.stringify(due.content).length, tab, now);
    return { due_at: Math.min(...queued.map(({ after }) => after), Infinity) };
  });
}

async function nextMessage(messages, contact, too_slow, isHeardOf) {
  const seqs = await result(messages.index("queued").getAllKeys(contact));
  for (const seq of [...seqs.filter((each) => !too_slow.has(each)), ...seqs.filter((each) => too_slow.has(each))]) {
    const record = await result(messages.get(seq));
    if (isHeardOf || isPlain(record)) return record;
  }
  return null;
}

/** Of the oldest file on its way: `{record, octets}` with its next part; or as claimNext. */
export function claimPart(store, contact, tab, now = Date.now()) {
  return store.db.write(["messages", "parts"], async ({ messages, parts }) => {
    const record = await result(messages.index("moving").get(`to ${contact}`));
    if (!record) return {};
    const part = await result(parts.get([record.seq, record.file.sent]));
    return { ...claim(messages, "record", record, 2 * PART_BYTES, tab, now), octets: part.octets };
  });
}

function claim(store, name, record, characters, tab, now) {
  const claim_ms = CLAIM_MS + uploadMs(characters);
  const lapses_in = (record.claimed_until ?? 0) - now; // longer than a claim: the clock was set back
  if (lapses_in > 0 && lapses_in <= claim_ms && record.claimed_by !== tab) return { claimed_elsewhere: true };
  const claimed = { ...record, claimed_by: tab, claimed_until: now + claim_ms };
  store.put(claimed);
  return { [name]: claimed };
}

/** Undefined where it has none; null where their file was deleted. */
export async function octetsOf(store, { seq, content }) {
  if (seq === undefined) return undefined;
  return (await store.db.read(["parts"], ({ parts }) => result(parts.get([seq, content.n ?? 0]))))?.octets ?? null;
}

export async function requeue(store, seq) {
  const record = await store.db.read(["messages"], ({ messages }) => result(messages.get(seq)));
  if (record?.state === "failed" && record.file?.sent > 0) await goOn(store, record);
  else if (record?.state === "failed") await settle(store, record, { state: "queued" });
}

/**
 * If it is still as it was: its thread may have been removed, or a backup restored, in which its seq is another message's. Tells every tab.
 * What a relay has is copied to the other devices of `me`.
 */
export async function settle(store, { seq, envelope_id }, fields, me = "") {
  const [changed, contact] = await store.db.write(["contacts", "messages", "posts", "sessions"], async ({ contacts, messages, ...stores }) => {
    const record = await result(messages.get(seq));
    if (record?.direction !== "out" || record.envelope_id !== envelope_id || record.state === "relayed") return [];
    const next = { ...record, error: "", retriable: false, ...fields, claimed_until: 0 };
    next.queued_for = next.state === "queued" ? next.contact : undefined;
    if (next.queued_for === undefined) delete next.queued_for; // out of the index
    if (next.state === "relayed") next.sent_at = Date.now();
    if (next.state === "relayed" && next.file) begin(next);
    if (next.state === "relayed" && next.lasts && !next.moving) next.gone_at = Date.now() + next.lasts * 1000;
    messages.put(next);
    if (next.state === "relayed") await copyToMine(stores, me, { id: envelope_id, at: next.at, content: contentOf(next), contact: next.contact, ...(next.file && { seq }) });
    return [next, await putLatest(contacts, next)];
  });
  if (changed) store.emit("message", { message: toMessage(changed) });
  if (contact) store.emitContact(contact);
}

async function goOn(store, { seq }) {
  const [changed, contact] = await store.db.write(["contacts", "messages"], async ({ contacts, messages }) => {
    const record = await result(messages.get(seq));
    if (record?.state !== "failed" || !record.file) return [];
    const next = { ...record, state: "relayed", error: "", retriable: false, moving: `to ${record.contact}` };
    messages.put(next);
    return [next, await putLatest(contacts, next)];
  });
  if (changed) store.emit("message", { message: toMessage(changed) });
  if (contact) store.emitContact(contact);
}

function begin(record) {
  record.file = { ...record.file, sent: 1 };
  if (record.file.parts > 1) record.moving = `to ${record.contact}`;
}

/** Never sent. The list then shows the one before it. */
export const discard = (store, seq) => removeMessage(store, seq, ({ state }) => UNSENT.includes(state));
