/** Searching the whole history. Loaded by the store when somebody first searches. */
import { result } from "./database.js";
import { toMessage } from "./messages.js";

const BATCH = 2000;
const PAGE = 50;
const MOST_CHARACTERS_KEPT = 8_000_000;

/**
 * Full-text search by scanning. Reading is what costs, so the texts of one scan serve the next keystrokes, up to a bound and
 * until anything is stored or removed; the matching seqs of the last question serve its next pages.
 */
export class Search {
  #db;
  #texts = null;
  #asked = null;
  #seqs = [];
  #era = 0; // a scan that began before the last change is not kept

  constructor(db) {
    this.#db = db;
  }

  /** Anything stored or removed makes what is kept wrong. */
  forget() {
    this.#era += 1;
    this.#texts = null;
    this.#asked = null;
    this.#seqs = [];
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
    if (this.#asked === asked) return this.#seqs;
    const era = this.#era;
    const seqs = await this.#scan(wanted, contact);
    if (era !== this.#era) return seqs;
    this.#asked = asked;
    this.#seqs = seqs;
    return seqs;
  }

  async #scan(wanted, contact) {
    if (wanted === "" && !contact) return this.#db.read(["messages"], ({ messages }) => result(messages.getAllKeys()));
    const seqs = [];
    const collect = (row) => {
      if ((!contact || row.contact === contact) && row.text.includes(wanted)) seqs.push(row.seq);
    };
    if (this.#texts) this.#texts.forEach(collect);
    else await this.#readTexts(collect);
    return seqs;
  }

  /** Hands every message's `{seq, contact, text}` (lower case) to `collect`, and keeps them where they are not too many. */
  async #readTexts(collect) {
    const era = this.#era;
    let texts = [];
    let characters = 0;
    await eachMessage(this.#db, ({ seq, contact, text }) => {
      const row = { seq, contact, text: text.toLowerCase() };
      collect(row);
      characters += text.length;
      if (characters > MOST_CHARACTERS_KEPT) texts = null;
      texts?.push(row);
    });
    if (era === this.#era) this.#texts = texts;
  }

  #load(seqs) {
    return this.#db.read(["messages"], async ({ messages }) => {
      const rows = await Promise.all(seqs.map((seq) => result(messages.get(seq))));
      return rows.filter(Boolean).map(toMessage);
    });
  }
}

/** Calls `visit` with every stored message, by seq, a batch in memory at a time. */
function eachMessage(db, visit) {
  return db.read(["messages"], async ({ messages }) => {
    for (let last = 0, rows; rows === undefined || rows.length === BATCH; last = rows.at(-1)?.seq) {
      rows = await result(messages.getAll(IDBKeyRange.lowerBound(last, true), BATCH));
      rows.forEach(visit);
    }
  });
}
