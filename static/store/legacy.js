/** What earlier clients kept in localStorage, read once. Nothing there is deleted before it is stored here. */
import { fromBase64 } from "../protocol/encoding.js";
import { KEY_BYTES, identityFrom } from "../protocol/crypto.js";
import { EncodingError, RelayAddressError } from "../protocol/errors.js";
import { isFingerprint, relayOrigin } from "../protocol/address.js";

const SECRET_KEY = "io3233_secret_key";
const PUBLIC_KEY = "io3233_public_key";
const OPEN_CHATS = "io3233_open_chats";
const SENT = "io3233_sent_by_contact_v1";
const SERVER = "io3233_server_url";
const TOKEN = "io3233_token";
const LAST_READ = "io3233_last_read_msg_id_by_fp_v1";
const CACHE = /^3233-v\d+$/;

/** `{identity|null, home|null, chats: fingerprint[], sent: [{contact, text, at}], read: {fingerprint: id}}`; what is malformed is left out. */
export function readLegacy(storage) {
  return {
    identity: readIdentity(storage.getItem(SECRET_KEY)),
    home: readHome(storage.getItem(SERVER)),
    chats: asArray(readJson(storage.getItem(OPEN_CHATS))).map((text) => String(text).toLowerCase()).filter(isFingerprint),
    sent: readSent(readJson(storage.getItem(SENT))),
    read: readLastRead(readJson(storage.getItem(LAST_READ))),
  };
}

/** Call it when everything is stored: a secret key should not lie around twice, nor the old page. There are no caches over plain http. */
export async function clearLegacy(storage) {
  for (const name of [SECRET_KEY, PUBLIC_KEY, OPEN_CHATS, SENT, SERVER, TOKEN, LAST_READ]) storage.removeItem(name);
  for (const name of (await globalThis.caches?.keys()) ?? []) if (CACHE.test(name)) await caches.delete(name);
}

/** The public key is computed, not believed. */
function readIdentity(text) {
  try {
    return text ? identityFrom(fromBase64(text, KEY_BYTES)) : null;
  } catch (error) {
    if (error instanceof EncodingError) return null;
    throw error;
  }
}

function readHome(text) {
  try {
    return text ? relayOrigin(text) : null;
  } catch (error) {
    if (error instanceof RelayAddressError) return null;
    throw error;
  }
}

function readJson(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Ms since 1970; 0 for what is no time. */
const readTime = (ts) => (Number(ts) > 0 && Number(ts) < Date.now() ? Number(ts) : 0);

const asArray = (value) => (Array.isArray(value) ? value : []);

/** {fingerprint: [{ts, text}]} to one list, the oldest first. */
function readSent(by_contact) {
  const lines = Object.entries(by_contact ?? {}).flatMap(([contact, sent]) =>
    asArray(sent).map((line) => ({ contact: contact.toLowerCase(), text: line?.text, at: readTime(line?.ts) })),
  );
  return lines.filter(({ contact, text }) => isFingerprint(contact) && typeof text === "string").sort((a, b) => a.at - b.at);
}

/** The relay's id of the last message that was read of each contact. */
function readLastRead(by_contact) {
  const read = Object.entries(by_contact ?? {}).map(([contact, id]) => [contact.toLowerCase(), Number(id)]);
  return Object.fromEntries(read.filter(([contact, id]) => isFingerprint(contact) && Number.isSafeInteger(id)));
}
