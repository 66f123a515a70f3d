/**
 * The relays this device is registered with. Every tab can list and use them; only the leading tab holds their sessions, and tells the others
 * each state. Events: "relays" (list or a state changed) · in the leading tab "came-live" {origin} (mail comes and goes again), "asked"
 * {origin} (what it says of itself is stored) · "wake".
 */
import { getStats } from "./api.js";
import { fingerprintOf } from "../protocol/crypto.js";
import { RelayError, StorageError } from "../protocol/errors.js";
import { doubtConnections } from "./http.js";
import { SharedEventTarget } from "../store/browser.js";
import { Sessions } from "./session.js";

const NO_STATS = {
  registered_identities: null, message_retention_days: null, max_message_bytes: null, version: null, registration: null, push: null,
};

const REACHED = new Set(["live", "polling"]);
const WORKING = new Set([...REACHED, "connecting"]);

export class Relays extends SharedEventTarget {
  #store;
  #settings;
  #tokens;
  #sessions;
  #records = new Map(); // origin → record, without what is the relay's and the inbox's alone
  #states = new Map(); // origin → {state, message}
  #reloading = Promise.resolve();

  constructor({ store, settings, tokens, openSession }) {
    super("io3233-relays");
    this.#store = store;
    this.#settings = settings;
    this.#tokens = tokens;
    this.#sessions = new Sessions(openSession);
    this.#sessions.addEventListener("state", ({ detail: { origin, ...state } }) => this.#stateChanged(origin, state));
    this.addEventListener("changed", ({ detail }) => (this.#reloading = this.#reload(detail)));
    this.addEventListener("states", ({ detail, remote }) => this.#adoptStates(detail.states, remote));
    this.addEventListener("who-leads", () => this.#sessions.leading && this.emit("states", { states: this.#states }));
    this.addEventListener("wake", () => this.#wakeSessions());
    settings.addEventListener("change", ({ detail }) => detail.name === "home" && this.#announce());
  }

  get home() {
    return this.#settings.get("home");
  }

  /** The home relay's state in one of four words. */
  get overall() {
    const { state, message } = this.get(this.home) ?? { state: "connecting", message: "" };
    return { state: WORKING.has(state) ? state : "offline", message };
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

  async load() {
    for (const record of await this.#store.relaysWith(this.home)) this.#show(record);
    this.emit("who-leads");
  }

  lead() {
    this.#sessions.lead(this.#records.keys());
  }

  follow() {
    this.#sessions.follow();
    this.emit("who-leads");
  }

  /** This device was away: asks every relay at once, but for what waits for the person, and trusts no open connection. */
  wake() {
    this.emit("wake");
  }

  /** Resolves when it is stored; rejects with what failed. Only the leading tab can. */
  drain(origin) {
    return this.#sessions.drain(origin);
  }

  /** Tells every tab; this one knows it when it resolves. `restart`: its session begins anew. */
  changed(origin, { restart = false } = {}) {
    this.emit("changed", { origin, restart });
    return this.#reloading;
  }

  /** One that can't be asked keeps its last figures. */
  async refreshStats(origin) {
    try {
      await this.#store.putRelay(origin, await getStats(origin), { only_known: true });
      await this.changed(origin);
    } catch (error) {
      if (![RelayError, StorageError].some((kind) => error instanceof kind)) throw error;
      console.debug("The last figures stay:", error.message);
    }
    return this.get(origin);
  }

  /** With token and cursor. Throws UnknownRelayError. */
  record(origin) {
    return this.#tokens.record(origin);
  }

  pass(origin) {
    return this.#tokens.pass(origin);
  }

  authorized(origin, call) {
    return this.#tokens.authorized(origin, call);
  }

  async #reload({ origin, restart }) {
    const record = (await this.#store.relays()).find((stored) => stored.origin === origin);
    if (record) this.#show(record);
    else this.#forget(origin);
    if (!record) this.#sessions.end(origin);
    else if (restart) this.#sessions.restart(origin);
    this.#announce();
  }

  #forget(origin) {
    this.#records.delete(origin);
    this.#states.delete(origin);
  }

  #show({ token, token_for, token_renew_at, server_public_key, invite, cursor, erased_through, erase_ids, ...record }) {
    const server_fingerprint = server_public_key ? fingerprintOf(server_public_key) : "";
    this.#records.set(record.origin, { ...NO_STATS, ...record, server_fingerprint });
  }

  #stateChanged(origin, detail) {
    this.#states.set(origin, detail);
    this.emit("states", { states: this.#states });
    if (!REACHED.has(detail.state)) return;
    this.dispatchEvent(new CustomEvent("came-live", { detail: { origin } }));
    this.refreshStats(origin).then(() => this.dispatchEvent(new CustomEvent("asked", { detail: { origin } })));
  }

  #adoptStates(states, remote) {
    if (remote && this.#sessions.leading) return; // without Web Locks each tab has its own sessions
    this.#states = new Map(states);
    this.#announce();
  }

  #wakeSessions() {
    doubtConnections();
    this.#sessions.wake();
  }

  #announce() {
    this.dispatchEvent(new CustomEvent("relays"));
  }
}
