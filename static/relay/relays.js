/**
 * The relays this device is registered with. Every tab can register, list and use them; only the leading tab holds their
 * sessions, and tells the others each state. Events: "relays" (list or a state changed) · "came-live" {origin} (leading tab).
 */
import { deleteMe, getMessages, getStats } from "./api.js";
import { fingerprintOf } from "../protocol/crypto.js";
import { HomeRelayError, RelayError, UnknownRelayError } from "../protocol/errors.js";
import { relayOrigin } from "../protocol/address.js";
import { SharedEventTarget } from "../store/shared-events.js";
import { Tokens } from "./tokens.js";

const NO_STATS = {
  registered_identities: null, message_retention_days: null, max_message_bytes: null, version: null, registration: null,
};

export class Relays extends SharedEventTarget {
  #store;
  #settings;
  #tokens;
  #openSession;
  #records = new Map(); // origin → record without what is the relay's and the inbox's alone
  #states = new Map(); // origin → {state, message}
  #sessions = null; // origin → Session, in the leading tab only

  /** `openSession(origin)` makes a Session; this class starts and stops it. */
  constructor({ store, settings, identity, openSession }) {
    super("io3233-relays");
    this.#store = store;
    this.#settings = settings;
    this.#tokens = new Tokens(store, identity);
    this.#openSession = openSession;
    this.addEventListener("changed", ({ detail }) => this.#reload(detail));
    this.addEventListener("states", ({ detail, remote }) => this.#adoptStates(detail.states, remote));
    this.addEventListener("who-leads", () => this.#sessions && this.emit("states", { states: this.#states }));
    this.addEventListener("wake", () => this.#wakeSessions());
    settings.addEventListener("change", ({ detail }) => detail.name === "home" && this.#announce());
  }

  get home() {
    return this.#settings.get("home");
  }

  /** For the badge: the home relay's state in one of three words. */
  get overall() {
    const { state, message } = this.get(this.home) ?? { state: "connecting", message: "" };
    return { state: ["live", "connecting"].includes(state) ? state : "offline", message };
  }

  list() {
    const relays = [...this.#records.keys()].map((origin) => this.get(origin));
    return relays.sort((a, b) => b.home - a.home || a.origin.localeCompare(b.origin));
  }

  get(origin) {
    const record = this.#records.get(origin);
    const { state, message } = this.#states.get(origin) ?? { state: "connecting", message: "" };
    return record && { ...record, home: origin === this.home, state, message };
  }

  /** Reads the stored relays, and asks the tab that leads for their states. */
  async load() {
    for (const record of await this.#store.relaysWith(this.home)) this.#show(record);
    this.emit("who-leads");
  }

  /** This tab leads from now on: it holds the sessions. */
  lead() {
    this.#sessions = new Map();
    for (const origin of this.#records.keys()) this.#restart(origin);
  }

  /** Another tab leads. */
  follow() {
    for (const session of this.#sessions?.values() ?? []) session.stop();
    this.#sessions = null;
    this.emit("who-leads");
  }

  /** Registers with a relay, stores it and connects. Throws what registration.js throws. */
  async add(text, { allow_older_proof = false, invite = "" } = {}) {
    const origin = relayOrigin(text);
    const known = this.#records.has(origin) ? await this.record(origin) : {};
    const record = { ...known, ...(allow_older_proof && { allow_older_proof }), ...(invite && { invite }) };
    const granted = await this.#tokens.register(origin, record);
    this.#show(await this.#store.putRelay(origin, { ...record, ...granted }));
    this.emit("changed", { origin, restart: true });
    return this.refreshStats(origin);
  }

  /** The next registration takes and pins whatever key the relay presents. */
  async acceptNewKey(origin) {
    await this.#store.putRelay(origin, { server_public_key: null, token: null, cursor: 0 }, { only_known: true });
  }

  async setHome(origin) {
    if (!this.#records.has(origin)) throw new UnknownRelayError("Add this relay first.", { origin });
    await this.#settings.set("home", origin);
  }

  /**
   * Leaves a relay, which is told to delete this identity and its mail there; true. Its record goes first: whoever else asks
   * the relay in that moment must not register there again because the token is refused. So the token is tried before.
   */
  async leave(origin) {
    if (origin === this.home) throw new HomeRelayError("This is your home relay: make another one home first.");
    await this.authorized(origin, (token) => getMessages(origin, token, { after_id: Number.MAX_SAFE_INTEGER, limit: 1 }));
    const record = await this.record(origin);
    await this.#store.removeRelay(origin);
    this.emit("changed", { origin });
    try {
      await deleteMe(origin, record.token);
      return true;
    } catch (error) {
      await this.#store.putRelay(origin, record);
      this.emit("changed", { origin, restart: true });
      throw error;
    }
  }

  /** Registers again now, whatever the token. */
  async reregister(origin = this.home) {
    await this.#tokens.renew(origin);
    this.emit("changed", { origin, restart: true });
  }

  /** Tries everything that is down at once, but for what waits for the person. */
  retryNow() {
    this.emit("wake");
  }

  /** Asks for the relay's figures and returns the relay; one that can't be asked keeps the last ones. */
  async refreshStats(origin) {
    try {
      await this.#store.putRelay(origin, await getStats(origin), { only_known: true });
      this.emit("changed", { origin });
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      console.debug("The last figures stay:", error.message);
    }
    return this.get(origin);
  }

  /** The stored record, with its token and cursor. Throws UnknownRelayError. */
  record(origin) {
    return this.#tokens.record(origin);
  }

  /** `{token, bound}` for the socket, registering where needed. */
  pass(origin) {
    return this.#tokens.pass(origin);
  }

  /** Runs `call(token)`, with a renewed token once when the relay refuses the stored one. */
  authorized(origin, call) {
    return this.#tokens.authorized(origin, call);
  }

  /** A record changed in this tab or another one. */
  async #reload({ origin, restart }) {
    const record = (await this.#store.relays()).find((stored) => stored.origin === origin);
    if (record) this.#show(record);
    else this.#forget(origin);
    if (this.#sessions && (restart || !record)) this.#restart(origin);
    this.#announce();
  }

  #forget(origin) {
    this.#records.delete(origin);
    this.#states.delete(origin);
  }

  #show({ token, token_for, token_renew_at, server_public_key, invite, cursor, erased_through, ...record }) {
    const server_fingerprint = server_public_key ? fingerprintOf(server_public_key) : "";
    this.#records.set(record.origin, { ...NO_STATS, ...record, server_fingerprint });
  }

  #restart(origin) {
    this.#sessions.get(origin)?.stop();
    this.#sessions.delete(origin);
    if (!this.#records.has(origin)) return;
    const session = this.#openSession(origin);
    session.addEventListener("state", ({ detail }) => this.#sessions?.get(origin) === session && this.#stateChanged(origin, detail));
    this.#sessions.set(origin, session);
    session.start();
  }

  #stateChanged(origin, detail) {
    this.#states.set(origin, detail);
    this.emit("states", { states: this.#states });
    if (detail.state !== "live") return;
    this.dispatchEvent(new CustomEvent("came-live", { detail: { origin } }));
    this.refreshStats(origin);
  }

  #adoptStates(states, remote) {
    if (remote && this.#sessions) return; // without Web Locks each tab has sessions of its own
    this.#states = new Map(states);
    this.#announce();
  }

  #wakeSessions() {
    for (const session of this.#sessions?.values() ?? []) session.wake();
  }

  #announce() {
    this.dispatchEvent(new CustomEvent("relays"));
  }
}
