/**
 * The relays this device is registered with, as they are stored and what state they are in. Every tab can list and use them; only the
 * leading tab holds their sessions, and tells the others each state. Joining, moving and leaving: membership.js. Events: "relays" (list or
 * a state changed) · "came-live" {origin} (leading tab: mail comes and goes again) · "asked" {origin} (leading tab: what it says of itself is stored) · "wake".
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

/** States in which mail comes and goes. */
const REACHED = new Set(["live", "polling"]);
const WORKING = new Set([...REACHED, "connecting"]);

export class Relays extends SharedEventTarget {
  #store;
  #settings;
  #tokens;
  #sessions;
  #records = new Map(); // origin → record without what is the relay's and the inbox's alone
  #states = new Map(); // origin → {state, message}
  #reloading = Promise.resolve();

  /** `openSession(origin)` makes a Session. */
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

  /** For the badge: the home relay's state in one of four words. */
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

  /** Reads the stored relays, and asks the tab that leads for their states. */
  async load() {
    for (const record of await this.#store.relaysWith(this.home)) this.#show(record);
    this.emit("who-leads");
  }

  /** This tab leads from now on: it holds the sessions. */
  lead() {
    this.#sessions.lead(this.#records.keys());
  }

  /** Another tab leads. */
  follow() {
    this.#sessions.follow();
    this.emit("who-leads");
  }

  /** This device was away: asks every relay again at once, but for what waits for the person, and trusts no open connection. */
  wake() {
    this.emit("wake");
  }

  /** Fetches what is new, now. Resolves when it is stored; rejects with what failed. Only the leading tab can. */
  drain(origin) {
    return this.#sessions.drain(origin);
  }

  /** Tells every tab that a relay's record changed; this one knows it when it resolves. `restart`: its session begins anew. */
  changed(origin, { restart = false } = {}) {
    this.emit("changed", { origin, restart });
    return this.#reloading;
  }

  /** Asks for the relay's figures and returns the relay; one that can't be asked keeps the last ones. */
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
    if (remote && this.#sessions.leading) return; // without Web Locks each tab has sessions of its own
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
