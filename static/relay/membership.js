/** What this device is to relays: which it belongs to, and where its own one pushes to. */
import { deleteMe, deletePush, getMessages, postPush } from "./api.js";
import { HomeRelayError, NotFoundError, RejectedError, UnknownRelayError } from "../protocol/errors.js";
import { relayOrigin } from "../protocol/address.js";
import { UNREAD_RELAY } from "../store/store.js";
import { result } from "../store/database.js";
import { toBase64Url } from "../protocol/encoding.js";

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

  /** Throws what Tokens.register throws. */
  async add(text, { allow_older_proof = false, invite = "" } = {}) {
    const origin = relayOrigin(text);
    const known = this.#relays.get(origin) ? await this.#tokens.record(origin) : {};
    const record = { ...known, ...(allow_older_proof && { allow_older_proof }), ...(invite && { invite }) };
    const granted = await this.#tokens.register(origin, record);
    await this.#store.putRelay(origin, { ...record, ...granted });
    await this.#relays.changed(origin, { restart: true });
    return this.#relays.refreshStats(origin);
  }

  /** Pins the key that the person was asked about, and no other. */
  async acceptNewKey(origin, server_public_key) {
    await this.#store.putRelay(origin, { server_public_key, token: null, ...UNREAD_RELAY }, { only_known: true });
  }

  /**
   * The relay at `from` goes by the address `to`, as the registration key that both present says. Throws what Tokens.register throws; nothing
   * is changed then.
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
   * False where the relay could not be told to delete this identity and its mail, for it knows no such call (v1). Its record goes first:
   * whoever asks the relay in that moment must not register again because the token is refused. So the token is tried before.
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

  async reregister(origin = this.#relays.home) {
    await this.#tokens.renew(origin);
    this.#relays.changed(origin, { restart: true });
  }
}

/**
 * `record` (whose `origin` is the new address) takes the place of the relay at `from`, in one transaction with its contacts and `home`. →
 * `{record, contacts}` as stored.
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

// The push subscription (RFC 8030, RFC 8292) belongs to one relay's key: the home relay's. The page that leads keeps it right, and the
// service worker when the browser replaces it.

export class Push {
  #store;
  #relays;
  #manager;
  #wanted;
  #last = Promise.resolve(); // one after the other

  /** `manager`: a promise of the PushManager, or of nothing. `wanted()`: whether there are to be notifications. */
  constructor({ store, relays, manager, wanted }) {
    this.#store = store;
    this.#relays = relays;
    this.#manager = manager;
    this.#wanted = wanted;
  }

  sync() {
    this.#last = this.#last.then(() => this.#sync()).catch((error) => console.debug("Push is not as wanted yet:", error.message));
    return this.#last;
  }

  /**
   * A push came, and the service worker asks by `port` whether this tab, which leads, reads the mail. It says so by a timer, for a frozen tab
   * runs none. `told()` resolves when what came is shown.
   */
  async receive(port, leads, told) {
    if (!leads) return port.postMessage({ type: "follows" });
    setTimeout(() => port.postMessage({ type: "reads" }));
    try {
      await this.#relays.drain(this.#relays.home);
      await told();
      port.postMessage({ type: "read", all: true });
    } catch (error) {
      console.debug("Not all mail could be read:", error.message);
      port.postMessage({ type: "read", all: false });
    }
  }

  async #sync() {
    const home = await this.#relays.record(this.#relays.home);
    const manager = await this.#manager;
    if (!manager) return;
    const endpoint = this.#wanted() && home.push ? await subscribed(manager, home) : await unsubscribed(manager);
    const relays = await this.#store.relays();
    await Promise.all(relays.map((relay) => this.#tell(relay, relay.origin === home.origin ? endpoint : ""))); // one that is down holds none up
  }

  async #tell({ origin, push_endpoint: known = "" }, endpoint) {
    if (known === endpoint) return;
    if (known) await this.#relays.authorized(origin, (token) => deletePush(origin, token, known)).catch(ignoreMissing);
    if (endpoint) await this.#relays.authorized(origin, (token) => postPush(origin, token, endpoint));
    await this.#store.putRelay(origin, { push_endpoint: endpoint }, { only_known: true });
    await this.#relays.changed(origin);
  }
}

/** A subscription that this relay does not know is of former keys, or another relay's: it ends, so that nobody is woken for those. */
async function subscribed(manager, { push, push_endpoint }) {
  const known = await manager.getSubscription();
  if (known?.endpoint === push_endpoint && keyOf(known) === push) return push_endpoint;
  await known?.unsubscribe();
  return (await manager.subscribe({ userVisibleOnly: true, applicationServerKey: push })).endpoint;
}

function ignoreMissing(error) {
  if (!(error instanceof NotFoundError)) throw error;
}

async function unsubscribed(manager) {
  await (await manager.getSubscription())?.unsubscribe();
  return "";
}

const keyOf = ({ options }) => toBase64Url(new Uint8Array(options.applicationServerKey ?? []));
