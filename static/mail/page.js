/** A page of mail while it is stored: into threads, sessions and the queue in one transaction. */
import { counting, dropSurplus, fits, newContact, readSession, reviewNames, withSession } from "../store/contacts.js";
import { result } from "../store/database.js";
import { isKnown, seqAmong, wasRead } from "../store/identity.js";
import { isListed, lineOf, toMessage, withChanged, withLatest } from "../store/messages.js";
import { answeredTo } from "./posts.js";
import { applyChange, applyKept } from "./references.js";
import { hearUnsealed, unseal, unsealMine } from "./unsealing.js";

const LATE_MS = 60 * 60_000; // older, or by a wrong clock: the message says when it was written
const REFUSED_KEPT = 100; // a contact: refusals must not fill the disk

export class Page {
  #reading;
  #taken_over;
  #contacts = new Map();
  #renamed = false;
  #sessions = new Map();
  #missed = new Map(); // contact → ids that did not open
  #added = [];
  #changed = new Map();
  #refused = 0;
  #requests_dropped = 0;
  #blocked = [];

  constructor(stores, { me, device, origin, home, reading, receipts, taken_over }) {
    Object.assign(this, { stores, me, device, origin, home, receipts });
    this.#reading = reading;
    this.#taken_over = taken_over;
  }

  /** Unless it was seen, is a blocked contact's, more than a stranger may send, or refused with no thread to go to. */
  async add(message) {
    if (message.kind === "sealed" && message.from === this.me) return unsealMine(this, message);
    const contact = await this.#contactFor(message);
    if (!contact) this.#refused += 1; // not even as seen: garbage must not fill the disk
    else if (message.kind === "sealed" && !contact.blocked) await unseal(this, message, contact);
    else if (!fits(contact, message)) this.#requests_dropped += 1;
    else if ((await this.#wasSeen(message)) && !contact.blocked) return undefined;
    else if (contact.blocked) this.#blocked.push(message.row_id); // seen or not: the relay has it still
    else await this.put(message, contact, await hearUnsealed(this, message));
    return undefined;
  }

  /** Queues receipts of delivery, and holds strangers to their room. */
  async finish() {
    const { stores } = this;
    for (const [fingerprint, session] of this.#sessions) {
      const contact = await this.contact(fingerprint);
      const answered = await answeredTo(stores, contact, session, { reading: false, missed: this.#missed.get(fingerprint) ?? [] });
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

  async contact(fingerprint) {
    return this.#contacts.get(fingerprint) ?? (await result(this.stores.contacts.get(fingerprint)));
  }

  /** Whose devices are known, but for strangers and who is blocked. */
  async acquainted() {
    const all = await Promise.all((await result(this.stores.contacts.getAll())).map(({ fingerprint }) => this.contact(fingerprint)));
    return all.filter(({ devices, request, blocked }) => devices > 0 && !request && !blocked);
  }

  async session(contact) {
    return this.#sessions.get(contact.fingerprint) ?? readSession(this.stores, contact);
  }

  setSession(session) {
    this.#sessions.set(session.contact, session);
  }

  async put(message, contact, more = {}) {
    const { from, kind, text, reason, legacy, at, id, ts, unsealed } = message;
    const record = { contact: from, relay: this.origin, direction: "in", kind, text, at, ts, stored_at: Date.now(), reason, legacy, envelope_id: id, ...(unsealed && { unsealed }), ...more };
    if (ts !== null && Math.abs(ts - at) > LATE_MS) record.written_at = ts;
    const stored = await applyKept(this.stores, await this.#store(record, at), false);
    const named = this.#named(contact, message.name);
    this.#lead(counting({ ...named, unread: contact.unread + (wasRead(this.#taken_over, message) ? 0 : 1) }, { ...message, ...more }), stored);
    this.#added.push(stored);
    return stored;
  }

  async putMine({ at, id }, contact, said) {
    const record = { contact: contact.fingerprint, relay: contact.relay, direction: "out", kind: "text", at, envelope_id: id, state: "relayed", ...said };
    const stored = await applyKept(this.stores, await this.#store(record, at), true);
    this.#lead(contact, stored);
    this.#added.push(stored);
    return stored;
  }

  async line(contact, event) {
    this.#added.push(await this.#store(lineOf(contact, event), event.at));
    this.setContact(contact);
  }

  setContact(contact) {
    this.#contacts.set(contact.fingerprint, contact);
  }

  miss({ from, id }) {
    this.#missed.set(from, [...(this.#missed.get(from) ?? []), id]);
  }

  /** It has no thread to go to, or (`dropped`) is more than a stranger may write. */
  count({ dropped }) {
    if (dropped) this.#requests_dropped += 1;
    else this.#refused += 1;
  }

  async change(change) {
    const contact = await this.contact(change.contact);
    const record = await applyChange(this.stores, change, { keep: !contact?.request });
    if (record) await this.changed(record);
  }

  async changed(record) {
    this.stores.messages.put(record);
    this.#changed.set(record.seq, record);
    const contact = await this.contact(record.contact);
    if (contact && (record.seq === contact.last_seq || record.deleted_at)) this.#contacts.set(record.contact, withChanged(contact, record));
  }

  rename(contact, name) {
    this.#contacts.set(contact.fingerprint, this.#named(contact, name));
  }

  #named(contact, name) {
    const their_name = name || contact.their_name;
    this.#renamed ||= their_name !== contact.their_name || contact.namesake === undefined;
    return { ...contact, their_name };
  }

  async isSeen({ from, id }) {
    return (await result(this.stores.seen.count(`${from} ${id}`))) > 0;
  }

  see({ from, id }) {
    this.stores.seen.put(1, `${from} ${id}`);
  }

  async #wasSeen(message) {
    const seen = await this.isSeen(message);
    if (!seen) this.see(message);
    return seen;
  }

  /** A refused message makes no request, or a relay could invent people at no cost. */
  async #contactFor({ from, kind, public_key }) {
    const known = await this.contact(from);
    if (kind === "refused") return known && known.refused < REFUSED_KEPT ? { ...known, refused: known.refused + 1 } : null;
    const made = () => newContact(from, { relay: this.origin, request: !isKnown(this.#taken_over, from) });
    const contact = known ?? made();
    return { ...contact, public_key, open: isListed(contact) };
  }

  async #store(record, at) {
    const { messages } = this.stores;
    const seq = await seqAmong(this.#taken_over, messages, at);
    return { ...record, seq: await result(messages.add(seq === undefined ? record : { ...record, seq })) };
  }

  #lead(contact, record) {
    this.#contacts.set(contact.fingerprint, record.seq > contact.last_seq ? withLatest(contact, record) : contact);
  }
}
