/**
 * The tabs of one browser. One of them leads: it holds the sockets, sends and notifies. Where there are no Web Locks (plain
 * http) each tab leads itself; what they store is told apart by its ids, so nothing is kept twice.
 */
import { SharedEventTarget } from "./shared-events.js";

const LOCK = "io3233-leader";
const ANNOUNCE_EVERY_MS = 10_000;
const FORGET_AFTER_MS = 25_000;

export class Tabs extends SharedEventTarget {
  #me = crypto.getRandomValues(new Uint32Array(2)).join("-");
  #thread = null;
  #audible = false;
  #others = new Map(); // id → {visible, thread, audible, at}; entries lapse when a tab stops announcing itself

  constructor() {
    super("io3233-tabs");
    this.addEventListener("here", ({ detail, remote }) => remote && this.#others.set(detail.id, { ...detail, at: performance.now() }));
    this.addEventListener("gone", ({ detail }) => this.#others.delete(detail.id));
    document.addEventListener("visibilitychange", () => this.#announce());
    addEventListener("pagehide", () => this.emit("gone", { id: this.#me }));
    setInterval(() => this.#announce(), ANNOUNCE_EVERY_MS);
  }

  get id() {
    return this.#me;
  }

  /** Whose claims on queued messages count as this tab's: with a lock, those of whoever led before. */
  get sender() {
    return navigator.locks ? "leader" : this.#me;
  }

  get visible() {
    return document.visibilityState === "visible";
  }

  /** Resolves once this tab leads. It leads until it is closed. */
  lead() {
    if (!navigator.locks) return Promise.resolve();
    return new Promise((leading, failed) => {
      const untilClosed = () => new Promise(() => leading());
      navigator.locks.request(LOCK, untilClosed).catch(failed);
    });
  }

  /** The thread on screen in this tab, or null. */
  show(thread) {
    this.#thread = thread;
    this.#announce();
  }

  get thread() {
    return this.#thread;
  }

  /** This tab may play sounds from now on: the person has touched the page. */
  becomeAudible() {
    this.#audible = true;
    this.#announce();
  }

  /** Fingerprints of the threads on screen in visible tabs. */
  reading() {
    const shown = this.#all().filter(({ visible, thread }) => visible && thread);
    return new Set(shown.map(({ thread }) => thread));
  }

  /** Has exactly one tab beep, this one if it may. */
  beep() {
    const tab = this.#all().find(({ audible }) => audible);
    if (tab) this.emit("beep", { id: tab.id });
  }

  #all() {
    const recent = performance.now() - FORGET_AFTER_MS; // monotonic: a clock set back must not keep a closed tab alive
    for (const [id, { at }] of this.#others) if (at < recent) this.#others.delete(id);
    return [this.#state(), ...this.#others.values()];
  }

  #state() {
    return { id: this.#me, visible: this.visible, thread: this.#thread, audible: this.#audible };
  }

  #announce() {
    this.emit("here", this.#state());
  }
}
