/** Reading what is stored, a page at a time: however long the history, memory holds one page. */
import { result } from "./database.js";
import { everythingOf, toMessage } from "./messages.js";

const PAGE = 50;

/** `{messages ascending, older, newer}` of one thread; `before`, `after` and `around` are seqs. */
export function readThread(db, fingerprint, { before, after, around, limit = PAGE }) {
  return db.read(["messages"], async ({ messages }) => {
    const thread = messages.index("thread");
    if (after !== undefined) return upward(thread, fingerprint, after, limit);
    if (around !== undefined) return surrounding(thread, fingerprint, around, limit);
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
  return { messages: rows.slice(0, limit).map(toMessage), older: true, newer: rows.length > limit };
}

async function surrounding(thread, fingerprint, seq, limit) {
  const half = Math.ceil(limit / 2);
  const [above, below] = [await downward(thread, fingerprint, seq, half), await upward(thread, fingerprint, seq - 1, half)];
  return { messages: [...above.messages, ...below.messages], older: above.older, newer: below.newer };
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
