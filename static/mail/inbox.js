/**
 * One relay's incoming mail: fetch → verify → open → store → acknowledge. The cursor moves in the transaction that stores the page, so
 * nothing is skipped; what was seen is dropped there, so fetching again is safe.
 */
import { openMail } from "../protocol/envelope2.js";
import { AnswerTooLargeError, OutdatedTabError } from "../protocol/errors.js";
import { getMessages } from "../relay/api.js";
import { ALL_STORES, result } from "../store/database.js";
import { takenOver } from "../store/identity.js";
import { UNREAD_RELAY } from "../store/store.js";
import { Erasure } from "./erasure.js";
import { Page } from "./page.js";
import { findMessage, tellChanged } from "./references.js";

const PAGE_ROWS = 50;
const MOST_PAGES = 200; // then the next poll goes on: a `more` that never ends can't keep this device busy
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

  /** `reading()` → a function: the Set of fingerprints on screen in any tab at its call. */
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
   * `hinted_id` at or below the cursor and never seen: the relay counts anew (an older copy of its database was restored) and is read from
   * its start, or mail would be skipped.
   */
  async drain(hinted_id = Infinity) {
    const { cursor } = await this.#record();
    const restarted = hinted_id <= cursor && !this.#recent.has(hinted_id);
    const read = await this.#readPages(restarted ? await this.#startOver(hinted_id) : cursor);
    if (read && this.#settings.get("erase_on_relay")) await this.#erasure.throughCursor();
    this.#erasure.run();
  }

  /** Hints of mail that does not open look the same: they must not have the whole mailbox fetched for each. */
  async #startOver(hinted_id) {
    if (performance.now() < this.#start_over_at) return hinted_id - 1;
    this.#start_over_at = performance.now() + START_OVER_EVERY_MS;
    await this.#store.putRelay(this.#origin, UNREAD_RELAY, { only_known: true });
    return UNREAD_RELAY.cursor;
  }

  /** False: nothing new. Only what is read right now is erased: a cursor from before may be ahead of ids that began anew. */
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

  /** A page larger than this device takes is asked for row by row. */
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
   * False when it no longer follows on what is stored. Only ids of mail that opened are remembered: the others may be made up, and the hint
   * of the true one must count.
   */
  async #keep(rows, after_id) {
    const person = { reading: this.#reading, receipts: this.#settings.get("receipts"), home: this.#settings.get("home") };
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

// Messages, the record that they were seen, contacts and cursor go in one transaction: power loss leaves all of a page or none, and the
// cursor never runs ahead.

const BLOCKED_KEPT = 10_000; // to be erased, as many as a mailbox holds

/**
 * `rows`: getMessages's after `after_id`. `receipts`: whether the person gives and sees receipts of reading; `home`: my home relay. →
 * `{genuine, counted}`: row ids that opened, and how many had no thread to go to; or `{rewound: true}` when the stored cursor went back
 * meanwhile (a restored backup): the mail between would be skipped. Throws OutdatedTabError when keys were replaced or the relay was left.
 * Nothing is written then.
 */
export async function storeArrivals(store, { identity, sharedKeys, origin, rows, after_id, ...options }) {
  const mail = rows.map((row) => open(row, identity, sharedKeys));
  const reading = await options.reading(); // nothing is awaited between the commit and what is told of it
  const kept = await store.db.write(ALL_STORES, async (stores) => {
    const [relay, device] = [await currentRelay(stores, identity, origin), await result(stores.kv.get("device"))];
    if (relay.cursor < after_id) return null;
    const page = new Page(stores, { me: identity.fingerprint, device, origin, ...options, reading: reading(), taken_over: await takenOver(stores.kv, origin) });
    for (const message of mail) await page.add(message);
    const finished = await page.finish();
    stores.relays.put({ ...relay, cursor: rows.at(-1).id, ...countedBy(relay, finished) });
    return relay.cursor > after_id ? withUnheard(stores, finished, mail) : finished;
  });
  if (!kept) return { rewound: true };
  await tell(store, kept, reading());
  const genuine = mail.filter(({ kind }) => kind !== "refused").map(({ row_id }) => row_id);
  return { genuine, counted: kept.refused + kept.requests_dropped };
}

/** Blocked mail is erased later, or a fetch would have to wait for it. */
const countedBy = ({ refused, requests_dropped = 0, erase_ids = [] }, kept) => ({
  refused: refused + kept.refused,
  requests_dropped: requests_dropped + kept.requests_dropped,
  erase_ids: [...erase_ids, ...kept.blocked].slice(-BLOCKED_KEPT),
});

/** Stored before, but the commit's answer may never have come, or its tab is gone: it is told of again. */
async function withUnheard(stores, finished, mail) {
  const stored = (await Promise.all(mail.map(({ from, id }) => id && findMessage(stores, from, id, false)))).filter(Boolean);
  const senders = [...new Set(stored.map(({ contact }) => contact))].map((fingerprint) => result(stores.contacts.get(fingerprint)));
  return { ...finished, changed: [...finished.changed, ...stored], contacts: [...finished.contacts, ...(await Promise.all(senders)).filter(Boolean)] };
}

/**
 * Seen by whoever has its thread on screen, and unread else. Asked only now: the person may have left while it was being stored, and would be
 * told of it by nothing. Noted ahead of what those who are told do with it.
 */
async function tell(store, { added, changed, contacts, dropped }, reading) {
  const seen = contacts.filter(({ fingerprint, unread }) => unread > 0 && reading.has(fingerprint)).map(({ fingerprint }) => fingerprint);
  const noted = seen.length > 0 && store.noteRead(seen);
  for (const fingerprint of dropped) store.emit("contact-removed", { fingerprint });
  for (const contact of contacts) store.emitContact(seen.includes(contact.fingerprint) ? { ...contact, unread: 0 } : contact);
  if (added.length > 0) store.emit("messages", { messages: added, received: true });
  tellChanged(store, changed);
  store.emit("posts");
  await noted;
  if (contacts.length > 0) await store.emitUnread();
}

/** `at`: the time to show, no later than now. */
function open(row, identity, sharedKeys) {
  if (row.malformed) return { from: "", id: "", kind: "refused", row_id: row.id };
  const message = openMail(row, identity, sharedKeys);
  return { ...message, row_id: row.id, at: Math.min(row.created_at ?? Date.now(), Date.now()), public_key: row.sender_public_key };
}

async function currentRelay({ kv, relays }, identity, origin) {
  const [mine, relay] = await Promise.all([result(kv.get("identity")), result(relays.get(origin))]);
  if (mine?.fingerprint !== identity.fingerprint) throw new OutdatedTabError("The keys were replaced in another tab: reload this page.");
  if (!relay) throw new OutdatedTabError("This server was left in another tab.");
  return relay;
}
