/** A key from a passphrase: PBKDF2-HMAC-SHA256 (RFC 8018), 32 bytes, the same result with and without crypto.subtle. */
import { concat, utf8 } from "./encoding.js";
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

/** One block is all that 32 bytes take: T = U1 xor U2 xor …, each U the HMAC of the one before. */
export async function inSlices(secret, salt, iterations, { onProgress, signal } = {}) {
  const hmac = new globalThis.sha256.HMAC(secret);
  const block = new Uint8Array(KEY_BYTES);
  hmac.update(concat(salt, new Uint8Array([0, 0, 0, 1]))).finish(block);
  const key = block.slice();
  for (let done = 1; done < iterations; ) {
    done = slice(hmac, block, key, done, iterations);
    onProgress?.(done / iterations);
    await breathe();
    throwIfAborted(signal);
  }
  return key;
}

function slice(hmac, block, key, done, iterations) {
  const end = performance.now() + SLICE_MS;
  while (done < iterations && (done % 64 !== 0 || performance.now() < end)) {
    hmac.reset().update(block).finish(block);
    for (let i = 0; i < KEY_BYTES; i += 1) key[i] ^= block[i];
    done += 1;
  }
  return done;
}
