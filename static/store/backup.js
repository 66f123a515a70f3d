/**
 * One file with everything this device keeps, encrypted with a passphrase: PBKDF2-HMAC-SHA256 makes the key, NaCl secretbox
 * seals. The file is JSON: {format, version, kdf, iterations, salt, nonce, sha256, box}. `sha256` (of the box) tells a damaged
 * file from a wrong passphrase; the secretbox is what keeps out an altered one.
 */
import { readBackup, replaceEverything, snapshot } from "./backup-content.js";
import { result } from "./database.js";
import { openSecret, randomBytes, sealSecret, sha256 } from "../protocol/crypto.js";
import { fromBase64, fromUtf8, toBase64, toHex, utf8 } from "../protocol/encoding.js";
import { DamagedBackupError, EncodingError, NewerBackupError, NotABackupError, WeakPassphraseError, WrongPassphraseError } from "../protocol/errors.js";
import { ITERATIONS, breathe, deriveKey, throwIfAborted } from "../protocol/kdf.js";

const FORMAT = "io3233-backup";
const VERSION = 1;
const KDF = "PBKDF2-HMAC-SHA256";
const SALT_BYTES = 16;
const NONCE_BYTES = 24;
const LEAST_CHARACTERS = 8;
const LEAST_ITERATIONS = 100_000;
const MOST_ITERATIONS = 10_000_000;
const MOST_BYTES = 512 * 1024 * 1024;
const KDF_SHARE = 0.8; // of the work, for the progress shown

/** → Blob. `onProgress(fraction 0…1)`; `signal`: an AbortSignal. Throws WeakPassphraseError, AbortError. */
export async function exportBackup(store, passphrase, { history = true, onProgress, signal } = {}) {
  if (passphrase.length < LEAST_CHARACTERS) {
    throw new WeakPassphraseError(`Use at least ${LEAST_CHARACTERS} characters; four random words are better.`);
  }
  const plaintext = utf8(await snapshot(store, { history }));
  const [salt, nonce] = [randomBytes(SALT_BYTES), randomBytes(NONCE_BYTES)];
  const key = await deriveKey(passphrase, salt, ITERATIONS, { signal, onProgress: (done) => onProgress?.(done * KDF_SHARE) });
  const box = sealSecret(plaintext, nonce, key);
  await breathe();
  throwIfAborted(signal);
  const fields = { format: FORMAT, version: VERSION, kdf: KDF, iterations: ITERATIONS };
  const sealed = { salt: toBase64(salt), nonce: toBase64(nonce), sha256: toHex(sha256(box)), box: toBase64(box) };
  onProgress?.(1);
  return new Blob([JSON.stringify({ ...fields, ...sealed })], { type: "application/json" });
}

/**
 * Opens a backup and changes nothing: what it holds, what it would replace, and `apply()`. Throws NotABackupError,
 * NewerBackupError, DamagedBackupError, WrongPassphraseError, AbortError.
 */
export async function openBackup(store, file, passphrase, { onProgress, signal } = {}) {
  const sealed = await readSealed(file);
  const key = await deriveKey(passphrase, sealed.salt, sealed.iterations, { signal, onProgress: (done) => onProgress?.(done * KDF_SHARE) });
  const plaintext = openSecret(sealed.box, sealed.nonce, key);
  if (plaintext === null) throw new WrongPassphraseError("This passphrase does not open the backup. Nothing was changed.");
  const content = readBackup(fromUtf8(plaintext));
  await breathe();
  throwIfAborted(signal);
  onProgress?.(1);
  return { ...(await summary(store, content)), apply: (options) => replaceEverything(store, content, options) };
}

async function readSealed(file) {
  if (file.size > MOST_BYTES) throw new NotABackupError("This file is too large to be a backup.");
  const fields = parse(await file.text());
  if (fields.version !== VERSION) throw new NewerBackupError("This backup was made by a newer client: update this page first.");
  const sealed = decode(fields);
  const { iterations } = fields;
  const sound = fields.kdf === KDF && Number.isInteger(iterations) && iterations >= LEAST_ITERATIONS && iterations <= MOST_ITERATIONS;
  if (!sound || toHex(sha256(sealed.box)) !== fields.sha256) throw damaged();
  return { ...sealed, iterations };
}

const damaged = () => new DamagedBackupError("This backup is damaged: it was cut or altered. Nothing was changed. Try another copy of it.");

function parse(text) {
  try {
    const fields = JSON.parse(text);
    if (fields?.format === FORMAT) return fields;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    if (text.startsWith(`{"format":"${FORMAT}"`)) throw damaged();
  }
  throw new NotABackupError("This file is not a backup of this client.");
}

function decode({ salt, nonce, box }) {
  try {
    return { salt: fromBase64(salt, SALT_BYTES), nonce: fromBase64(nonce, NONCE_BYTES), box: fromBase64(box) };
  } catch (error) {
    if (error instanceof EncodingError) throw damaged();
    throw error;
  }
}

async function summary(store, { identity, created_at, history, contacts, relays, messages }) {
  const count = (name) => store.db.read([name], (stores) => result(stores[name].count()));
  const mine = await store.value("identity"); // none where the database was lost
  return {
    fingerprint: identity.fingerprint, created_at, history,
    contacts: contacts.length, relays: relays.length, messages: messages.length,
    same_identity: identity.fingerprint === mine?.fingerprint,
    replaces: { fingerprint: mine?.fingerprint ?? "", contacts: await count("contacts"), messages: await count("messages") },
  };
}
