/** One HTTP exchange with a relay: bounded in time and size, JSON or a typed error. */
import {
  AnswerTooLargeError, BadAnswerError, ForbiddenError, LoginNeededError, MailboxFullError, NetworkError, NotFoundError, RateLimitedError,
  RejectedError, ServerError, TooLargeError, TooSlowError, UnauthorizedError,
} from "../protocol/errors.js";
import { fromUtf8 } from "../protocol/encoding.js";

const SILENCE_MS = 30_000;
const DOUBTFUL_SILENCE_MS = 4000;
const SMALL_BYTES = 8 * 1024; // what any uplink takes at once
const LONGEST_MS = 300_000;
const SLOWEST_UPLOAD = 4; // bytes a millisecond, 32 kbit/s; the relay waits as long
const USUAL_BYTES = 64 * 1024;
const LONGEST_REASON = 300;
const LONGEST_RETRY_SECONDS = 3600;

const BY_STATUS = {
  401: [UnauthorizedError, "no longer accepts this device's token"],
  403: [ForbiddenError, "does not allow this"],
  404: [NotFoundError, "does not know this"],
  413: [TooLargeError, "says that this message is too large"],
  429: [RateLimitedError, "asks for a pause"],
  507: [MailboxFullError, "has no room left for this recipient"],
};

export const uploadMs = (bytes) => bytes / SLOWEST_UPLOAD;

/** GET, or POST with a `body`. → the parsed object ({} for 204). Throws the relay errors; NetworkError when `signal` gave up a change. */
export function fetchOrThrow(origin, path, { signal, ...options } = {}) {
  const reads = !options.method && !options.body;
  return reads ? firstAnswer((cancelled, begun) => exchange(origin, path, options, cancelled, begun)) : exchange(origin, path, options, signal);
}

async function exchange(origin, path, { method, token, body, most_bytes = USUAL_BYTES }, cancelled, begun) {
  const text = body && JSON.stringify(body);
  const patience = new Patience(firstMs(method, text), cancelled);
  try {
    const response = await send(origin, path, { method, token, body: text, patience });
    begun?.();
    if (asksForLogin(response)) throw loginNeeded(origin, response);
    if (response.status === 204) return {};
    const bytes = await readBounded(response, origin, most_bytes, patience);
    return readAnswer(response, parseObject(bytes), origin);
  } finally {
    patience.end();
  }
}

/** A relay answers in JSON and never redirects. A login proxy does, or puts its page in place of the answer. */
function asksForLogin({ type, status, headers }) {
  const isPage = headers.get("Content-Type")?.startsWith("text/html");
  return type === "opaqueredirect" || (isPage && [200, 401, 403].includes(status));
}

const loginNeeded = (origin, { status }) =>
  new LoginNeededError(`${origin} answers with a web page, or sends elsewhere, in place of data. If a login stands in front of it, whoever runs it must let /v1 through without one; else check the address.`, { origin, status });

function readAnswer(response, answer, origin) {
  if (!response.ok) throw errorFor(response, answer, origin);
  if (answer === null) throw new BadAnswerError(`${origin} does not answer like a chat server (no JSON). Check the address, or ask its operator.`, { origin, status: response.status });
  return answer;
}

/** Ends with a relay that is silent for `first_ms`, or later for 30 s, not with a large answer that takes longer; and with any after five minutes. */
class Patience {
  #controller = new AbortController();
  #longest;
  #silence = 0;
  lost = false;

  constructor(first_ms, cancelled) {
    this.#longest = setTimeout(() => this.#lose(), LONGEST_MS + first_ms);
    this.#wait(first_ms);
    cancelled?.addEventListener("abort", () => this.#controller.abort());
    if (cancelled?.aborted) this.#controller.abort();
  }

  get signal() {
    return this.#controller.signal;
  }

  renew() {
    this.#wait(SILENCE_MS);
  }

  end() {
    clearTimeout(this.#silence);
    clearTimeout(this.#longest);
  }

  #wait(milliseconds) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lose(), milliseconds);
  }

  #lose() {
    this.lost = true;
    this.#controller.abort();
  }
}

function firstMs(method, text = "") {
  const doubtful = (method || text) && inDoubt() && text.length < SMALL_BYTES;
  return (doubtful ? DOUBTFUL_SILENCE_MS : SILENCE_MS) + uploadMs(text.length);
}

async function send(origin, path, { method, token, body, patience }) {
  const headers = { ...(token && { Authorization: `Bearer ${token}` }), ...(body && { "Content-Type": "application/json" }) };
  try {
    return await fetch(origin + path, {
      method: method ?? (body ? "POST" : "GET"),
      headers,
      body,
      signal: patience.signal,
      cache: "no-store", credentials: "omit", redirect: "manual", referrerPolicy: "no-referrer",
    });
  } catch (error) {
    throw patience.lost ? tooSlow(origin, error) : unreachable(origin, error);
  }
}

function tooSlow(origin, cause) {
  return new TooSlowError(`${origin} did not answer in time: the connection is slow or broken. It is tried again by itself.`, { origin, cause });
}

function unreachable(origin, cause) {
  const blocked = globalThis.location?.protocol === "https:" && origin.startsWith("http:");
  const hint = blocked ? "A page opened over https cannot use a server over plain http." : "It is tried again by itself.";
  return new NetworkError(`${origin} can't be reached. ${hint}`, { origin, cause });
}

/** A relay that never ends its answer must not fill this device's memory. */
async function readBounded(response, origin, most_bytes, patience) {
  const chunks = [];
  let length = 0;
  try {
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      patience.renew();
      length += value.length;
      if (length > most_bytes) {
        await reader.cancel();
        throw new AnswerTooLargeError(`${origin} sent an answer larger than ${most_bytes} bytes. Nothing of it was used.`, { origin });
      }
      chunks.push(value);
    }
  } catch (error) {
    throw error instanceof BadAnswerError ? error : unreachable(origin, error);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function parseObject(bytes) {
  try {
    const answer = JSON.parse(fromUtf8(bytes));
    return answer !== null && typeof answer === "object" && !Array.isArray(answer) ? answer : null;
  } catch {
    return null; // each caller has its own error for that
  }
}

function errorFor(response, answer, origin) {
  const { status } = response;
  const [ErrorClass, says] = BY_STATUS[status] ?? (status >= 500 ? [ServerError, "has a problem of its own"] : [RejectedError, "refused this"]);
  const reason = typeof answer?.error === "string" ? `: ${answer.error.slice(0, LONGEST_REASON)}` : ` (${status}).`;
  return new ErrorClass(`${origin} ${says}${reason}`, { origin, status, ...(status === 429 && { retry_after_seconds: retryAfter(response) }) });
}

/** In seconds, clamped: a relay must not silence this device for a year. */
function retryAfter(response) {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), LONGEST_RETRY_SECONDS) : 10;
}

// A device that slept, or came to another network, holds connections that look alive and swallow what they are told. So for a while a question
// is asked again on another one, and the first answer counts.

const DOUBT_MS = 10_000;
const AGAIN_AFTER_MS = 1000;
const MOST_AT_ONCE = 3; // browsers open six to a host, and something else may wait on the others

let woke_at = -Infinity;

export function doubtConnections() {
  woke_at = performance.now();
}

export const inDoubt = () => performance.now() - woke_at < DOUBT_MS;

/** The first answer to `ask(signal, begun)`, which only reads. Once one has `begun()` the others are called off. */
export async function firstAnswer(ask) {
  const asked = new Set();
  const keepOnly = (asking) => asked.forEach((other) => other !== asking && other.abort());
  let timer;
  try {
    return await new Promise((resolve, reject) => {
      const askOnce = () => {
        const asking = new AbortController();
        asked.add(asking);
        for (const oldest of [...asked].slice(0, -MOST_AT_ONCE)) {
          oldest.abort(); // or all that a browser opens are dead ones
          asked.delete(oldest);
        }
        const begun = () => asking.signal.aborted || (clearInterval(timer), keepOnly(asking));
        ask(asking.signal, begun).then(resolve, (error) => asking.signal.aborted || reject(error));
      };
      timer = setInterval(() => inDoubt() && askOnce(), AGAIN_AFTER_MS);
      askOnce();
    });
  } finally {
    clearInterval(timer);
    keepOnly(null);
  }
}
