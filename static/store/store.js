/**
 * What this device keeps. Never touches the DOM. A change is in IndexedDB before its event goes out, to every tab: messages {messages,
 * received} · message {message} · message-removed {seq, contact} · message-restored {message} · contact {contact} · contact-removed
 * {fingerprint} · unread {total, threads} · reset {}
 */
import { result } from "./database.js";
import { newestFirst } from "../protocol/format.js";
import { UnknownContactError } from "../protocol/errors.js";
import { removeMessage, restoreMessage, toMessage } from "./messages.js";
import { Search, readThread } from "./history.js";
import { newContact, putNamed, removeEverything, reviewNames, toContact } from "./contacts.js";
import { SharedEventTarget } from "./browser.js";

const EDITABLE = ["name", "verified", "muted", "blocked", "pinned", "open", "request", "relay", "public_key"];

/** Of a relay that is read from its first message on. `erase_ids`: blocked mail that it still has. `push_endpoint`: of this device, or "". */
export const UNREAD_RELAY = { cursor: 0, erased_through: 0, erase_ids: [], push_endpoint: "" };

const COUNTED_BY = ["blocked", "muted", "open"];

export const newRelay = (origin) => ({ origin, ...UNREAD_RELAY, refused: 0, requests_dropped: 0, added_at: Date.now() });

export class Store extends SharedEventTarget {
  #db;
  #search;

  constructor(db) {
    super("io3233-store");
    this.#db = db;
    this.#search = new Search(db);
    for (const type of ["messages", "message", "message-removed", "message-restored", "contact-removed"]) {
      this.addEventListener(type, () => this.#search.forget());
    }
  }

  /** For arrivals, the outbox and backups, which have transactions of their own. */
  get db() {
    return this.#db;
  }

  async contacts() {
    const records = await this.#db.read(["contacts"], ({ contacts }) => result(contacts.getAll()));
    return newestFirst(records.map(toContact));
  }

  async contact(fingerprint) {
    const record = await this.#db.read(["contacts"], ({ contacts }) => result(contacts.get(fingerprint)));
    return record && toContact(record);
  }

  /** Adds a contact, or changes these fields. With `only_known`, one that was removed stays away (UnknownContactError). */
  async putContact(fingerprint, fields, { only_known = false } = {}) {
    const [record, ...renamed] = await this.#db.write(["contacts", "kv"], async (stores) => {
      const known = await result(stores.contacts.get(fingerprint));
      if (!known && only_known) throw new UnknownContactError("This contact was removed.");
      return putNamed(stores, { ...newContact(fingerprint), ...known, ...fields }, known ? fields : {});
    });
    for (const each of [record, ...renamed]) this.emitContact(each);
    return toContact(record);
  }

  async reviewNames() {
    for (const record of await this.#db.write(["contacts", "kv"], reviewNames)) this.emitContact(record);
  }

  async updateContact(fingerprint, changes) {
    const fields = Object.fromEntries(Object.entries(changes).filter(([field]) => EDITABLE.includes(field)));
    const contact = await this.putContact(fingerprint, fields, { only_known: true });
    if (COUNTED_BY.some((field) => field in fields)) await this.emitUnread();
    return contact;
  }

  /** `seen` stays, so the relay's copies do not come back. */
  async removeContact(fingerprint) {
    const renamed = await this.#db.write(["contacts", "drafts", "kv", "messages", "parts", "posts", "references", "sessions"], (stores) => removeEverything(stores, fingerprint));
    this.emit("contact-removed", { fingerprint });
    for (const record of renamed) this.emitContact(record);
    await this.emitUnread();
  }

  /** Options: see history.js; without any the newest page. */
  thread(fingerprint, options = {}) {
    return readThread(this.#db, fingerprint, options);
  }

  matches(fingerprint, text) {
    return this.#search.matches(text, fingerprint);
  }

  search(text, options = {}) {
    return this.#search.page(text, options);
  }

  async draft(fingerprint) {
    return (await this.#db.read(["drafts"], ({ drafts }) => result(drafts.get(fingerprint)))) ?? "";
  }

  drafts() {
    return this.#db.read(["drafts"], async ({ drafts }) => {
      const [fingerprints, texts] = await Promise.all([result(drafts.getAllKeys()), result(drafts.getAll())]);
      return fingerprints.map((fingerprint, index) => [fingerprint, texts[index]]);
    });
  }

  /** Committed within this call: a page that goes away aborts the rest. */
  writeDrafts(changed) {
    return this.#db.note(["drafts"], ({ drafts }) => {
      for (const { fingerprint, text } of changed) {
        if (text) drafts.put(text, fingerprint);
        else drafts.delete(fingerprint);
      }
      drafts.transaction.commit();
    });
  }

  /** Of what the list shows and is not muted: what nobody can get at must not be counted for ever. */
  async unread() {
    const counted = (await this.contacts()).filter((contact) => contact.unread > 0 && contact.open && !contact.blocked && !contact.muted);
    return { total: counted.reduce((sum, contact) => sum + contact.unread, 0), threads: counted.length };
  }

  /** False where nothing was unread. */
  async markRead(fingerprint) {
    const [changed] = await this.noteRead([fingerprint]);
    if (!changed) return false;
    this.emitContact(changed);
    await this.emitUnread();
    return true;
  }

  /** Nobody is told. Returns the records that changed. */
  noteRead(fingerprints) {
    return this.#db.note(["contacts"], async ({ contacts }) => {
      const records = await Promise.all(fingerprints.map((fingerprint) => result(contacts.get(fingerprint))));
      const read = records.filter((record) => record?.unread > 0).map((record) => ({ ...record, unread: 0 }));
      for (const record of read) contacts.put(record);
      return read;
    });
  }

  async message(seq) {
    const record = await this.#db.read(["messages"], ({ messages }) => result(messages.get(seq)));
    return record && toMessage(record);
  }

  removeMessage(seq) {
    return removeMessage(this, seq);
  }

  restoreMessage(removed) {
    return restoreMessage(this, removed);
  }

  emitContact(record) {
    this.emit("contact", { contact: toContact(record) });
  }

  async emitUnread() {
    this.emit("unread", await this.unread());
  }

  async relays() {
    return this.#db.read(["relays"], ({ relays }) => result(relays.getAll()));
  }

  relaysWith(origin) {
    return this.#db.note(["relays"], async ({ relays }) => {
      const records = await result(relays.getAll());
      if (records.some((record) => record.origin === origin)) return records;
      const added = newRelay(origin);
      relays.put(added);
      return [...records, added];
    });
  }

  /** With `only_known`, one that was left stays away (null). */
  putRelay(origin, fields, { only_known = false } = {}) {
    return this.#db.write(["relays"], async ({ relays }) => {
      const record = await result(relays.get(origin));
      if (!record && only_known) return null;
      const changed = { ...newRelay(origin), ...record, ...fields };
      relays.put(changed);
      return changed;
    });
  }

  removeRelay(origin) {
    return this.#db.write(["relays"], ({ relays }) => result(relays.delete(origin)));
  }

  value(name) {
    return this.#db.read(["kv"], ({ kv }) => result(kv.get(name)));
  }

  /** In one transaction, so that two tabs can't undo each other's changes. */
  changeValue(name, change) {
    return this.#db.write(["kv"], async ({ kv }) => result(kv.put(change(await result(kv.get(name))), name)));
  }
}
