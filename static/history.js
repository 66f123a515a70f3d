/** Reading what is stored, a page at a time: however long the history, memory holds one page (and the seqs of one search). */
import { result } from "./database.js";
import { everythingOf, toMessage } from "./messages.js";

const BATCH = 2000;
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

/** Full-text search by scanning. The matching seqs of the last question are kept, so that paging does not scan again. */
export class Search {
  #db;
  #asked = "";
  #seqs = null;

  constructor(db) {
    this.#db = db;
  }

  /** Anything stored or removed makes the kept answer wrong. */
  forget() {
    this.#seqs = null;
  }

  async page(text, { before = Infinity, limit = PAGE, contact } = {}) {
    const seqs = await this.#matches(text.trim().toLowerCase(), contact);
    const newest_first = seqs.filter((seq) => seq < before).slice(-limit).reverse();
    const messages = await this.#load(newest_first);
    const last = newest_first.at(-1);
    return { messages, older: last !== undefined && seqs[0] < last ? last : null, total: seqs.length };
  }

  async #matches(wanted, contact) {
    const asked = `${contact ?? ""} ${wanted}`;
    if (this.#seqs && this.#asked === asked) return this.#seqs;
    const seqs = await this.#scan(wanted, contact);
    this.#asked = asked;
    this.#seqs = seqs;
    return seqs;
  }

  #scan(wanted, contact) {
    const matches = (row) => (!contact || row.contact === contact) && (wanted === "" || row.text.toLowerCase().includes(wanted));
    return this.#db.read(["messages"], async ({ messages }) => {
      if (wanted === "" && !contact) return result(messages.getAllKeys());
      const seqs = [];
      for (let last = 0, rows; rows === undefined || rows.length === BATCH; last = rows.at(-1)?.seq) {
        rows = await result(messages.getAll(IDBKeyRange.lowerBound(last, true), BATCH));
        for (const row of rows) if (matches(row)) seqs.push(row.seq);
      }
      return seqs;
    });
  }

  #load(seqs) {
    return this.#db.read(["messages"], async ({ messages }) => {
      const rows = await Promise.all(seqs.map((seq) => result(messages.get(seq))));
      return rows.filter(Boolean).map(toMessage);
    });
  }
}
