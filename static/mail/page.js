/** One page of mail while it is being stored: what is in it goes to threads, sessions and the queue in one transaction (arrivals.js). */
import { readContent } from "../protocol/content.js";
import { cameUnsealed, isHeardOf, missed, opened } from "../protocol/devices.js";
import { openBody } from "../protocol/envelope2.js";
import { result } from "../store/database.js";
import { lineOf, toMessage, withLatest } from "../store/messages.js";
import { reviewNames } from "../store/namesakes.js";
import { readSession, withSession } from "../store/sessions.js";
import { newContact } from "../store/store.js";
import { isKnown, seqAmong, wasRead } from "../store/taken-over.js";
import { isWords, takeContent, takeFromMine } from "./contents.js";
import { queuePost } from "./posts.js";
import { answeredTo } from "./receipts.js";
import { applyChange, applyKept } from "./references.js";
import { counting, dropSurplus, fits } from "./strangers.js";

const LATE_MS = 60 * 60_000; // what waited longer in an outbox, or has a clock that is wrong by more, says when it was written
const REFUSED_KEPT = 100; // a contact: a hostile relay must not fill the disk with refusals

export class Page {
  #device;
  #reading;
  #taken_over;
  #contacts = new Map();
  #renamed = false; // somebody is new here, or calls themselves otherwise now
  #sessions = new Map();
  #missed = new Map(); // contact → ids that did not open
  #added = [];
  #changed = new Map();
  #refused = 0;
  #requests_dropped = 0;
  #blocked = [];

  constructor(stores, { me, device, origin, home, reading, receipts, taken_over }) {
    Object.assign(this, { stores, me, origin, home, receipts });
    this.#device = device;
    this.#reading = reading;
    this.#taken_over = taken_over;
  }

  /** Stores one message unless it was seen, is a blocked contact's, more than a stranger may send, or refused with no thread to go to. */
  async add(message) {
    if (message.kind === "sealed" && message.from === this.me) return this.#addMine(message);
    const contact = await this.#contactFor(message);
    if (!contact) this.#refused += 1; // not even marked as seen: a hostile relay must not fill the disk with garbage
    else if (message.kind === "sealed" && !contact.blocked) await this.#unseal(message, contact);
    else if (!fits(contact, message)) this.#requests_dropped += 1;
    else if (await this.#wasSeen(message)) return undefined;
    else if (contact.blocked) this.#blocked.push(message.row_id);
    else await this.put(message, contact, await this.#hearUnsealed(message, contact));
    return undefined;
  }

  /** Writes the contacts and sessions, queues receipts, and holds the strangers among them to their room. */
  async finish() {
    const { stores } = this;
    for (const [fingerprint, session] of this.#sessions) {
      const contact = await this.contact(fingerprint);
      const shown = { reading: this.#reading.has(fingerprint), shows: this.receipts };
      const answered = await answeredTo(stores, contact, session, { ...shown, missed: this.#missed.get(fingerprint) ?? [] });
      stores.sessions.put(answered);
      if (contact) this.#contacts.set(fingerprint, withSession(contact, answered));
    }
    for (const contact of this.#contacts.values()) stores.contacts.put(contact);
    const asks = [...this.#contacts.values()].some(({ request }) => request);
    const dropped = asks ? await dropSurplus(stores, this.origin, this.#reading) : [];
    const kept = ({ fingerprint }) => !dropped.includes(fingerprint);
    const reviewed = this.#renamed ? await reviewNames(stores) : [];
    const contacts = [...new Map([...this.#contacts, ...reviewed.map((record) => [record.fingerprint, record])]).values()].filter(kept);
    const added = this.#added.filter(({ contact: fingerprint }) => kept({ fingerprint })).map(toMessage);
    const changed = [...this.#changed.values()].filter(({ contact: fingerprint }) => kept({ fingerprint }));
    return { added, changed, contacts, dropped, refused: this.#refused, requests_dropped: this.#requests_dropped + dropped.length, blocked: this.#blocked };
  }

  /** The record of a contact as this page has it by now, or undefined. */
  async contact(fingerprint) {
    return this.#contacts.get(fingerprint) ?? (await result(this.stores.contacts.get(fingerprint)));
  }

  async session(contact) {
    return this.#sessions.get(contact.fingerprint) ?? readSession(this.stores, contact);
  }

  setSession(session) {
    this.#sessions.set(session.contact, session);
  }

  /** Stores a message of a contact, with `more` fields. */
  async put(message, contact, more = {}) {
    const { from, kind, text, reason, legacy, at, id, ts } = message;
    const record = { contact: from, relay: this.origin, direction: "in", kind, text, at, ts, stored_at: Date.now(), reason, legacy, envelope_id: id, ...more };
    if (ts !== null && Math.abs(ts - at) > LATE_MS) record.written_at = ts;
    const stored = await applyKept(this.stores, await this.#store(record, at), false);
    const read = this.#reading.has(from) || wasRead(this.#taken_over, message);
    const named = this.#named(contact, message.name);
    this.#lead(counting({ ...named, unread: contact.unread + (read ? 0 : 1) }, message), stored);
    this.#added.push(stored);
  }

  /** Stores a message that another device of mine sent. */
  async putMine({ at, id }, contact, said) {
    const record = { contact: contact.fingerprint, relay: contact.relay, direction: "out", kind: "text", at, envelope_id: id, state: "relayed", ...said };
    const stored = await applyKept(this.stores, await this.#store(record, at), true);
    this.#lead(contact, stored);
    this.#added.push(stored);
  }

  /** Stores a line of the thread that nobody wrote: `{event, at, …}`. */
  async line(contact, event) {
    this.#added.push(await this.#store(lineOf(contact, event), event.at));
    this.#contacts.set(contact.fingerprint, contact);
  }

  async change(change) {
    const contact = await this.contact(change.contact);
    const record = await applyChange(this.stores, change, { keep: !contact?.request });
    if (record) await this.changed(record);
  }

  /** Stores a changed message, which the list of threads may show. */
  async changed(record) {
    this.stores.messages.put(record);
    this.#changed.set(record.seq, record);
    const contact = await this.contact(record.contact);
    if (contact?.last_seq === record.seq) this.#contacts.set(record.contact, withLatest(contact, record));
  }

  rename(contact, name) {
    this.#contacts.set(contact.fingerprint, this.#named(contact, name));
  }

  /** The contact under the name that they give themselves now; "": as before. */
  #named(contact, name) {
    const their_name = name || contact.their_name;
    this.#renamed ||= their_name !== contact.their_name || contact.namesake === undefined;
    return { ...contact, their_name };
  }

  async #unseal(message, contact) {
    if (await this.#isSeen(message)) return;
    const session = await this.session(contact);
    const found = openBody(message, this.#device, session.keys);
    if (!found) return void (await this.#miss(message, contact, session));
    const content = readContent(found.content);
    if (content.reason) return void (await this.#refuse(message, content.reason));
    const known = await this.contact(message.from);
    if (!known && !isWords(content)) return; // a stranger's first message is words
    if (isWords(content) && !fits(contact, { text: content.text ?? "" })) return void (this.#requests_dropped += 1);
    const first = known && found.key_id ? await this.#tellNew(message, known, session) : contact;
    this.stores.seen.put(1, `${message.from} ${message.id}`);
    this.setSession(found.key_id ? opened(session, message, found.key_id, Date.now()) : cameUnsealed(session, null, Date.now()));
    const keeper = isWords(content) ? { ...first, public_key: message.public_key, open: true } : first;
    this.#contacts.set(message.from, keeper);
    await takeContent(this, found.key_id || !session.sealed ? message : { ...message, unsealed: true }, content, keeper);
  }

  async #refuse(message, reason) {
    await this.add({ ...message, kind: "refused", text: "", reason });
  }

  /** It is asked for. A stranger is asked for nothing, so of them it shows that something came. */
  async #miss(message, contact, session) {
    if (session.unopened.some(({ id }) => id === message.id)) return this.#remember(message);
    if (!fits(contact, { text: "" })) return void (this.#requests_dropped += 1);
    const known = await this.contact(message.from);
    const first = known ? await this.#tellNew(message, known, session) : contact;
    this.setSession(missed(session, message, Date.now()));
    this.#remember(message);
    if (contact.request) return this.line(counting(first, { text: "" }), { event: "unopened", at: message.at });
    return undefined;
  }

  #remember({ from, id }) {
    this.#missed.set(from, [...(this.#missed.get(from) ?? []), id]);
  }

  /** A device that is heard of for the first time is told of, except with somebody's first message. Returns the contact. */
  async #tellNew({ from, announced, at }, contact, session) {
    if (!announced || isHeardOf(session, announced.device)) return contact;
    const wrote = await result(this.stores.seen.getKey(IDBKeyRange.bound(`${from} `, `${from}!`)));
    if (wrote === undefined && session.devices.length === 0) return contact;
    await this.line(contact, { event: "device", at });
    return this.contact(from);
  }

  /** What v1's form, or an unsealed message, says of the devices. Returns the mark that it bears. */
  async #hearUnsealed(message, contact) {
    const session = await this.session(contact);
    if (message.kind === "refused" || (!message.announced && session.devices.length === 0)) return {};
    const known = await this.contact(message.from);
    if (known) await this.#tellNew(message, known, session);
    this.setSession(cameUnsealed(session, message.announced, Date.now()));
    return session.sealed ? { unsealed: true } : {};
  }

  /** What another device of mine wrote. One that is heard of for the first time is greeted, or it would not know of this one. */
  async #addMine(message) {
    const { announced } = message;
    if (announced.device === this.#device || (await this.#isSeen(message))) return;
    const session = await this.session({ fingerprint: this.me });
    const found = openBody(message, this.#device, session.keys);
    const content = found && readContent(found.content);
    if (content?.reason || (found && !found.key_id && content.type !== "hello")) return void (this.#refused += 1);
    if (!isHeardOf(session, announced.device)) await queuePost(this.stores, this.me, { type: "hello" });
    if (!found) this.#remember(message);
    else this.stores.seen.put(1, `${this.me} ${message.id}`);
    if (!found) return this.setSession(missed(session, message, Date.now()));
    this.setSession(found.key_id ? opened(session, message, found.key_id, Date.now()) : cameUnsealed(session, announced, Date.now()));
    await takeFromMine(this, message, content);
  }

  async #isSeen({ from, id }) {
    return (await result(this.stores.seen.count(`${from} ${id}`))) > 0;
  }

  async #wasSeen(message) {
    const seen = await this.#isSeen(message);
    if (!seen) this.stores.seen.put(1, `${message.from} ${message.id}`);
    return seen;
  }

  /** A stranger's message makes a request; a refused one never does, or a relay could invent people at no cost. */
  async #contactFor({ from, kind, public_key }) {
    const known = await this.contact(from);
    if (kind === "refused") return known && known.refused < REFUSED_KEPT ? { ...known, refused: known.refused + 1 } : null;
    const made = () => newContact(from, { relay: this.origin, request: !isKnown(this.#taken_over, from) });
    return { ...(known ?? made()), public_key, open: true };
  }

  async #store(record, at) {
    const { messages } = this.stores;
    const seq = await seqAmong(this.#taken_over, messages, at);
    return { ...record, seq: await result(messages.add(seq === undefined ? record : { ...record, seq })) };
  }

  /** The list of threads shows what was stored last. */
  #lead(contact, record) {
    this.#contacts.set(contact.fingerprint, record.seq > contact.last_seq ? withLatest(contact, record) : contact);
  }
}
