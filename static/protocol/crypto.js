/**
 * The only user of NaCl. Works without a secure context: `crypto.subtle` only makes it quicker. Keys, nonces and proofs are Uint8Arrays; a
 * fingerprint is 64 lower-case hex digits. Source: PROTOCOL.md, NaCl crypto_box.
 */
import "../vendor/nacl-fast.min.js";
import { sha256 as hasher } from "../vendor/js-sha256.min.mjs";
import { concat, toBase64, toHex, utf8 } from "./encoding.js";
import { WeakKeyError } from "./errors.js";

const { nacl } = globalThis;

export const KEY_BYTES = 32;
export const NONCE_BYTES = 24;
export const BOX_OVERHEAD_BYTES = 16;
/** HSalsa20 of the all-zero point: the "shared" key of every public key of small order. */
const WEAK_KEY = "351f86faa3b988468a850122b65b0acece9c4826806aeee63de9c0da2bd7f91e";
const SHARED_KEYS_KEPT = 256;
/** The canonical points of small order (RFC 7748, section 6.1): whoever seals to one seals to everybody. */
const SMALL_ORDER = [
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
  "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=", "X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=",
  "7P///////////////////////////////////////38=",
];
const PROOF_LABEL = "io3233 register v1";
const SEPARATOR = new Uint8Array([0]);

export const randomBytes = (length) => crypto.getRandomValues(new Uint8Array(length));
export const sha256 = (bytes) => new Uint8Array(hasher.arrayBuffer(bytes));
/** By the browser where the page came securely: for what is large. */
export const digest = async (bytes) => (crypto.subtle ? new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)) : sha256(bytes));
export const sha512 = (bytes) => nacl.hash(bytes);
const hmacSha256 = (key, bytes) => new Uint8Array(hasher.hmac.arrayBuffer(key, bytes));
export const fingerprintOf = (public_key) => toHex(sha256(public_key));

export function keyPairFrom(secret_key) {
  const { publicKey: public_key } = nacl.box.keyPair.fromSecretKey(secret_key);
  return { public_key, secret_key };
}

/** `{fingerprint, public_key, secret_key}` from 32 secret bytes. */
export function identityFrom(secret_key) {
  const pair = keyPairFrom(secret_key);
  return { fingerprint: fingerprintOf(pair.public_key), ...pair };
}

export const newIdentity = () => identityFrom(randomBytes(KEY_BYTES));

/**
 * Whether a key is the number below 2^255 − 19 that it stands for (RFC 7748, section 5). Other spellings of it have the same secrets under
 * another hash: somebody would have a twin with another address.
 */
export function isCanonical(public_key) {
  const [lowest, highest] = [public_key[0], public_key[KEY_BYTES - 1]];
  const above = lowest >= 0xed && highest === 0x7f && public_key.subarray(1, KEY_BYTES - 1).every((byte) => byte === 0xff);
  return highest < 0x80 && !above;
}

export const isSafeKey = (public_key) => isCanonical(public_key) && !SMALL_ORDER.includes(toBase64(public_key));

/**
 * crypto_box_beforenm. Throws WeakKeyError where the secret would be one that everybody knows (RFC 7748, section 6.1), or the key is not
 * canonical.
 */
export function sharedKey(public_key, secret_key) {
  if (!isCanonical(public_key)) throw new WeakKeyError("This public key is another spelling of somebody's key: ask for the true one.");
  const key = nacl.box.before(public_key, secret_key);
  if (toHex(key) === WEAK_KEY) throw new WeakKeyError("This public key is not safe to use: ask for another one.");
  return key;
}

// X25519 by the browser (Web Cryptography Level 2): a small part of the time, and none of this thread's. Never within a transaction, which
// ends when anything else is awaited.

const X25519 = "X25519";
const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(KEY_BYTES - 1));
const PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20); // ahead of the secret bytes: RFC 8410, section 7
const SIGMA = utf8("expand 32-byte k");
const TRIED = { secret_key: new Uint8Array(KEY_BYTES).fill(1), public_key: "pOCSkrZRwni5dyxWn1+puxPZBrRqtoyd+dwrRAn4ogk=" }; // alice's, of PROTOCOL.md's vectors
let native;

export const multipliesNatively = () => (native ??= tryNative());

async function tryNative() {
  if (!crypto.subtle) return false;
  try {
    return toBase64(await multiplied(TRIED.secret_key, BASE_POINT)) === TRIED.public_key;
  } catch (error) {
    console.debug("This browser leaves X25519 to NaCl:", error.message);
    return false;
  }
}

async function multiplied(secret_key, point) {
  const wrapped = concat(PKCS8, secret_key);
  const keys = [crypto.subtle.importKey("pkcs8", wrapped, X25519, false, ["deriveBits"]), crypto.subtle.importKey("raw", point, X25519, false, [])];
  wrapped.fill(0); // they were copied
  const [mine, theirs] = await Promise.all(keys);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: X25519, public: theirs }, mine, KEY_BYTES * 8));
}

export async function publicKeyOf(secret_key) {
  return (await multipliesNatively()) ? multiplied(secret_key, BASE_POINT) : keyPairFrom(secret_key).public_key;
}

/** sharedKey's, by the browser where it can. */
export async function agreedKey(public_key, secret_key) {
  if (!isSafeKey(public_key) || !(await multipliesNatively())) return sharedKey(public_key, secret_key);
  const key = new Uint8Array(KEY_BYTES);
  nacl.lowlevel.crypto_core_hsalsa20(key, new Uint8Array(16), await multiplied(secret_key, public_key), SIGMA);
  return key;
}

/** One costs a millisecond, so the last 256 used are kept. */
export class SharedKeys {
  #keys = new Map();
  #secret_key;

  constructor(secret_key) {
    this.#secret_key = secret_key;
  }

  with(public_key) {
    const name = toHex(public_key);
    const key = this.#keys.get(name) ?? sharedKey(public_key, this.#secret_key);
    this.#keys.delete(name);
    this.#keys.set(name, key);
    if (this.#keys.size > SHARED_KEYS_KEPT) this.#keys.delete(this.#keys.keys().next().value);
    return key;
  }
}

/** `openBox` gives null where the box was altered or is not for this key. */
export const sealBox = (plaintext, nonce, key) => nacl.box.after(plaintext, nonce, key);
export const openBox = (ciphertext, nonce, key) => nacl.box.open.after(ciphertext, nonce, key);
export const sealSecret = (plaintext, nonce, key) => nacl.secretbox(plaintext, nonce, key);
export const openSecret = (ciphertext, nonce, key) => nacl.secretbox.open(ciphertext, nonce, key);

/** Holds for one relay origin and both keys, and opens nothing else. */
export function boundProof({ identity, server_public_key, challenge, origin }) {
  const key = sharedKey(server_public_key, identity.secret_key);
  const labels = concat(utf8(PROOF_LABEL), SEPARATOR, utf8(origin), SEPARATOR);
  return hmacSha256(key, concat(labels, identity.public_key, server_public_key, challenge));
}

/** Boxes whatever 32 bytes the relay chose, so it is made only after the person agreed. */
export function olderProof({ identity, server_public_key, challenge, nonce = randomBytes(NONCE_BYTES) }) {
  const key = sharedKey(server_public_key, identity.secret_key);
  return { nonce, ciphertext: sealBox(challenge, nonce, key) };
}

const LABEL = utf8("io3233 safety number v1\0");
const GROUPS = 12;
const BYTES_PER_GROUP = 5;

const isBefore = (a, b) => {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at >= 0 && a[at] < b[at];
};

function group(digest, index) {
  const bytes = digest.subarray(index * BYTES_PER_GROUP, (index + 1) * BYTES_PER_GROUP);
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return String(number % 100_000).padStart(5, "0");
}

/** 60 digits, the same on both sides, to know that nobody sits between: SHA-512 over a label and both public keys, the lower one first. */
export function safetyNumber(one_public_key, other_public_key) {
  const ordered = isBefore(one_public_key, other_public_key) ? [one_public_key, other_public_key] : [other_public_key, one_public_key];
  const digest = sha512(concat(LABEL, ...ordered));
  return Array.from({ length: GROUPS }, (_, index) => group(digest, index)).join(" ");
}
