/** This device's key pair: made on the first visit, or taken over from an earlier client with what that kept. */
import { KEY_BYTES, identityFrom, newIdentity } from "../protocol/crypto.js";
import { fromBase64, shortForm } from "../protocol/encoding.js";
import { newDeviceId } from "../protocol/envelope.js";
import { readMark, setMark } from "./browser.js";
import { newContact } from "./contacts.js";
import { result } from "./database.js";
import { withChanged, withLatest } from "./messages.js";
import { UNREAD_RELAY } from "./store.js";
import { EncodingError, RelayAddressError } from "../protocol/errors.js";
import { isFingerprint, relayOrigin } from "../protocol/address.js";

/** Readers would drop the other parts of a file as a stranger's. */
const STOPPED = { state: "failed", error: "Your keys are new since it was begun: delete it, and send it again.", retriable: false };

/** Whose keys were here, where neither they nor an earlier client's are any more; else null. */
export async function lostAddress(db, storage) {
  const stored = await db.read(["kv"], ({ kv }) => result(kv.count("identity")));
  return stored || readLegacy(storage).identity ? null : readMark(storage);
}

/**
 * `{fingerprint, short, public_key, secret_key, device}`; two tabs that start at once agree on one. Keys from elsewhere (a backup, an earlier
 * version) other devices may have, and not know of this one: it is noted that a hello is due.
 */
export async function loadIdentity(store, storage, home) {
  const legacy = readLegacy(storage);
  const identity = await store.db.write(["kv", "contacts", "messages"], async (stores) => {
    const [stored, device] = await Promise.all([result(stores.kv.get("identity")), result(stores.kv.get("device"))]);
    const mine = stored ?? legacy.identity ?? newIdentity();
    const id = device ?? newDeviceId();
    if (!device) stores.kv.put(id, "device");
    if (!device && (stored || legacy.identity)) stores.kv.put(true, "hello_due");
    if (stored) return { ...stored, device: id };
    stores.kv.put(mine, "identity");
    await takeOver(stores, legacy, home);
    return { ...mine, device: id };
  });
  if (legacy.identity?.fingerprint === identity.fingerprint) await clearLegacy(storage);
  const short = shortForm(identity.fingerprint);
  await setMark(storage, short);
  return { ...identity, short };
}

export function restoreIdentity(store, { fingerprint, public_key, secret_key }) {
  return store.db.write(["kv"], ({ kv }) => result(kv.put({ fingerprint, public_key, secret_key }, "identity")));
}

/** Tokens, cursors and sessions are of the old keys: to contacts this is somebody new. History, contacts and pinned relay keys stay. */
export async function replaceIdentity(store, secret_key) {
  const identity = secret_key ? identityFrom(secret_key) : newIdentity();
  await store.db.write(["contacts", "kv", "messages", "relays", "sessions", "posts", "references"], async ({ contacts, kv, messages, relays, ...theirs }) => {
    kv.put(identity, "identity");
    kv.put(newDeviceId(), "device");
    kv.delete("hello_due"); // of the goodbye before: these keys are nobody's yet
    for (const each of Object.values(theirs)) each.clear();
    const stopped = (await result(messages.index("moving").getAll(IDBKeyRange.bound("to ", "to!")))).map(stop);
    for (const message of stopped) messages.put(message);
    for (const contact of await result(contacts.getAll())) {
      const known = stopped.filter((message) => message.contact === contact.fingerprint).reduce(withChanged, contact);
      contacts.put({ ...known, devices: 0, asks_again: 0, asks_old_form: false });
    }
    for (const relay of await result(relays.getAll())) relays.put({ ...relay, token: null, ...UNREAD_RELAY });
    for (const { moving, ...record } of await result(messages.index("moving").getAll())) messages.put(record); // those that come
  });
}

const stop = ({ moving, ...record }) => ({ ...record, ...STOPPED });

async function takeOver({ kv, contacts, messages }, legacy, default_home) {
  const home = legacy.home ?? default_home;
  if (legacy.home) kv.put({ ...(await result(kv.get("settings"))), home }, "settings");
  if (legacy.identity) noteTakenOver(kv, home, legacy);
  const people = new Map(legacy.chats.map((fingerprint) => [fingerprint, newContact(fingerprint, { relay: home })]));
  for (const [index, { contact, text, at }] of legacy.sent.entries()) {
    const record = { seq: seqOfLine(index), contact, relay: home, direction: "out", kind: "text", text, at, state: "relayed" };
    messages.add(record);
    people.set(contact, withLatest(people.get(contact) ?? newContact(contact, { relay: home }), record));
  }
  for (const person of people.values()) contacts.put(person);
}

// Earlier clients' localStorage, read once. Nothing there is deleted before it is stored here.

const SECRET_KEY = "io3233_secret_key";
const PUBLIC_KEY = "io3233_public_key";
const OPEN_CHATS = "io3233_open_chats";
const SENT = "io3233_sent_by_contact_v1";
const SERVER = "io3233_server_url";
const TOKEN = "io3233_token";
const LAST_READ = "io3233_last_read_msg_id_by_fp_v1";
const CACHE = /^3233-v\d+$/;

/** `{identity|null, home|null, chats: fingerprint[], sent: [{contact, text, at}], read: {fingerprint: id}}`, without what is malformed. */
export function readLegacy(storage) {
  return {
    identity: readIdentity(storage.getItem(SECRET_KEY)),
    home: readHome(storage.getItem(SERVER)),
    chats: asArray(readJson(storage.getItem(OPEN_CHATS))).map((text) => String(text).toLowerCase()).filter(isFingerprint),
    sent: readSent(readJson(storage.getItem(SENT))),
    read: readLastRead(readJson(storage.getItem(LAST_READ))),
  };
}

/** When everything is stored: no secret key lies around twice, nor the old page. There are no caches over plain http. */
export async function clearLegacy(storage) {
  for (const name of [SECRET_KEY, PUBLIC_KEY, OPEN_CHATS, SENT, SERVER, TOKEN, LAST_READ]) storage.removeItem(name);
  for (const name of (await globalThis.caches?.keys()) ?? []) if (CACHE.test(name)) await caches.delete(name);
}

/** Its public key is computed, not believed. */
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

const readTime = (ts) => (Number(ts) > 0 && Number(ts) < Date.now() ? Number(ts) : 0);

const asArray = (value) => (Array.isArray(value) ? value : []);

function readSent(by_contact) {
  const lines = Object.entries(by_contact ?? {}).flatMap(([contact, sent]) =>
    asArray(sent).map((line) => ({ contact: contact.toLowerCase(), text: line?.text, at: readTime(line?.ts) })),
  );
  return lines.filter(({ contact, text }) => isFingerprint(contact) && typeof text === "string").sort((a, b) => a.at - b.at);
}

function readLastRead(by_contact) {
  const read = Object.entries(by_contact ?? {}).map(([contact, id]) => [contact.toLowerCase(), Number(id)]);
  return Object.fromEntries(read.filter(([contact, id]) => isFingerprint(contact) && Number.isSafeInteger(id)));
}

// An earlier client kept what was sent and left what was received on the relay, from where it comes when what was sent is here already. So
// sent lines lie a thousand seqs apart, and received ones find their place by their time.

const NAME = "taken_over";
const APART = 1024;

export function noteTakenOver(kv, home, { sent, read }) {
  kv.put({ home, until: Date.now(), times: sent.map(({ at }) => at), read }, NAME);
}

export const seqOfLine = (index) => (index + 1) * APART;

export async function takenOver(kv, origin) {
  const noted = await result(kv.get(NAME));
  return noted?.home === origin ? noted : null;
}

/** Undefined: the next one of all. */
export async function seqAmong(noted, messages, at) {
  if (!noted || at >= noted.until) return undefined;
  const line = (noted.times.findLastIndex((time) => time <= at) + 1) * APART;
  const last = await result(messages.openKeyCursor(IDBKeyRange.bound(line, line + APART, false, true), "prev"));
  const seq = (last?.key ?? line) + 1;
  return seq < line + APART ? seq : undefined;
}

export const wasRead = (noted, { from, row_id }) => row_id <= (noted?.read[from] ?? 0);
export const isKnown = (noted, from) => from in (noted?.read ?? {});
