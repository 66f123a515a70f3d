/** What earlier clients kept in localStorage, read once. Nothing there is deleted before it is stored here. */
import { fromBase64 } from "../protocol/encoding.js";
import { KEY_BYTES, identityFrom } from "../protocol/crypto.js";
import { EncodingError, RelayAddressError } from "../protocol/errors.js";
import { isFingerprint, relayOrigin } from "../protocol/address.js";
import { result } from "./database.js";

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

// History of an earlier client. It kept what was sent and left what was received on the relay, from where it comes only when what was
// sent is here already. So sent lines lie a thousand seqs apart, and received ones find their place between them by their time.

const NAME = "taken_over";
const APART = 1024;

/** Notes in `kv` what was taken over of `home` now: `sent` lines ascending, and the ids that were `read`. */
export function noteTakenOver(kv, home, { sent, read }) {
  kv.put({ home, until: Date.now(), times: sent.map(({ at }) => at), read }, NAME);
}

/** The seq of the sent line `index`. */
export const seqOfLine = (index) => (index + 1) * APART;

/** What was taken over of this relay, or null. */
export async function takenOver(kv, origin) {
  const noted = await result(kv.get(NAME));
  return noted?.home === origin ? noted : null;
}

/** A free seq among the lines that were taken over for a message of the time `at`; undefined for the next one of all. */
export async function seqAmong(noted, messages, at) {
  if (!noted || at >= noted.until) return undefined;
  const line = (noted.times.findLastIndex((time) => time <= at) + 1) * APART;
  const last = await result(messages.openKeyCursor(IDBKeyRange.bound(line, line + APART, false, true), "prev"));
  const seq = (last?.key ?? line) + 1;
  return seq < line + APART ? seq : undefined;
}

export const wasRead = (noted, { from, row_id }) => row_id <= (noted?.read[from] ?? 0);
export const isKnown = (noted, from) => from in (noted?.read ?? {});
