/** Message records: how they are kept, and how they leave the store. */
import { oneLine } from "../protocol/excerpt.js";
import { saidIn } from "../protocol/files.js";
import { result } from "./database.js";

const PREVIEW_CHARACTERS = 120;
const MOST_FAILED = 100; // that a contact's record tells of

/** The key range of one contact's messages in the index [contact, seq]. */
export const everythingOf = (fingerprint) => IDBKeyRange.bound([fingerprint], [fingerprint, []]);

/** A stored record as views get it: a copy, every field present. */
export const toMessage = (record) => ({
  seq: record.seq,
  contact: record.contact,
  relay: record.relay,
  direction: record.direction,
  kind: record.kind,
  text: record.text,
  at: record.at,
  written_at: record.written_at ?? null, // where the sender's clock differs much from `at`
  stored_at: record.stored_at ?? null, // when it came in here
  envelope_id: record.envelope_id ?? "",
  reason: record.reason ?? "",
  legacy: record.legacy ?? false,
  state: record.state ?? "",
  error: record.error ?? "",
  retriable: record.retriable ?? false,
  relay_id: record.relay_id ?? null,
  expires_at: record.expires_at ?? "",
  taken_back_at: record.taken_back_at ?? null,
  unsealed: record.unsealed ?? false, // sealed with the address key only, though the contact's client knows better
  event: record.event ?? "", // a line that nobody wrote: "device", "verified-device", "own-device", "unopened", "impostor", "timer" with `lasts`, or what was refused with `reason`
  delivered_at: record.delivered_at ?? null,
  read_at: record.read_at ?? null,
  re: record.re ?? null, // {of, quote, mine}: the message that is answered, by envelope_id
  edited_at: record.edited_at ?? null,
  deleted_at: record.deleted_at ?? null,
  reactions: (record.reactions ?? []).filter(({ emoji }) => emoji).map(({ by, emoji }) => ({ by, emoji })), // by: fingerprint
  file: record.file ?? null, // see store/parts.js
  lasts: record.lasts ?? 0, // seconds; 0: for ever
  gone_at: record.gone_at ?? null, // ms, once the timer runs
});

/** A line of a contact's thread that nobody wrote: `event` is `{event, at, …}`. */
export const lineOf = ({ fingerprint, relay }, event) => ({
  contact: fingerprint, relay, direction: "in", kind: "unknown", text: "", stored_at: Date.now(), ...event,
});

/** A message whose file has come, or never will: where it was read before that, its timer begins. */
export const withTimer = (record, now = Date.now()) => (record.was_read && record.lasts && !record.gone_at ? { ...record, gone_at: now + record.lasts * 1000 } : record);

/** What the list of chats shows of a message: its words, without the signs of marks. */
const preview = (message) => oneLine(saidIn(message), PREVIEW_CHARACTERS);

/** The contact record with this message as its latest. */
export const withLatest = (contact, message) => ({
  ...contact,
  last_seq: message.seq,
  last_at: message.at,
  last_text: message.deleted_at ? "Deleted" : preview(message),
  last_direction: message.direction,
  last_state: (message.state === "relayed" && message.file?.sent < message.file?.parts && "queued") || (message.read_at && "read") || (message.delivered_at && "delivered") || (message.state ?? ""),
});

/** A contact's `failed`: `{seq, text}` of each message that could not be sent, which the list tells before all else; with this one as it is now. */
export const failedWith = ({ failed = [] }, message) => {
  const others = failed.filter(({ seq }) => seq !== message.seq);
  return message.state === "failed" ? [...others, { seq: message.seq, text: preview(message) }].slice(-MOST_FAILED) : others;
};

/** The contact record with one of its messages as that is now. */
export const withChanged = (contact, message) => ({ ...(message.seq === contact.last_seq ? withLatest(contact, message) : contact), failed: failedWith(contact, message) });

/** Whether a contact who writes is in the list of chats: who is muted stays in the archive. */
export const isListed = ({ open, muted }) => open || !muted;

// Reading what is stored, a page at a time: however long the history, memory holds one page.

const PAGE = 50;

/**
 * `{messages ascending, older, newer}` of one thread; `before`, `after` and `around` are seqs, `after: -Infinity` is its beginning.
 * With `unread`, how many are, the page has the first of them, and its seq is `first`.
 */
export function readThread(db, fingerprint, { before, after, around, unread, limit = PAGE }) {
  return db.read(["messages"], async ({ messages }) => {
    const thread = messages.index("thread");
    if (after !== undefined) return upward(thread, fingerprint, after, limit);
    if (around !== undefined) return surrounding(thread, fingerprint, around, limit);
    if (unread) return fromUnread(thread, fingerprint, unread, limit);
    return downward(thread, fingerprint, before ?? Infinity, limit);
  });
}

async function downward(thread, fingerprint, before, limit) {
  const range = IDBKeyRange.bound([fingerprint], [fingerprint, before], false, true);
  const rows = await collect(thread.openCursor(range, "prev"), limit + 1);
  const page = rows.slice(0, limit).reverse().map(toMessage);
  return { messages: page, older: rows.length > limit, newer: before !== Infinity };
}

async function upward(thread, fingerprint, after, limit) {
  const range = IDBKeyRange.bound([fingerprint, after], [fingerprint, []], true);
  const rows = await result(thread.getAll(range, limit + 1));
  return { messages: rows.slice(0, limit).map(toMessage), older: after !== -Infinity, newer: rows.length > limit };
}

async function surrounding(thread, fingerprint, seq, limit) {
  const half = Math.ceil(limit / 2);
  const [above, below] = [await downward(thread, fingerprint, seq, half), await upward(thread, fingerprint, seq - 1, half)];
  return { messages: [...above.messages, ...below.messages], older: above.older, newer: below.newer };
}

/** The newest page where the first of `unread` messages is on it, else the one around it. That one's seq is `first`. */
async function fromUnread(thread, fingerprint, unread, limit) {
  const first = await firstUnread(thread, fingerprint, unread);
  const newest = await downward(thread, fingerprint, Infinity, limit);
  const has = first === null || newest.messages[0].seq <= first;
  return { ...(has ? newest : await surrounding(thread, fingerprint, first, limit)), first };
}

/** Unread are a contact's newest messages, as many as are counted. */
async function firstUnread(thread, fingerprint, unread) {
  const walk = thread.openCursor(everythingOf(fingerprint), "prev");
  let [first, left] = [null, unread];
  for (let cursor = await result(walk); cursor && left > 0; cursor.continue(), cursor = await result(walk)) {
    if (cursor.value.direction === "in") [first, left] = [cursor.value.seq, left - 1];
  }
  return first;
}

function collect(request, limit) {
  const rows = [];
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const cursor = request.result;
      if (cursor) rows.push(cursor.value);
      if (!cursor || rows.length === limit) resolve(rows);
      else cursor.continue();
    };
  });
}
