/** Reading and searching. A thread is read a page at a time: memory holds one however long the history is. */
import { fold } from "../protocol/text.js";
import { safeName } from "../protocol/files.js";
import { result } from "./database.js";
import { everythingOf, toMessage } from "./messages.js";

const PAGE = 50;

/**
 * → `{messages ascending, older, newer}`; `before`, `after` and `around` are seqs, `after: -Infinity` is the beginning. With `unread`, how
 * many are, the page has the first of them, whose seq is `first`.
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

/** The newest page where the first unread is on it, else the one around that. */
async function fromUnread(thread, fingerprint, unread, limit) {
  const first = await firstUnread(thread, fingerprint, unread);
  const newest = await downward(thread, fingerprint, Infinity, limit);
  const has = first === null || newest.messages[0].seq <= first;
  return { ...(has ? newest : await surrounding(thread, fingerprint, first, limit)), first };
}

/** A contact's newest are unread, as many as are counted. */
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

const BATCH = 2000;
const MOST_CHARACTERS_KEPT = 8_000_000;

/**
 * By scanning. Reading costs most, so the texts of one reading serve the next keystrokes, up to a bound and until anything is stored or
 * removed; the seqs of the last question serve its next pages.
 */
export class Search {
  #db;
  #texts = null; // a promise of all {seq, contact, direction, at, text}, or of null where they are too many
  #asked = null;
  #seqs = [];
  #era = 0; // an answer from before the last change is not kept

  constructor(db) {
    this.#db = db;
  }

  forget() {
    this.#era += 1;
    this.#texts = null;
    this.#asked = null;
    this.#seqs = [];
  }

  /** `direction`: "in" or "out"; `since`, `until`: ms since 1970, the latter not included. */
  async page(text, { before = Infinity, limit = PAGE, contact = "", direction = "", since = -Infinity, until = Infinity } = {}) {
    const seqs = await this.#matches({ wanted: fold(text.trim()), contact, direction, since, until });
    const newest_first = seqs.filter((seq) => seq < before).slice(-limit).reverse();
    const messages = await this.#load(newest_first);
    if (!text) this.#readAhead();
    const last = newest_first.at(-1);
    return { messages, older: last !== undefined && seqs[0] < last ? last : null, total: seqs.length };
  }

  /** Ascending. Without a text it only reads ahead. */
  async matches(text, contact) {
    const wanted = fold(text.trim());
    if (wanted) return this.#matches({ wanted, contact, direction: "", since: -Infinity, until: Infinity });
    this.#readAhead();
    return [];
  }

  async #matches(question) {
    const asked = Object.values(question).join(" ");
    if (this.#asked === asked) return this.#seqs;
    const era = this.#era;
    const seqs = await this.#scan(question);
    if (era !== this.#era) return seqs;
    this.#asked = asked;
    this.#seqs = seqs;
    return seqs;
  }

  async #scan({ wanted, contact, direction, since, until }) {
    const all = wanted === "" && !contact && !direction && since === -Infinity && until === Infinity;
    if (all) return this.#db.read(["messages"], ({ messages }) => result(messages.getAllKeys()));
    const seqs = [];
    const collect = (row) => {
      const isAsked = (!contact || row.contact === contact) && (!direction || row.direction === direction) && row.at >= since && row.at < until;
      if (isAsked && row.text.includes(wanted)) seqs.push(row.seq);
    };
    const texts = await this.#readTexts();
    if (texts) texts.forEach(collect);
    else await eachMessage(this.#db, (message) => collect(searchable(message)));
    return seqs;
  }

  /** Who looks at all history may search it next. */
  #readAhead() {
    this.#readTexts().catch((error) => console.debug("Not read ahead:", error.message));
  }

  #readTexts() {
    this.#texts ??= readTexts(this.#db).catch((error) => {
      this.#texts = null;
      throw error;
    });
    return this.#texts;
  }

  #load(seqs) {
    return this.#db.read(["messages"], async ({ messages }) => {
      const rows = await Promise.all(seqs.map((seq) => result(messages.get(seq))));
      return rows.filter(Boolean).map(toMessage);
    });
  }
}

const searchable = ({ seq, contact, direction, at, text, file }) => ({ seq, contact, direction, at, text: fold(file ? `${text} ${safeName(file.name)}` : text) });

/** Null where they are too many to keep. */
async function readTexts(db) {
  const texts = [];
  let characters = 0;
  await eachMessage(db, (message) => {
    characters += message.text.length;
    if (characters <= MOST_CHARACTERS_KEPT) texts.push(searchable(message));
  });
  return characters <= MOST_CHARACTERS_KEPT ? texts : null;
}

function eachMessage(db, visit) {
  let last = 0; // outside: a reading that was cut off goes on from there
  return db.read(["messages"], async ({ messages }) => {
    for (let rows; rows === undefined || rows.length === BATCH; last = rows.at(-1)?.seq) {
      rows = await result(messages.getAll(IDBKeyRange.lowerBound(last, true), BATCH));
      rows.forEach(visit);
    }
  });
}
