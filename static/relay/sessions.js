/** The sessions of the tab that leads, one a relay. Emits "state" {origin, state, message}. */
export class Sessions extends EventTarget {
  #make;
  #sessions = null; // origin → Session; null while another tab leads

  /** `make(origin)` makes a Session; this class starts and stops it. */
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

  /** Ends the relay's session, if any, and starts a new one. */
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
