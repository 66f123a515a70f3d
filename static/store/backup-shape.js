/**
 * What a backup may hold (PROTOCOL.md, "Backup file"). It may come from anybody: what is not listed is left out, and one wrong value breaks
 * the whole, for it would break a thread, a list or the page later.
 */
import { isFingerprint } from "../protocol/address.js";
import { KEY_BYTES, fingerprintOf, isSafeKey } from "../protocol/crypto.js";
import { isDeviceId } from "../protocol/envelope.js";
import { PART_BYTES, isFile, isPartNumber } from "../protocol/files.js";
import { DamagedBackupError } from "../protocol/errors.js";

const LATEST_TIME = 253_402_300_799_999; // the end of the year 9999, ms
const LAST_DATE = 8.64e15; // ECMAScript's; what a sender claims is shown as such
const MOST_COUNT = 2 ** 32;
const LAST_SEQ = 2 ** 40; // a larger one would leave the next messages no number (IndexedDB ends at 2^53)
const LONGEST_TEXT = 16 * 1024 * 1024;
const LONGEST_NAME = 256;
const LONGEST_LINE = 4096;

const flag = (value) => typeof value === "boolean";
const text = (most) => (value) => typeof value === "string" && value.length <= most;
const number = (least, most) => (value) => Number.isFinite(value) && value >= least && value <= most;
const whole = (least, most) => (value) => Number.isInteger(value) && value >= least && value <= most;
const either = (...words) => (value) => words.includes(value);
const bytes = (length) => (value) => value instanceof Uint8Array && value.length === length;
const maybe = (check) => (value) => value === undefined || value === null || check(value);
const listOf = (check) => (value) => Array.isArray(value) && value.every(check);

const isObject = (value) => value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype;

const time = number(0, LATEST_TIME);
const count = whole(0, MOST_COUNT);
const id = whole(0, Number.MAX_SAFE_INTEGER);
const figure = number(0, Number.MAX_VALUE);
const line = text(LONGEST_LINE);
const origin = (value) => line(value) && URL.canParse(value) && new URL(value).origin === value && /^https?:/.test(value);

const isReply = (value) => isObject(value) && line(value.of) && line(value.quote) && flag(value.mine);
const isEdit = (value) => isObject(value) && line(value.id) && number(-LAST_DATE, LAST_DATE)(value.ts) && text(LONGEST_TEXT)(value.text);
const isReaction = (value) => isObject(value) && line(value.id) && number(-LAST_DATE, LAST_DATE)(value.ts) && isFingerprint(value.by) && line(value.emoji);
const REFUSED = ["edit", "react", "delete", "setting"].map((type) => `${type} refused`);
const STATES = ["queued", "relayed", "failed", ""];

const CONTENT = {
  created_at: time, history: flag, secret_key: bytes(KEY_BYTES), settings: isObject,
  contacts: Array.isArray, drafts: listOf((pair) => Array.isArray(pair) && pair.length === 2), relays: Array.isArray,
  messages: Array.isArray, seen: listOf(line), sessions: maybe(Array.isArray), parts: maybe(Array.isArray),
};

const SETTINGS = { home: maybe(origin), notifications: maybe(flag), preview: maybe(flag), sound: maybe(flag), erase_on_relay: maybe(flag), receipts: maybe(flag), name: maybe(text(LONGEST_NAME)) };

const CONTACT = {
  fingerprint: isFingerprint, name: text(LONGEST_NAME), their_name: maybe(text(LONGEST_NAME)), relay: (value) => value === "" || origin(value), public_key: maybe(bytes(KEY_BYTES)),
  verified: flag, muted: flag, blocked: flag, open: flag, pinned: maybe(flag), invited: maybe(flag), request: maybe(flag),
  request_size: maybe(count), unread: count, last_seq: whole(0, LAST_SEQ), last_at: time,
  last_text: line, last_direction: either("in", "out", ""), last_state: maybe(either(...STATES, "delivered", "read")), refused: count, added_at: time, lasts: maybe(count), lasts_ts: maybe(number(-LAST_DATE, LAST_DATE)),
};

const MESSAGE = {
  seq: whole(1, LAST_SEQ), contact: isFingerprint, relay: (value) => value === "" || origin(value), direction: either("in", "out"),
  kind: either("text", "refused", "unknown"), text: text(LONGEST_TEXT), at: time, written_at: maybe(number(-LAST_DATE, LAST_DATE)),
  reason: maybe(line), legacy: maybe(flag), envelope_id: maybe(line), state: maybe(either(...STATES)),
  error: maybe(line), retriable: maybe(flag), relay_id: maybe(id), expires_at: maybe(line),
  stored_at: maybe(time), taken_back_at: maybe(time), ts: maybe(number(-LAST_DATE, LAST_DATE)), unsealed: maybe(flag), event: maybe(either("device", "verified-device", "own-device", "unopened", "impostor", "timer", ...REFUSED)),
  delivered_at: maybe(time), read_at: maybe(time), edited_at: maybe(number(-LAST_DATE, LAST_DATE)), deleted_at: maybe(time), lasts: maybe(count), gone_at: maybe(time), resent: maybe(count), sent_at: maybe(time),
  file: maybe(isFile), re: maybe(isReply), edits: maybe(listOf(isEdit)), reactions: maybe(listOf(isReaction)),
};

/** Of a contact's devices only what they are written to with. My own receiving keys and device id are in no backup. */
const SESSION = { contact: isFingerprint, devices: Array.isArray, sealed: flag };
const DEVICE = { device: isDeviceId, key: bytes(KEY_BYTES), since: time, heard_at: time };

const RELAY = {
  origin, cursor: id, erased_through: id, refused: count, requests_dropped: maybe(count), added_at: time,
  server_public_key: maybe(bytes(KEY_BYTES)), bound: maybe(flag), allow_older_proof: maybe(flag), key_changed_at: maybe(time), invite: maybe(line),
  registered_identities: maybe(figure), message_retention_days: maybe(figure), max_message_bytes: maybe(figure), version: maybe(line), registration: maybe(line), push: maybe(line),
};

const PART = { seq: whole(1, LAST_SEQ), n: isPartNumber, octets: (value) => value instanceof Uint8Array && value.length > 0 && value.length <= PART_BYTES };

const DRAFT = [isFingerprint, text(LONGEST_TEXT)];

/** Known fields only. Throws DamagedBackupError, which names the field. */
export function shaped(content) {
  const top = pick(content, CONTENT, "content.");
  const contacts = pickAll(top.contacts, CONTACT, "contacts");
  const messages = pickAll(top.messages, MESSAGE, "messages");
  top.drafts.forEach(([fingerprint, draft], at) => insist(DRAFT[0](fingerprint) && DRAFT[1](draft), `drafts[${at}]`));
  contacts.forEach(({ fingerprint, public_key }, at) => insist(!public_key || fingerprintOf(public_key) === fingerprint, `contacts[${at}].public_key`));
  insistUnique(contacts, "fingerprint", "contacts");
  insistUnique(messages, "seq", "messages");
  const relays = pickAll(top.relays, RELAY, "relays");
  const sessions = pickAll(top.sessions ?? [], SESSION, "sessions").map((session, at) => {
    const devices = pickAll(session.devices, DEVICE, `sessions[${at}].devices`);
    devices.forEach(({ key }) => insist(isSafeKey(key), `sessions[${at}].devices.key`));
    return { ...session, devices };
  });
  insistUnique(sessions, "contact", "sessions");
  const parts = pickAll(top.parts ?? [], PART, "parts");
  insist(new Set(parts.map(({ seq, n }) => `${seq} ${n}`)).size === parts.length, "parts: the same twice");
  return { ...top, contacts, messages, relays, sessions, parts, settings: pick(top.settings, SETTINGS, "settings.") };
}

const pickAll = (records, shape, name) => records.map((record, at) => pick(record, shape, `${name}[${at}].`));

function pick(record, shape, name) {
  insist(isObject(record), name);
  const picked = {};
  for (const [field, check] of Object.entries(shape)) {
    const value = Object.hasOwn(record, field) ? record[field] : undefined;
    insist(check(value), name + field);
    if (value !== undefined) picked[field] = value;
  }
  return picked;
}

function insistUnique(records, field, name) {
  insist(new Set(records.map((record) => record[field])).size === records.length, `${name}: the same ${field} twice`);
}

function insist(holds, field) {
  if (!holds) throw new DamagedBackupError(`This backup breaks its own format (${field}). Nothing was changed.`);
}
