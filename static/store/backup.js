/**
 * All that this device keeps, sealed with a key from a passphrase (PROTOCOL.md, "Backup file"). `sha256` (of the box) tells a damaged file
 * from a wrong passphrase; the secretbox keeps out an altered one.
 */
import { openSecret, randomBytes, sealSecret, sha256 } from "../protocol/crypto.js";
import { fromBase64, toBase64, toHex, utf8 } from "../protocol/encoding.js";
import { DamagedBackupError, EncodingError, NewerBackupError, NotABackupError, WrongPassphraseError } from "../protocol/errors.js";
import { SCRYPT, breathe, isPbkdf2, isScrypt, pbkdf2Key, refuseWeak, scryptKey, throwIfAborted } from "../protocol/kdf.js";
import { readBackup, replaceEverything, snapshot } from "./backup-content.js";
import { clearMark, localItems } from "./browser.js";
import { result } from "./database.js";
import { lostAddress, restoreIdentity } from "./identity.js";
import { Store } from "./store.js";

const FORMAT = "io3233-backup";
const VERSION = 2;
const SALT_BYTES = 16;
const NONCE_BYTES = 24;
const MOST_BYTES = 512 * 1024 * 1024;
const KDF_SHARE = 0.8;

/** By version: its name, whether a file's parameters are in bounds, and the key. */
const KDFS = {
  1: { kdf: "PBKDF2-HMAC-SHA256", inBounds: isPbkdf2, key: pbkdf2Key },
  2: { kdf: "scrypt", inBounds: isScrypt, key: scryptKey },
};

/** → Blob. `onProgress(fraction 0…1)`. Throws WeakPassphraseError, OutOfMemoryError, AbortError. */
export async function exportBackup(store, passphrase, { history = true, files = false, onProgress, signal } = {}) {
  refuseWeak(passphrase);
  const plaintext = utf8(await snapshot(store, { history, files }));
  const sealed = await sealBackup(plaintext, passphrase, { signal, onProgress: (done) => onProgress?.(done * KDF_SHARE) });
  throwIfAborted(signal);
  onProgress?.(1);
  return new Blob([JSON.stringify(sealed)], { type: "application/json" });
}

/** `salt` and `nonce` are random but in test vectors. */
export async function sealBackup(plaintext, passphrase, { salt = randomBytes(SALT_BYTES), nonce = randomBytes(NONCE_BYTES), ...options } = {}) {
  const key = await scryptKey(passphrase, salt, SCRYPT, options);
  const box = sealSecret(plaintext, nonce, key);
  await breathe();
  const fields = { format: FORMAT, version: VERSION, kdf: KDFS[VERSION].kdf, ...SCRYPT };
  return { ...fields, salt: toBase64(salt), nonce: toBase64(nonce), sha256: toHex(sha256(box)), box: toBase64(box) };
}

/**
 * Changes nothing: what it holds, what it would replace, and `apply()`. Throws NotABackupError, NewerBackupError, DamagedBackupError,
 * WrongPassphraseError, OutOfMemoryError, AbortError.
 */
export async function openBackup(store, file, passphrase, { onProgress, signal } = {}) {
  const sealed = await readSealed(file);
  const key = await sealed.key(passphrase, sealed.salt, sealed, { signal, onProgress: (done) => onProgress?.(done * KDF_SHARE) });
  const plaintext = openSecret(sealed.box, sealed.nonce, key);
  if (plaintext === null) throw new WrongPassphraseError("This passphrase does not open the backup. Nothing was changed.");
  const content = readBackup(plaintext);
  await breathe();
  throwIfAborted(signal);
  onProgress?.(1);
  return { ...(await summary(store, content)), apply: (options) => replaceEverything(store, content, options) };
}

async function readSealed(file) {
  if (file.size > MOST_BYTES) throw new NotABackupError("This file is too large to be a backup.");
  const fields = parse(await file.text());
  const { version } = fields;
  if (Number.isInteger(version) && version > VERSION) throw new NewerBackupError("This backup was made by a newer client: update this page first.");
  const { kdf, inBounds, key } = (Number.isInteger(version) && KDFS[version]) || {};
  if (!kdf || fields.kdf !== kdf || !inBounds(fields)) throw damaged();
  const sealed = decode(fields);
  if (toHex(sha256(sealed.box)) !== fields.sha256) throw damaged();
  return { ...fields, ...sealed, key };
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

async function summary(store, { identity, created_at, history, contacts, relays, messages, unsent }) {
  const files = messages.filter(({ file }) => file);
  const count = (name) => store.db.read([name], (stores) => result(stores[name].count()));
  const mine = await store.value("identity"); // none where the database was lost
  return {
    fingerprint: identity.fingerprint, created_at, history,
    contacts: contacts.length, relays: relays.length, messages: messages.length, unsent,
    files: files.length, files_here: files.filter(({ file }) => file.have > 0).length,
    same_identity: identity.fingerprint === mine?.fingerprint,
    replaces: { fingerprint: mine?.fingerprint ?? "", contacts: await count("contacts"), messages: await count("messages") },
  };
}

// The browser threw the database away: what can be done before any new key is made.

export async function findLost(db) {
  const short = await lostAddress(db, localItems());
  return short && new Lost(new Store(db), short);
}

export class Lost {
  #store;
  #identity;

  /** `short`: the address whose keys were stored. `identity`: those, where the page has them still. */
  constructor(store, short, identity = null) {
    this.#store = store;
    this.short = short;
    this.#identity = identity;
  }

  get hasKeys() {
    return this.#identity !== null;
  }

  /** The store emits "reset" once it is restored. */
  openBackup(file, passphrase, options) {
    return openBackup(this.#store, file, passphrase, options);
  }

  /** Contacts and history are gone. */
  async keepKeys() {
    await restoreIdentity(this.#store, this.#identity);
    this.#store.emit("reset");
  }

  async startAnew() {
    await clearMark(localItems());
    this.#store.emit("reset");
  }

  onReset(listener) {
    this.#store.addEventListener("reset", listener);
  }
}
