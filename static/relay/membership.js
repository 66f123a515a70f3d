/** Which relays this device belongs to: joining one, following one to another address, accepting a new key of its, leaving it. */
import { deleteMe, getMessages } from "./api.js";
import { HomeRelayError, NotFoundError, RejectedError, UnknownRelayError } from "../protocol/errors.js";
import { relayOrigin } from "../protocol/address.js";
import { UNREAD_RELAY } from "../store/store.js";
import { result } from "../store/database.js";

export class Membership {
  #store;
  #settings;
  #tokens;
  #relays;

  constructor({ store, settings, tokens, relays }) {
    this.#store = store;
    this.#settings = settings;
    this.#tokens = tokens;
    this.#relays = relays;
  }

  /** Registers with a relay, stores it and connects. Throws what Tokens.register throws. */
  async add(text, { allow_older_proof = false, invite = "" } = {}) {
    const origin = relayOrigin(text);
    const known = this.#relays.get(origin) ? await this.#tokens.record(origin) : {};
    const record = { ...known, ...(allow_older_proof && { allow_older_proof }), ...(invite && { invite }) };
    const granted = await this.#tokens.register(origin, record);
    await this.#store.putRelay(origin, { ...record, ...granted });
    await this.#relays.changed(origin, { restart: true });
    return this.#relays.refreshStats(origin);
  }

  /** Pins the key that the person was asked about, and no other: one that comes after it is asked about again. */
  async acceptNewKey(origin, server_public_key) {
    await this.#store.putRelay(origin, { server_public_key, token: null, ...UNREAD_RELAY }, { only_known: true });
  }

  /**
   * The relay at `from` goes by the address `to` from now on, as the registration key that both present says: registers there, and then
   * all that belonged to the old address follows. Throws what Tokens.register throws; nothing is changed then.
   */
  async move(from, to) {
    const record = await this.#tokens.record(from);
    const granted = await this.#tokens.register(to, record, { moved_from: from });
    const moved = await moveRelay(this.#store, from, { ...record, ...granted, origin: to }, this.#relays.home);
    if (this.#relays.home === from) this.#settings.emit("change", { name: "home", value: to });
    this.#relays.changed(from);
    await this.#relays.changed(to, { restart: true });
    for (const contact of moved.contacts) this.#store.emitContact(contact);
    return this.#relays.refreshStats(to);
  }

  async setHome(origin) {
    if (!this.#relays.get(origin)) throw new UnknownRelayError("Add this server first.", { origin });
    await this.#settings.set("home", origin);
  }

  /**
   * Leaves a relay, which is told to delete this identity and its mail there. False where it is left but could not be told, for it
   * knows no such call (v1). Its record goes first: whoever else asks the relay in that moment must not register there again
   * because the token is refused. So the token is tried before.
   */
  async leave(origin) {
    if (origin === this.#relays.home) throw new HomeRelayError("This is your own server: choose another one first.");
    await this.#tokens.authorized(origin, (token) => getMessages(origin, token, { after_id: Number.MAX_SAFE_INTEGER, limit: 1 }));
    const record = await this.#tokens.record(origin);
    await this.#store.removeRelay(origin);
    this.#relays.changed(origin);
    try {
      await deleteMe(origin, record.token);
      return true;
    } catch (error) {
      if (error instanceof NotFoundError || (error instanceof RejectedError && error.status === 405)) return false;
      await this.#store.putRelay(origin, record);
      this.#relays.changed(origin, { restart: true });
      throw error;
    }
  }

  /** Registers again now, whatever the token. */
  async reregister(origin = this.#relays.home) {
    await this.#tokens.renew(origin);
    this.#relays.changed(origin, { restart: true });
  }
}

// A relay that goes by another address from now on: what belongs to it follows in one transaction.

/**
 * Puts `record` (whose `origin` is the new address) in place of the relay at `from`. Its contacts come along, and so does `home`, the
 * relay that invites name, where it was this one. Returns `{record, contacts}` as they are stored now.
 */
function moveRelay(store, from, record, home) {
  return store.db.write(["kv", "contacts", "relays"], async ({ kv, contacts, relays }) => {
    const known = await result(relays.get(record.origin));
    const moved = { ...known, ...record, cursor: Math.max(known?.cursor ?? 0, record.cursor) }; // one mailbox, so one count of ids
    relays.delete(from);
    relays.put(moved);
    if (home === from) kv.put({ ...(await result(kv.get("settings"))), home: record.origin }, "settings");
    const theirs = (await result(contacts.getAll())).filter(({ relay }) => relay === from);
    const changed = theirs.map((contact) => ({ ...contact, relay: record.origin }));
    for (const contact of changed) contacts.put(contact);
    return { record: moved, contacts: changed };
  });
}
