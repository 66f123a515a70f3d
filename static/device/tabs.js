/**
 * One tab of a browser leads: it holds the sockets, sends and notifies. Without Web Locks (plain http) each does; what they store is told
 * apart by its ids. Phones freeze tabs in the background, with whatever lock they hold: a tab on screen takes over from a leader that does
 * not answer.
 */
import { SharedEventTarget, keepItem, sessionItems } from "../store/browser.js";

export const LEADER_LOCK = "io3233-leader";
const THERE = "io3233-tab-"; // each tab holds one of these under its id
const ID_ITEM = "io3233_tab"; // only between two documents, so that a copy of a tab gets none
const ANNOUNCE_EVERY_MS = 10_000;
const FORGET_AFTER_MS = 25_000;
const ANSWER_WITHIN_MS = 5000;

export class Tabs extends SharedEventTarget {
  #me = sessionItems().getItem(ID_ITEM) ?? crypto.getRandomValues(new Uint32Array(2)).join("-"); // a reloaded tab goes on with its claims
  #thread = null;
  #audible = false;
  #leading = false;
  #answered = true;
  #start = () => undefined;
  #stop = () => undefined;
  #others = new Map(); // id → {visible, thread, audible, at}; lapse when a tab is silent

  constructor() {
    super("io3233-tabs");
    sessionItems().removeItem(ID_ITEM);
    this.addEventListener("here", ({ detail, remote }) => remote && this.#others.set(detail.id, { ...detail, at: performance.now() }));
    this.addEventListener("gone", ({ detail }) => this.#others.delete(detail.id));
    // A frozen tab may still get messages, but runs no timers, and could not fetch either.
    this.addEventListener("who-leads", () => this.#leading && setTimeout(() => this.emit("i-lead")));
    this.addEventListener("i-lead", () => (this.#answered = true));
    navigator.locks?.request(THERE + this.#me, () => new Promise(() => undefined)); // the browser lets go of it with the tab, even in a crash
    document.addEventListener("visibilitychange", () => this.#announce());
    addEventListener("pagehide", () => this.#leave());
    setInterval(() => this.#announce(), ANNOUNCE_EVERY_MS);
    setInterval(() => this.#watchLeader(), ANSWER_WITHIN_MS);
  }

  get id() {
    return this.#me;
  }

  get leading() {
    return this.#leading;
  }

  /** Under which messages are claimed: with a lock, by whoever leads. */
  get sender() {
    return navigator.locks ? "leader" : this.#me;
  }

  get visible() {
    return document.visibilityState === "visible";
  }

  lead(start, stop) {
    this.#start = start;
    this.#stop = stop;
    if (navigator.locks) this.#request({});
    else start();
  }

  show(thread) {
    this.#thread = thread;
    this.#announce();
  }

  get thread() {
    return this.#thread;
  }

  becomeAudible() {
    this.#audible = true;
    this.#announce();
  }

  /** → a function: the Set of fingerprints on screen in visible tabs at its call. */
  async reading() {
    await this.#all();
    return () => {
      const shown = [this.#state(), ...this.#others.values()].filter(({ visible, thread }) => visible && thread);
      return new Set(shown.map(({ thread }) => thread));
    };
  }

  /** Exactly one tab, this one if it may. */
  async beep() {
    const tab = (await this.#all()).find(({ audible }) => audible);
    if (tab) this.emit("beep", { id: tab.id });
  }

  async #request(options) {
    const untilClosed = () => new Promise(() => this.#begin());
    try {
      await navigator.locks.request(LEADER_LOCK, options, untilClosed);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
      this.#leading = false; // stolen: this tab was frozen, and is back
      this.#stop();
      this.#request({});
    }
  }

  #begin() {
    this.#leading = true;
    this.#start();
  }

  /** Looks one interval later whether somebody answered. */
  #watchLeader() {
    if (this.#leading || !this.visible || !navigator.locks) return void (this.#answered = true);
    if (!this.#answered) this.#request({ steal: true });
    this.#answered = false;
    this.emit("who-leads");
  }

  /** A tab that crashed said nothing of that: its lock is gone. */
  async #all() {
    const there = await this.#there();
    const recent = performance.now() - FORGET_AFTER_MS; // monotonic: a clock set back must not keep a closed tab alive
    for (const [id, { at }] of this.#others) if (at < recent || !there(id)) this.#others.delete(id);
    return [this.#state(), ...this.#others.values()];
  }

  /** Whether the tab of an id is there; all are where there are no locks. */
  async #there() {
    if (!navigator.locks) return () => true;
    const { held, pending } = await navigator.locks.query();
    const names = new Set([...held, ...pending].map(({ name }) => name));
    return (id) => names.has(THERE + id);
  }

  #leave() {
    keepItem(sessionItems(), ID_ITEM, this.#me);
    this.emit("gone", { id: this.#me });
  }

  #state() {
    return { id: this.#me, visible: this.visible, thread: this.#thread, audible: this.#audible };
  }

  #announce() {
    this.emit("here", this.#state());
  }
}

// Emits "woke": this device or page was away and is back. By the browser's events, and a timer that finds the clock ahead: a computer that
// wakes with the page on screen fires none.

const LOOK_EVERY_MS = 2000;
const SLEPT_MS = 8000;
const SLEPT_HIDDEN_MS = 90_000; // hidden pages have timers once a minute

export class Waking extends EventTarget {
  #looked_at = Date.now(); // the monotonic one stands still in sleep

  constructor() {
    super();
    addEventListener("online", () => this.#tell());
    addEventListener("pageshow", ({ persisted }) => persisted !== false && this.#tell()); // false: the page's own loading
    document.addEventListener("visibilitychange", () => this.#visible && this.#tell());
    setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  get #visible() {
    return document.visibilityState === "visible";
  }

  #look() {
    const away_ms = Date.now() - this.#looked_at;
    this.#looked_at += away_ms;
    if (away_ms > (this.#visible ? SLEPT_MS : SLEPT_HIDDEN_MS)) this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("woke"));
  }
}
