/** Searching the whole history. Loaded by the store when somebody first searches. */
import { result } from "./database.js";
import { fold } from "../protocol/fold.js";
import { toMessage } from "./messages.js";

const BATCH = 2000;
const PAGE = 50;
const MOST_CHARACTERS_KEPT = 8_000_000;

/**
 * Full-text search by scanning. Reading is what costs, so the texts of one reading serve the next keystrokes, up to a bound and
 * until anything is stored or removed; the matching seqs of the last question serve its next pages.
 */
export class Search {
  #db;
  #texts = null; // a promise of every message's {seq, contact, text}, or of null where they are too many to keep
  #asked = null;
  #seqs = [];
  #era = 0; // the answer to a question from before the last change is not kept

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
    const seqs = await this.#matches(fold(text.trim()), contact);
    const newest_first = seqs.filter((seq) => seq < before).slice(-limit).reverse();
    const messages = await this.#load(newest_first);
    if (!text) this.#readAhead();
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
    const texts = await this.#readTexts();
    if (texts) texts.forEach(collect);
    else await eachMessage(this.#db, (message) => collect(searchable(message)));
    return seqs;
  }

  /** Whoever looks at all history may search it next. */
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

const searchable = ({ seq, contact, text }) => ({ seq, contact, text: fold(text) });

/** Every message's searchable part, or null where they are too many to keep. */
async function readTexts(db) {
  const texts = [];
  let characters = 0;
  await eachMessage(db, (message) => {
    characters += message.text.length;
    if (characters <= MOST_CHARACTERS_KEPT) texts.push(searchable(message));
  });
  return characters <= MOST_CHARACTERS_KEPT ? texts : null;
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
