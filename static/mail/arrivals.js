/**
 * Opens and writes what an inbox fetched. Messages, the record that they were seen, their contacts and the relay's cursor go in one
 * transaction: power loss leaves either all of a page or none of it, and the cursor never runs ahead of the mail.
 */
import { result } from "../store/database.js";
import { openEnvelope } from "../protocol/envelope.js";
import { OutdatedTabError } from "../protocol/errors.js";
import { toMessage, withLatest } from "../store/messages.js";
import { reviewNames } from "../store/namesakes.js";
import { newContact } from "../store/store.js";
import { isKnown, seqAmong, takenOver, wasRead } from "../store/taken-over.js";
import { counting, dropSurplus, fits } from "./strangers.js";

const LATE_MS = 60 * 60_000; // what waited longer in an outbox, or has a clock that is wrong by more, says when it was written
const REFUSED_KEPT = 100; // a contact: a hostile relay must not fill the disk with refusals
const BLOCKED_KEPT = 10_000; // ids that still are to be erased, as many as a mailbox holds

/**
 * `rows`: what getMessages gave after `after_id`. `reading`: fingerprints of threads on screen, which gain no unread mark. Returns
 * `{genuine, counted}`: the row ids that opened, and how many rows had no thread to go to and are only counted in the relay's record;
 * or `{rewound: true}` when the stored cursor went back meanwhile (a restored backup): the page is dropped, or the mail between would
 * be skipped. Throws OutdatedTabError when the keys were replaced or the relay was left meanwhile. Nothing is written then.
 */
export async function storeArrivals(store, { identity, sharedKeys, origin, rows, after_id, reading }) {
  const opened = rows.map((row) => open(row, identity, sharedKeys));
  const names = ["kv", "contacts", "drafts", "messages", "seen", "relays"];
  const kept = await store.db.write(names, async (stores) => {
    const relay = await currentRelay(stores, identity, origin);
    if (relay.cursor < after_id) return null;
    const page = new Page(stores, { origin, reading, taken_over: await takenOver(stores.kv, origin) });
    for (const message of opened) await page.add(message);
    const finished = await page.finish();
    stores.relays.put({ ...relay, cursor: rows.at(-1).id, ...countedBy(relay, finished) });
    return finished;
  });
  if (!kept) return { rewound: true };
  await tell(store, kept);
  const genuine = opened.filter(({ kind }) => kind !== "refused").map(({ row_id }) => row_id);
  return { genuine, counted: kept.refused + kept.requests_dropped };
}

/** The relay's counts, and its list of blocked mail: that is erased later, or a fetch would have to wait for it. */
const countedBy = ({ refused, requests_dropped = 0, erase_ids = [] }, kept) => ({
  refused: refused + kept.refused,
  requests_dropped: requests_dropped + kept.requests_dropped,
  erase_ids: [...erase_ids, ...kept.blocked].slice(-BLOCKED_KEPT),
});

async function tell(store, { added, contacts, dropped }) {
  for (const fingerprint of dropped) store.emit("contact-removed", { fingerprint });
  for (const contact of contacts) store.emitContact(contact);
  if (added.length > 0) store.emit("messages", { messages: added, received: true });
  if (contacts.length > 0) await store.emitUnread();
}

/** What openEnvelope gave, with the row's id, the time to show (no later than now) and the sender's key. */
function open(row, identity, sharedKeys) {
  if (row.malformed) return { from: "", id: "", kind: "refused", row_id: row.id };
  const message = openEnvelope(row, identity, sharedKeys);
  return { ...message, row_id: row.id, at: Math.min(row.created_at ?? Date.now(), Date.now()), public_key: row.sender_public_key };
}

async function currentRelay({ kv, relays }, identity, origin) {
  const [mine, relay] = await Promise.all([result(kv.get("identity")), result(relays.get(origin))]);
  if (mine?.fingerprint !== identity.fingerprint) throw new OutdatedTabError("The keys were replaced in another tab: reload this page.");
  if (!relay) throw new OutdatedTabError("This relay was left in another tab.");
  return relay;
}

class Page {
  #stores;
  #origin;
  #reading;
  #taken_over;
  #contacts = new Map();
  #renamed = false; // somebody is new here, or calls themselves otherwise now
  #added = [];
  #refused = 0;
  #requests_dropped = 0;
  #blocked = [];

  constructor(stores, { origin, reading, taken_over }) {
    this.#stores = stores;
    this.#origin = origin;
    this.#reading = reading;
    this.#taken_over = taken_over;
  }

  /** Stores one message unless it was seen, is a blocked contact's, more than a stranger may send, or refused with no thread to go to. */
  async add(message) {
    const contact = await this.#contactFor(message);
    if (!contact) this.#refused += 1; // not even marked as seen: a hostile relay must not fill the disk with garbage
    else if (!fits(contact, message)) this.#requests_dropped += 1;
    else if (await this.#wasSeen(message)) return;
    else if (contact.blocked) this.#blocked.push(message.row_id);
    else await this.#put(message, contact);
  }

  /** Writes the contacts, and holds the strangers among them to their room. */
  async finish() {
    for (const contact of this.#contacts.values()) this.#stores.contacts.put(contact);
    const asks = [...this.#contacts.values()].some(({ request }) => request);
    const dropped = asks ? await dropSurplus(this.#stores, this.#origin, this.#reading) : [];
    const kept = ({ fingerprint }) => !dropped.includes(fingerprint);
    const reviewed = this.#renamed ? await reviewNames(this.#stores) : [];
    const contacts = [...new Map([...this.#contacts, ...reviewed.map((record) => [record.fingerprint, record])]).values()].filter(kept);
    const added = this.#added.filter(({ contact: fingerprint }) => kept({ fingerprint }));
    return { added, contacts, dropped, refused: this.#refused, requests_dropped: this.#requests_dropped + dropped.length, blocked: this.#blocked };
  }

  async #wasSeen({ from, id }) {
    const key = `${from} ${id}`;
    const seen = await result(this.#stores.seen.count(key));
    if (!seen) this.#stores.seen.put(1, key);
    return seen > 0;
  }

  /** A stranger's message makes a request; a refused one never does, or a relay could invent people at no cost. */
  async #contactFor({ from, kind, public_key }) {
    const known = this.#contacts.get(from) ?? (await result(this.#stores.contacts.get(from)));
    if (kind === "refused") return known && known.refused < REFUSED_KEPT ? { ...known, refused: known.refused + 1 } : null;
    const made = () => newContact(from, { relay: this.#origin, request: !isKnown(this.#taken_over, from) });
    const contact = known ?? made();
    return { ...contact, public_key, open: contact.open || !contact.muted }; // who is muted stays in the archive
  }

  async #put(message, contact) {
    const { from, kind, text, reason, legacy, at, id, ts, name } = message;
    const record = { contact: from, relay: this.#origin, direction: "in", kind, text, at, stored_at: Date.now(), reason, legacy, envelope_id: id };
    if (ts !== null && Math.abs(ts - at) > LATE_MS) record.written_at = ts;
    const { messages } = this.#stores;
    const seq = await seqAmong(this.#taken_over, messages, at);
    record.seq = await result(messages.add(seq === undefined ? record : { ...record, seq }));
    const read = this.#reading.has(from) || wasRead(this.#taken_over, message);
    const latest = record.seq > contact.last_seq ? withLatest(contact, record) : contact;
    const their_name = name || contact.their_name;
    this.#renamed ||= their_name !== contact.their_name || contact.namesake === undefined;
    this.#contacts.set(from, { ...counting(latest, message), their_name, unread: contact.unread + (read ? 0 : 1) });
    this.#added.push(toMessage(record));
  }
}
