/**
 * One relay while this tab leads. Emits "state" {state, message}: live, connecting, polling (mail comes, but no socket opens), offline, or
 * one that only the person can end.
 */
import { Backoff, Connection } from "./connection.js";
import { ClientError, InviteNeededError, OlderProofError, OutdatedTabError, RateLimitedError, RelayKeyChangedError, RelayKeyError } from "../protocol/errors.js";

const POLL_MS = 30_000;
const NO_SOCKET =
  "No live connection here: messages are looked for every 30 s. A proxy in front of the server must pass WebSockets on (Upgrade and Connection).";

/** Only the person can clear these: asking again would change nothing. */
const STATE_OF = [
  [OlderProofError, "needs-consent"],
  [InviteNeededError, "needs-invite"],
  [RelayKeyError, "refused"],
  [RelayKeyChangedError, "refused"],
];

export class Session extends EventTarget {
  #inbox;
  #connection;
  #poll = 0;
  #draining = null;
  #backoff = new Backoff();
  #retrying = false;
  #hinted = null;
  #paused_until = 0;
  #state = "";
  #message = "";
  #stopped = false;

  constructor({ origin, inbox, pass }) {
    super();
    this.#inbox = inbox;
    // Mail is fetched before the socket opens: that works where sockets don't, and finds out about a refused token, which looks like a failed
    // handshake.
    this.#connection = new Connection(origin, async () => {
      await this.#drain();
      return pass();
    });
    this.#connection.addEventListener("connecting", () => this.#connecting());
    this.#connection.addEventListener("live", () => this.#live());
    this.#connection.addEventListener("hint", ({ detail }) => this.#fetch(detail.id));
    this.#connection.addEventListener("lost", ({ detail }) => this.#lost(detail));
  }

  start() {
    this.#poll = setInterval(() => this.#fetch(), POLL_MS);
    this.#connection.run();
  }

  stop() {
    this.#stopped = true;
    clearInterval(this.#poll);
    this.#connection.stop();
  }

  wake() {
    if (this.#stopped) return;
    this.#backoff.anew();
    this.#connection.wake();
    this.#fetch();
  }

  drain() {
    return this.#drain();
  }

  /** After a failure it changes nothing yet: the badge would flicker. */
  #connecting() {
    if (this.#state !== "offline" && this.#state !== "polling") this.#report("connecting", "");
  }

  #live() {
    this.#report("live", "");
    this.#fetch(); // what came between the fetch and the socket
  }

  /** Beside the connection's. A failure shows as state. */
  async #fetch(hinted_id) {
    if (this.#stopped || performance.now() < this.#paused_until) return;
    try {
      await this.#drain(hinted_id);
      this.#backoff.reset();
      if (this.#connection.live) this.#report("live", "");
    } catch (error) {
      this.#failed(error);
      if (this.#connection.live) this.#retryLater(error);
    }
  }

  /** The socket lives on, so nothing would try again before the next poll. */
  async #retryLater({ retry_after_seconds = 0 }) {
    if (this.#retrying) return;
    this.#retrying = true;
    await this.#backoff.wait(retry_after_seconds * 1000);
    this.#retrying = false;
    if (!this.#stopped) this.#fetch();
  }

  /** One at a time. A hint during one makes another follow, for it may have come after the last page. */
  #drain(hinted_id = Infinity) {
    this.#hinted = Math.min(this.#hinted ?? Infinity, hinted_id);
    this.#draining ??= this.#drainAll().finally(() => (this.#draining = null));
    return this.#draining;
  }

  async #drainAll() {
    while (this.#hinted !== null) {
      const hinted_id = this.#hinted;
      this.#hinted = null;
      await this.#inbox.drain(hinted_id);
    }
  }

  /** Where mail was fetched and the socket never opens, something between lets none through. */
  #lost({ error, opened }) {
    if (error) this.#failed(error);
    else if (opened) this.#report("connecting", "The connection was lost. Connecting again.");
    else this.#report("polling", NO_SOCKET);
  }

  #failed(error) {
    this.#hinted = null;
    if (error instanceof OutdatedTabError) return this.stop();
    if (!(error instanceof ClientError)) console.error(error);
    if (error instanceof RateLimitedError) this.#paused_until = performance.now() + error.retry_after_seconds * 1000;
    const [, state] = STATE_OF.find(([ErrorClass]) => error instanceof ErrorClass) ?? [null, "offline"];
    if (state !== "offline") this.stop();
    this.#report(state, error instanceof ClientError ? error.message : "This page failed: reload it.");
  }

  #report(state, message) {
    if (state === this.#state && message === this.#message) return;
    this.#state = state;
    this.#message = message;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, message } }));
  }
}

/** Of the tab that leads, one a relay. Emits "state" {origin, state, message}. */
export class Sessions extends EventTarget {
  #make;
  #sessions = null; // origin → Session; null while another tab leads

  constructor(make) {
    super();
    this.#make = make;
  }

  get leading() {
    return this.#sessions !== null;
  }

  lead(origins) {
    this.#sessions = new Map();
    for (const origin of origins) this.restart(origin);
  }

  follow() {
    for (const session of this.#sessions?.values() ?? []) session.stop();
    this.#sessions = null;
  }

  restart(origin) {
    if (!this.leading) return;
    this.end(origin);
    const session = this.#make(origin);
    session.addEventListener("state", ({ detail }) => this.#sessions?.get(origin) === session && this.#tell({ origin, ...detail }));
    this.#sessions.set(origin, session);
    session.start();
  }

  end(origin) {
    this.#sessions?.get(origin)?.stop();
    this.#sessions?.delete(origin);
  }

  drain(origin) {
    return this.#sessions.get(origin).drain();
  }

  wake() {
    for (const session of this.#sessions?.values() ?? []) session.wake();
  }

  #tell(detail) {
    this.dispatchEvent(new CustomEvent("state", { detail }));
  }
}
