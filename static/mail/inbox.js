/**
 * One relay's incoming mail: fetch → verify → open → store → acknowledge. The cursor moves in the transaction that stores
 * the page, so nothing is skipped; what was seen is dropped there, so fetching again is always safe.
 */
import { getMessages } from "../relay/api.js";
import { storeArrivals } from "./arrivals.js";
import { Erasure } from "./erasure.js";
import { AnswerTooLargeError } from "../protocol/errors.js";
import { UNREAD_RELAY } from "../store/store.js";

const PAGE_ROWS = 50;
const MOST_PAGES = 200; // then the next poll goes on: a relay whose `more` never ends can't keep this device busy
const RECENT_IDS = 512;
const START_OVER_EVERY_MS = 600_000;

export class Inbox {
  #origin;
  #store;
  #relays;
  #identity;
  #sharedKeys;
  #settings;
  #reading;
  #erasure;
  #recent = new Set();
  #start_over_at = -Infinity;

  /** `reading()` resolves to a Set of the fingerprints of the threads on screen in any tab. */
  constructor({ origin, store, relays, identity, sharedKeys, settings, reading }) {
    this.#origin = origin;
    this.#store = store;
    this.#relays = relays;
    this.#identity = identity;
    this.#sharedKeys = sharedKeys;
    this.#settings = settings;
    this.#reading = reading;
    this.#erasure = new Erasure({ origin, store, relays });
  }

  /**
   * Stores everything new. `hinted_id` at or below the cursor and never seen here means that the relay began counting
   * anew (an older copy of its database was restored): it is then read from its start, or mail would be skipped.
   */
  async drain(hinted_id = Infinity) {
    const { cursor } = await this.#record();
    const restarted = hinted_id <= cursor && !this.#recent.has(hinted_id);
    const read = await this.#readPages(restarted ? await this.#startOver(hinted_id) : cursor);
    if (read && this.#settings.get("erase_on_relay")) await this.#erasure.throughCursor();
    this.#erasure.run();
  }

  /** Where to read from. Hints of mail that does not open look the same: they must not have the whole mailbox fetched for each. */
  async #startOver(hinted_id) {
    if (performance.now() < this.#start_over_at) return hinted_id - 1;
    this.#start_over_at = performance.now() + START_OVER_EVERY_MS;
    await this.#store.putRelay(this.#origin, UNREAD_RELAY, { only_known: true });
    return UNREAD_RELAY.cursor;
  }

  /** False where there was nothing new. Only what is read right now is erased: a cursor from before may be ahead of ids that began anew. */
  async #readPages(cursor) {
    const before = cursor;
    for (let page = 0, more = true; more && page < MOST_PAGES; page += 1) {
      const answer = await this.#fetch(cursor);
      if (answer.messages.length === 0) break;
      const follows = await this.#keep(answer.messages, cursor);
      cursor = follows ? answer.messages.at(-1).id : (await this.#record()).cursor;
      more = answer.more || !follows;
    }
    return cursor !== before;
  }

  /** One page; a page larger than this device takes is asked for again row by row. */
  async #fetch(after_id) {
    try {
      return await this.#page(after_id, PAGE_ROWS);
    } catch (error) {
      if (error instanceof AnswerTooLargeError) return this.#page(after_id, 1);
      throw error;
    }
  }

  #page(after_id, limit) {
    return this.#relays.authorized(this.#origin, (token) => getMessages(this.#origin, token, { after_id, limit }));
  }

  /**
   * Stores a page; false when it no longer follows on what is stored. Only the ids of mail that opened are remembered: the others
   * may be made up, and the hint of the true one must still count.
   */
  async #keep(rows, after_id) {
    const person = { reading: await this.#reading(), receipts: this.#settings.get("receipts"), home: this.#settings.get("home") };
    const parts = { identity: this.#identity, sharedKeys: this.#sharedKeys, origin: this.#origin, ...person };
    const { rewound, genuine, counted } = await storeArrivals(this.#store, { ...parts, rows, after_id });
    if (rewound) return false;
    if (counted) this.#relays.changed(this.#origin);
    for (const id of genuine) this.#remember(id);
    return true;
  }

  #remember(id) {
    this.#recent.add(id);
    if (this.#recent.size > RECENT_IDS) this.#recent.delete(this.#recent.values().next().value);
  }

  #record() {
    return this.#relays.record(this.#origin);
  }
}
