/** Waits that grow: jittered, so that a thousand clients do not come back to a restarted relay in the same second. */
export class Backoff {
  #attempt = 0;
  #most_ms;
  #first_ms;
  #cut = () => undefined;

  constructor({ first_ms = 1000, most_ms = 30_000 } = {}) {
    this.#first_ms = first_ms;
    this.#most_ms = most_ms;
  }

  reset() {
    this.#attempt = 0;
  }

  /** Waits longer each time, at least `least_ms`: a relay's Retry-After, which nothing cuts short. */
  async wait(least_ms = 0) {
    const longest = Math.min(this.#most_ms, this.#first_ms * 2 ** this.#attempt);
    this.#attempt += 1;
    const jittered_ms = longest * (0.5 + Math.random() / 2);
    if (least_ms > 0) await new Promise((resolve) => setTimeout(resolve, least_ms));
    if (jittered_ms > least_ms) await this.#sleep(jittered_ms - least_ms);
  }

  /** Ends the wait that is on, and begins with short ones again: something has changed. */
  anew() {
    this.reset();
    this.wake();
  }

  /** Ends the wait that is on, if any. */
  wake() {
    this.#cut();
  }

  #sleep(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#cut = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
