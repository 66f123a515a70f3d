/** Reading what is stored, a page at a time: however long the history, memory holds one page. */
import { result } from "./database.js";
import { everythingOf, toMessage } from "./messages.js";

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
