/**
 * One relay's WebSocket: hints that there is mail, and liveness. Events: "connecting" · "live" · "hint" {id} · "lost" {error: Error|null,
 * opened}. `opened`: the socket had been live. After any close it tries again.
 */
import { inDoubt } from "./http.js";
import { RateLimitedError } from "../protocol/errors.js";

const PROTOCOL = "3233.v1";
const PING_EVERY_MS = 25_000;
const ANSWER_WITHIN_MS = 10_000;
const DOUBTFUL_ANSWER_WITHIN_MS = 4000;
const STEADY_AFTER_MS = 10_000;

export class Connection extends EventTarget {
  #url;
  #prepare;
  #backoff = new Backoff();
  #socket = null;
  #stopped = false;
  #silence = 0;
  #opened = false;
  #giveUp = () => undefined;

  /** `prepare()` runs before every attempt: `{token, bound}`; what it throws is reported and waited out. */
  constructor(origin, prepare) {
    super();
    this.#url = `${origin.replace(/^http/, "ws")}/v1/ws`;
    this.#prepare = prepare;
  }

  async run() {
    while (!this.#stopped) {
      const error = await this.#attempt();
      if (this.#stopped) return;
      this.#tell("lost", { error, opened: this.#opened });
      await this.#backoff.wait(error instanceof RateLimitedError ? error.retry_after_seconds * 1000 : 0);
    }
  }

  get live() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Tries now, or, when live, makes sure that it really is. */
  wake() {
    this.#backoff.anew();
    this.#ping();
  }

  stop() {
    this.#stopped = true;
    this.#backoff.wake();
    this.#end();
  }

  async #attempt() {
    this.#tell("connecting");
    this.#opened = false;
    try {
      const pass = await this.#prepare();
      if (!this.#stopped) await this.#stay(this.#open(pass));
      return null;
    } catch (error) {
      return error;
    }
  }

  /** A token in a URL ends in logs: only a relay that knows no better (no bound proof either) gets it there. */
  #open({ token, bound }) {
    this.#socket = bound ? new WebSocket(this.#url, [PROTOCOL, `bearer.${token}`]) : new WebSocket(`${this.#url}?token=${token}`);
    this.#expectAnswer();
    return this.#socket;
  }

  async #stay(socket) {
    const steady = setTimeout(() => socket.readyState === WebSocket.OPEN && this.#backoff.reset(), STEADY_AFTER_MS);
    const pinging = setInterval(() => this.#ping(), PING_EVERY_MS);
    socket.onmessage = ({ data }) => this.#receive(data);
    await new Promise((resolve) => {
      socket.onclose = resolve;
      this.#giveUp = resolve; // it may take a minute to close
    });
    socket.onmessage = null;
    clearTimeout(steady);
    clearInterval(pinging);
    clearTimeout(this.#silence);
  }

  /** A half-open socket looks alive for minutes: one unanswered ping ends it. */
  #ping() {
    if (!this.live) return;
    this.#expectAnswer();
    this.#socket.send('{"type":"ping"}');
  }

  #expectAnswer() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#end(), inDoubt() ? DOUBTFUL_ANSWER_WITHIN_MS : ANSWER_WITHIN_MS);
  }

  #end() {
    this.#socket?.close();
    this.#giveUp();
  }

  #receive(data) {
    clearTimeout(this.#silence);
    const frame = parseFrame(data);
    if (frame?.type === "connected") this.#greeted();
    if (frame?.type === "new_message") this.#tell("hint", { id: Number.isSafeInteger(frame.id) ? frame.id : Infinity });
  }

  #greeted() {
    this.#opened = true;
    this.#tell("live");
  }

  #tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function parseFrame(data) {
  try {
    return JSON.parse(data);
  } catch {
    return null; // only a hint: the poll finds whatever it stood for
  }
}

/** Jittered, so that a thousand clients do not come back to a restarted relay in the same second. */
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

  /** Longer each time, at least `least_ms`: a relay's Retry-After, which nothing cuts short. */
  async wait(least_ms = 0) {
    const longest = Math.min(this.#most_ms, this.#first_ms * 2 ** this.#attempt);
    this.#attempt += 1;
    const jittered_ms = longest * (0.5 + Math.random() / 2);
    if (least_ms > 0) await new Promise((resolve) => setTimeout(resolve, least_ms));
    if (jittered_ms > least_ms) await this.#sleep(jittered_ms - least_ms);
  }

  anew() {
    this.reset();
    this.wake();
  }

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
