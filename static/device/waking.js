/**
 * Tells that this device or page was away and is back: by the browser's own events, and by a timer that finds the clock ahead of where
 * it should be, for a computer that wakes with the page on screen fires none of them. Emits "woke".
 */
const LOOK_EVERY_MS = 2000;
const SLEPT_MS = 8000;
const SLEPT_HIDDEN_MS = 90_000; // browsers run the timers of hidden pages once a minute

export class Waking extends EventTarget {
  #looked_at = Date.now(); // the monotonic clock stands still while a device sleeps

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
