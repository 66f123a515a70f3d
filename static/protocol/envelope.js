/**
 * What is inside the box (PROTOCOL.md, "Envelope"). A box proves only that one of the two key holders made it, and the relay chooses every
 * other field of a row. So words count as a contact's only where the plaintext says from whom and to whom it is, and the sender's key hashes
 * to the sender's address.
 */
import { BOX_OVERHEAD_BYTES, KEY_BYTES, NONCE_BYTES, fingerprintOf, isSafeKey, openBox, randomBytes, sha256 } from "./crypto.js";
import { bytesOrNull, concat, fromUtf8, toBase64, toBase64Url, toHex, utf8 } from "./encoding.js";
import { EncodingError, WeakKeyError } from "./errors.js";
import { readName } from "./text.js";

const PAD_TO_BYTES = 256;
const ID_BYTES = 16;
const PROOF_BYTES = 32;
const SHORT_TEXT_BYTES = 2;
const MOST_NESTED = 16;
const ID = /^[A-Za-z0-9_-]{22}$/;
const DEVICE_BYTES = 8;
const DEVICE = /^[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]$/; // the last digit holds four bits
const LATEST_TIME = 8.64e15; // the end of ECMAScript's Date
const MARK = /\\.|"(\s*:)?/gs; // in JSON: what is escaped, and either end of a string. Nothing to go back in
const UNREADABLE = "Its content is not a message that this client can read.";

export const newEnvelopeId = () => toBase64Url(randomBytes(ID_BYTES));
export const isEnvelopeId = (value) => typeof value === "string" && ID.test(value);
export const newDeviceId = () => toBase64Url(randomBytes(DEVICE_BYTES));
export const isDeviceId = (value) => typeof value === "string" && DEVICE.test(value);

/**
 * The plaintext to box, a multiple of 256 bytes: a length then tells little. `ts` in ms since 1970. `device`, `key` (bytes): what the answer
 * can be sealed to once more. A name that does not fit the relay's `limit` (bytes) comes with the next words.
 */
export function packEnvelope({ id, from, to, ts, text, name = "", device, key }, limit = Infinity) {
  const announced = device && { device, key: toBase64(key) };
  const plaintext = padded({ v: 1, type: "text", id, from, to, ts, text, ...(name && { name }), ...announced });
  return name && wireBytes(plaintext) > limit ? packEnvelope({ id, from, to, ts, text, device, key }) : plaintext;
}

function padded(fields) {
  const length = utf8(JSON.stringify({ ...fields, pad: "" })).length;
  const pad = "0".repeat((PAD_TO_BYTES - (length % PAD_TO_BYTES)) % PAD_TO_BYTES);
  return utf8(JSON.stringify({ ...fields, pad }));
}

/** What a relay counts against its limit. */
export const wireBytes = (plaintext) => plaintext.length + BOX_OVERHEAD_BYTES + NONCE_BYTES + KEY_BYTES;

/**
 * Opens a relay's row of `sender_fingerprint` and, as bytes, `sender_public_key`, `nonce`, `ciphertext`. → `{from, id, kind:
 * "text"|"unknown"|"refused", text, reason, legacy, ts, name, announced}`; refuses rather than throws. `announced`: the `{device, key}` that
 * wrote it, or null. It and `name` are not believed where the relay could have turned the box around.
 */
export function openEnvelope(row, identity, sharedKeys) {
  const { plaintext, reason } = openRow(row, sharedKeys);
  return plaintext ? readEnvelope(plaintext, row, identity) : refusal(row, reason);
}

/** `{plaintext}`, or the `{reason}` why it is none of this sender's. */
export function openRow(row, sharedKeys) {
  if (fingerprintOf(row.sender_public_key) !== row.sender_fingerprint) return { reason: "The server named a key that is not this sender's." };
  const plaintext = unbox(row, sharedKeys);
  return plaintext ? { plaintext } : { reason: "It could not be decrypted: it was altered, or meant for other keys." };
}

export const refusal = (row, reason) => ({
  from: row.sender_fingerprint, id: digestId(row), kind: "refused", text: "", reason, legacy: false, ts: null, name: "", announced: null,
});

export function readEnvelope(plaintext, row, identity) {
  const from = row.sender_fingerprint;
  const fields = parseFields(plaintext);
  if (fields === null) return refusal(row, UNREADABLE);
  if (couldBeProof(plaintext, fields)) return refusal(row, "It is too short to be a message: it could be what proves a key to a server.");
  const reason = whyRefused(fields, from, identity.fingerprint);
  return reason ? refusal(row, reason) : { from, ...readFields(fields, row) };
}

function unbox(row, sharedKeys) {
  try {
    return openBox(row.ciphertext, row.nonce, sharedKeys.with(row.sender_public_key));
  } catch (error) {
    if (error instanceof WeakKeyError) return null;
    throw error;
  }
}

/** An object, or null. Every reader refuses what is nested deeper, since some could not read it. */
export function parseFields(plaintext) {
  try {
    const fields = JSON.parse(fromUtf8(plaintext));
    return isObject(fields) && !Array.isArray(fields) && !isNestedDeeper(fields, MOST_NESTED) ? fields : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof EncodingError) return null;
    throw error;
  }
}

/** Envelope 2 has one reading only: null also where a field is said twice, or a text holds U+0000. */
export function parseOnce(bytes) {
  const fields = parseFields(bytes);
  if (fields === null || holdsNul(fields)) return null;
  return countNames(fromUtf8(bytes)) === countFields(fields) ? fields : null;
}

function countNames(json) {
  let [names, inside] = [0, false];
  for (const [mark, colon] of json.matchAll(MARK)) {
    if (mark[0] === "\\") continue;
    if (inside && colon) names += 1;
    inside = !inside;
  }
  return names;
}

const holdsNul = (value) => (isObject(value) ? Object.entries(value).flat().some(holdsNul) : typeof value === "string" && value.includes("\0"));

function countFields(value) {
  if (!isObject(value)) return 0;
  const parts = Object.values(value);
  return parts.reduce((sum, part) => sum + countFields(part), Array.isArray(value) ? 0 : parts.length);
}

const isObject = (value) => value !== null && typeof value === "object";
const isNestedDeeper = (value, levels) =>
  isObject(value) && (levels === 0 || Object.values(value).some((part) => isNestedDeeper(part, levels - 1)));

/** Whether this may be v1's registration proof. Old clients' shortest texts are no longer. */
function couldBeProof(plaintext, { text, ts }) {
  const isShortText = typeof text === "string" && utf8(text).length <= SHORT_TEXT_BYTES && typeof ts === "number";
  return plaintext.length <= PROOF_BYTES && !isShortText;
}

/** A reason, or "". Half a binding counts as a wrong one; only an old client leaves out both. */
function whyRefused(fields, from, to) {
  const misplaced = "from" in fields || "to" in fields ? whyMisplaced(fields, from, to) : "";
  if (misplaced) return misplaced;
  if ("id" in fields && !isEnvelopeId(fields.id)) return "Its message id is malformed.";
  return isText(fields) && typeof fields.text !== "string" ? UNREADABLE : "";
}

/** The fields that bind an envelope to a chat. To myself: of no other device of mine is v1 understood. */
export function whyMisplaced(fields, from, to) {
  if (fields.from === to && fields.to === from && !(from === to && fields.v === 2)) return "The server sent my own words back as theirs.";
  if (fields.from !== from) return "It was written by somebody other than the server says.";
  return fields.to === to ? "" : "It was written to somebody else.";
}

/** The device that wrote an envelope and the key to answer it with, or null where there is no good one. */
export function readAnnounced({ device, key }) {
  const bytes = bytesOrNull(key, KEY_BYTES);
  return isDeviceId(device) && bytes && isSafeKey(bytes) ? { device, key: bytes } : null;
}

const isText = (fields) => (fields.type ?? "text") === "text";

function readFields(fields, row) {
  const known = isText(fields);
  return {
    id: fields.id ?? digestId(row),
    kind: known ? "text" : "unknown",
    text: known ? fields.text : "",
    reason: "",
    legacy: !("from" in fields),
    name: "from" in fields ? readName(fields.name) : "",
    announced: "from" in fields ? readAnnounced(fields) : null,
    ts: Number.isFinite(fields.ts) && Math.abs(fields.ts) < LATEST_TIME ? Math.trunc(fields.ts) : null,
  };
}

/** A relay that replays the same box gets the same id, and the copy is dropped. */
function digestId(row) {
  const bytes = concat(utf8(row.sender_fingerprint), row.nonce, row.ciphertext);
  return `sha256:${toHex(sha256(bytes)).slice(0, 32)}`;
}
