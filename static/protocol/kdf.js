/** A key from a passphrase: PBKDF2-HMAC-SHA256 (RFC 8018), 32 bytes, the same result with and without crypto.subtle. */
import { pbkdf2Async } from "../vendor/noble-hashes/pbkdf2.js";
import { sha256 } from "../vendor/noble-hashes/sha2.js";
import { utf8 } from "./encoding.js";
import { AbortError } from "./errors.js";

const KEY_BYTES = 32;
const SLICE_MS = 30; // then the page gets its turn

export const ITERATIONS = 600_000;

/** `onProgress(fraction)` as it goes; an aborted `signal` ends it with AbortError. */
export function deriveKey(passphrase, salt, iterations, options = {}) {
  const secret = utf8(passphrase.normalize("NFKC"));
  return globalThis.crypto.subtle ? withSubtle(secret, salt, iterations, options) : inSlices(secret, salt, iterations, options);
}

export function throwIfAborted(signal) {
  if (signal?.aborted) throw new AbortError("Cancelled. Nothing was changed.");
}

/** Lets the page paint and take input. A message, because a hidden tab's timers run once a second. */
export function breathe() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => resolve(port1.close());
    port2.postMessage(null);
  });
}

async function withSubtle(secret, salt, iterations, { onProgress, signal }) {
  const key = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveBits"]);
  const algorithm = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  const bits = await crypto.subtle.deriveBits(algorithm, key, KEY_BYTES * 8);
  throwIfAborted(signal);
  onProgress?.(1);
  return new Uint8Array(bits);
}

/** The same where a page over plain http has no crypto.subtle. */
export async function inSlices(secret, salt, iterations, { onProgress, signal } = {}) {
  const key = await pbkdf2Async(sha256, secret, salt, { c: iterations, dkLen: KEY_BYTES, asyncTick: SLICE_MS });
  throwIfAborted(signal);
  onProgress?.(1);
  return key;
}
