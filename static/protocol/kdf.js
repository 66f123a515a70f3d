/**
 * A key of 32 bytes from a passphrase: scrypt (RFC 7914), and for older files PBKDF2-HMAC-SHA256 (RFC 8018). Both let the page paint and be
 * cancelled.
 */
import { utf8 } from "./encoding.js";
import { AbortError, OutOfMemoryError, WeakPassphraseError } from "./errors.js";
import { randomBytes } from "./crypto.js";

const KEY_BYTES = 32;
const SLICE_MS = 30;

/** 128 MiB, and a second or two of a phone; what one guess costs whoever has the file. */
export const SCRYPT = { n: 2 ** 17, r: 8, p: 1 };

/** What a file may ask for: enough to slow guessing down, and no more than a phone has. `n` is a power of two. */
const SCRYPT_MOST = { n: 2 ** 18, p: 4 };
const SCRYPT_LEAST_N = 2 ** 15;
const PBKDF2_LEAST = 100_000;
const PBKDF2_MOST = 10_000_000;

export const isScrypt = ({ n, r, p }) =>
  Number.isInteger(n) && n >= SCRYPT_LEAST_N && n <= SCRYPT_MOST.n && Number.isInteger(Math.log2(n)) &&
  r === SCRYPT.r && Number.isInteger(p) && p >= 1 && p <= SCRYPT_MOST.p;

export const isPbkdf2 = ({ iterations }) => Number.isInteger(iterations) && iterations >= PBKDF2_LEAST && iterations <= PBKDF2_MOST;

/** An aborted `signal` ends it with AbortError. Throws OutOfMemoryError. */
export async function scryptKey(passphrase, salt, { n: N, r, p }, { onProgress, signal } = {}) {
  const tell = (fraction) => {
    throwIfAborted(signal);
    onProgress?.(fraction);
  };
  const { scryptAsync } = await import("../vendor/noble-hashes/scrypt.js");
  try {
    return await scryptAsync(secretOf(passphrase), salt, { N, r, p, dkLen: KEY_BYTES, asyncTick: SLICE_MS, onProgress: tell });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new OutOfMemoryError(`This takes ${(N * r * 128) / 2 ** 20} MiB of memory, which this device does not have free: close other pages and try again.`, { cause: error });
  }
}

export function pbkdf2Key(passphrase, salt, { iterations }, options = {}) {
  const secret = secretOf(passphrase);
  return globalThis.crypto.subtle ? withSubtle(secret, salt, iterations, options) : inSlices(secret, salt, iterations, options);
}

const secretOf = (passphrase) => utf8(passphrase.normalize("NFKC"));

export function throwIfAborted(signal) {
  if (signal?.aborted) throw new AbortError("Cancelled. Nothing was changed.");
}

/** A message, because a hidden tab's timers run once a second. */
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

/** Over plain http there is no crypto.subtle. */
async function inSlices(secret, salt, iterations, { onProgress, signal } = {}) {
  const [{ pbkdf2Async }, { sha256 }] = await Promise.all([import("../vendor/noble-hashes/pbkdf2.js"), import("../vendor/noble-hashes/sha2.js")]);
  const key = await pbkdf2Async(sha256, secret, salt, { c: iterations, dkLen: KEY_BYTES, asyncTick: SLICE_MS });
  throwIfAborted(signal);
  onProgress?.(1);
  return key;
}

// Whoever has a backup can guess for as long as they like.

const LEAST_CHARACTERS = 12;
const LEAST_DIFFERENT = 6;
const WORDS = 6; // of 2048: 66 bits

export function refuseWeak(passphrase) {
  const characters = [...passphrase.normalize("NFKC").trim()];
  const strong = characters.length >= LEAST_CHARACTERS && new Set(characters).size >= LEAST_DIFFERENT;
  if (!strong) throw new WeakPassphraseError(`Use at least ${LEAST_CHARACTERS} characters, ${LEAST_DIFFERENT} different ones among them; six random words are better.`);
}

export async function sixWords() {
  const { wordlist } = await import("../vendor/bip39-english.js");
  const numbers = new Uint16Array(randomBytes(WORDS * Uint16Array.BYTES_PER_ELEMENT).buffer);
  return Array.from(numbers, (number) => wordlist[number % wordlist.length]).join(" "); // 2048 divides 65536: none is likelier
}
