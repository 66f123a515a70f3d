import { ALL_STORES, result } from "./database.js";
import { isFingerprint } from "../protocol/address.js";
import { identityFrom } from "../protocol/crypto.js";
import { fromBase64, fromUtf8, toBase64 } from "../protocol/encoding.js";
import { DamagedBackupError, EncodingError } from "../protocol/errors.js";
import { MOST_BACKUP_FILES_BYTES, knownFile, partBytes, partId } from "../protocol/files.js";
import { newSession } from "../protocol/devices.js";
import { formatDateTime } from "../protocol/format.js";
import { throwIfAborted } from "../protocol/kdf.js";
import { readName } from "../protocol/text.js";
import { shaped } from "./backup-shape.js";
import { failedWith, readParts } from "./messages.js";
import { newContact, reviewNames, withSession } from "./contacts.js";
import { newRelay } from "./store.js";

const BATCH = 500;
/** No backup tells which parts of a file have gone. */
const STOPPED = { state: "failed", error: "Not all of it was sent when this backup was made: Retry sends it.", retriable: true };
const EMPTY_THREAD = { unread: 0, last_at: 0, last_text: "", last_seq: 0, last_direction: "", last_state: "" };

/**
 * Tokens stay behind, and without `history` messages; without `files` their octets. `seen` and cursors never do: what was received must not
 * come back as new.
 */
export function snapshot(store, { history, files = false }) {
  return store.db.read(ALL_STORES, async ({ kv, contacts, drafts, messages, seen, relays, sessions, parts }) => {
    const rows = history ? await result(messages.getAll()) : [];
    const content = {
      created_at: Date.now(), history,
      secret_key: (await result(kv.get("identity"))).secret_key,
      settings: (await result(kv.get("settings"))) ?? {},
      contacts: (await result(contacts.getAll())).map((contact) => ({ ...contact, ...(!history && EMPTY_THREAD) })),
      drafts: (await entries(drafts)).filter(([key]) => isFingerprint(key)),
      relays: (await result(relays.getAll())).map(withUnerased),
      messages: rows.map((message) => (message.file ? { ...message, file: knownFile(message.file), ...(message.moving?.startsWith("to ") && STOPPED) } : message)),
      parts: files ? await octetsOf({ parts }, rows) : [],
      seen: await result(seen.getAllKeys()),
      sessions: (await result(sessions.getAll())).filter(({ devices }) => devices.length > 0),
    };
    const known = shaped(content); // what a reader would not take is not written either
    return JSON.stringify(known, (_, value) => (value instanceof Uint8Array ? { base64: toBase64(value) } : value));
  });
}

/** What is still to be erased is read again and listed anew: an id may be another message's by then. */
const withUnerased = ({ erase_ids = [], ...relay }) => ({ ...relay, cursor: Math.min(relay.cursor, ...erase_ids.map((id) => id - 1)) });

/** Of whole files, the newest first, as many as there is room for. */
async function octetsOf(stores, rows) {
  const all = [];
  let room = MOST_BACKUP_FILES_BYTES;
  for (const { seq, file } of rows.filter(({ file }) => file?.have === file?.parts && file).reverse()) {
    room -= file.size;
    if (room >= 0) all.push(...(await readParts(stores, seq)).map(({ n, octets }) => ({ seq, n, octets })));
  }
  return all;
}

async function entries(store) {
  const [keys, values] = await Promise.all([result(store.getAllKeys()), result(store.getAll())]);
  return keys.map((key, index) => [key, values[index]]);
}

/** With `identity`. Throws DamagedBackupError. */
export function readBackup(plaintext) {
  const content = shaped(parse(plaintext));
  const pieces = bySeq(content.parts ?? []);
  const messages = content.messages.map((message) => withFile(message, pieces.get(message.seq) ?? []));
  const parts = messages.filter(({ file }) => file?.have > 0).flatMap(({ seq, direction, file }) =>
    pieces.get(seq).map((part) => ({ ...part, ...(direction === "out" && { id: partId(file.id, part.n) }) })));
  const held = messages.map((message) => (isUnsent(message) ? hold(message, content.created_at) : message));
  return { ...content, messages: held, parts, unsent: messages.filter(isUnsent).length, identity: identityFrom(content.secret_key) };
}

function bySeq(parts) {
  const found = new Map();
  for (const part of parts) found.set(part.seq, [...(found.get(part.seq) ?? []), part]);
  return found;
}

function parse(plaintext) {
  try {
    return JSON.parse(fromUtf8(plaintext), (_, value) => (typeof value?.base64 === "string" ? fromBase64(value.base64) : value));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof EncodingError || error instanceof RangeError)) throw error; // RangeError: nested too deeply
    throw new DamagedBackupError("What is in this backup can't be read. Nothing was changed.", { cause: error });
  }
}

const isUnsent = ({ direction, state }) => direction === "out" && state === "queued";

const NOT_HERE = "Not all of it was sent, and it is not in the backup.";

/** Here only where the backup has all of it. Its hash is checked when it is shown. */
function withFile({ file, ...message }, pieces) {
  if (!file) return message;
  const whole = pieces.length === file.parts && pieces.every(({ n, octets }) => n < file.parts && octets.length === partBytes(file, n));
  const waits = message.direction === "out" && message.state !== "relayed";
  const sent = message.direction === "out" && { sent: waits ? 0 : file.parts };
  const state = waits ? "here" : "";
  return { ...message, file: { ...knownFile(file), have: whole ? file.parts : 0, state: whole ? state : "gone", ...(whole && sent) }, ...(waits && !whole && { retriable: false, error: NOT_HERE }) };
}

/** It may have been sent since, or be long out of date: only the person sends it. */
function hold(message, created_at) {
  const error = `Not sent when this backup was made (${formatDateTime(created_at)}): Retry sends it now.`;
  return { ...message, state: "failed", ...(message.file?.have !== 0 && { error, retriable: true }) };
}

const failedOf = ({ fingerprint }, messages) =>
  messages.filter(({ contact, state }) => state === "failed" && contact === fingerprint).reduce((failed, message) => failedWith({ failed }, message), []);

/** In one transaction: all of it or, where the `signal` aborts, nothing. Then every tab gets "reset". */
export async function replaceEverything(store, content, { onProgress, signal } = {}) {
  const { identity, settings, contacts, drafts, relays, messages, parts, seen, sessions } = content;
  await store.db.write(ALL_STORES, async (stores) => {
    const [before, device] = await Promise.all([result(stores.kv.get("identity")), result(stores.kv.get("device"))]);
    for (const name of ALL_STORES) stores[name].clear();
    stores.kv.put(identity, "identity");
    if (device && before?.fingerprint === identity.fingerprint) stores.kv.put(device, "goodbye_due");
    stores.kv.put({ ...settings, name: readName(settings.name) }, "settings");
    for (const contact of contacts) stores.contacts.put({ ...newContact(contact.fingerprint), ...contact, relay: contact.relay || settings.home || location.origin, their_name: readName(contact.their_name), failed: failedOf(contact, messages) });
    await reviewNames(stores);
    for (const [fingerprint, text] of drafts) stores.drafts.put(text, fingerprint);
    for (const relay of relays) stores.relays.put({ ...newRelay(relay.origin), ...relay });
    for (const key of seen) stores.seen.put(1, key);
    await putSessions(stores, sessions, contacts);
    for (const part of parts) stores.parts.put(part);
    await putAll(stores.messages, messages, { onProgress, signal });
  });
  onProgress?.(1);
  store.emit("reset");
}

/** Devices are known still. What confirms and times their messages begins anew: it was of the device before. */
async function putSessions({ contacts, sessions }, restored, people) {
  for (const { contact, devices, sealed } of restored) {
    const person = people.find(({ fingerprint }) => fingerprint === contact);
    const read = person?.last_seq ?? 0;
    const fields = { devices: devices.map((device) => ({ used: 0, ...device })), sealed, receipted: { delivered: read, read } };
    sessions.put(newSession(contact, fields));
    const record = person && (await result(contacts.get(contact)));
    if (record) contacts.put(withSession(record, newSession(contact, fields)));
  }
}

async function putAll(store, rows, { onProgress, signal }) {
  for (let at = 0; at < rows.length; at += BATCH) {
    const puts = rows.slice(at, at + BATCH).map((row) => result(store.put(row)));
    await Promise.all(puts);
    throwIfAborted(signal);
    onProgress?.(at / rows.length);
  }
}
