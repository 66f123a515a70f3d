/**
 * What is inside the box (PROTOCOL.md, "Envelope"). NaCl's box proves only that one of the two key holders made it, and
 * the relay chooses every other field of a row. So a message counts as a contact's words only where the plaintext
 * itself says from whom and to whom it is, and the sender's key hashes to the sender's address.
 */
import { BOX_OVERHEAD_BYTES, KEY_BYTES, NONCE_BYTES, fingerprintOf, openBox, randomBytes, sha256 } from "./crypto.js";
import { concat, fromUtf8, toBase64Url, toHex, utf8 } from "./encoding.js";
import { EncodingError, WeakKeyError } from "./errors.js";
import { readName } from "./names.js";

const PAD_TO_BYTES = 256;
const ID_BYTES = 16;
const PROOF_BYTES = 32;
const SHORT_TEXT_BYTES = 2;
const MOST_NESTED = 16;
const ID = /^[A-Za-z0-9_-]{22}$/;
const LATEST_TIME = 8.64e15; // the end of ECMAScript's Date

export const newEnvelopeId = () => toBase64Url(randomBytes(ID_BYTES));

/**
 * The plaintext to box, a multiple of 256 bytes: a length then tells little. `ts` in ms since 1970; `name`: what the sender calls
 * themselves, or "". Where the words alone fill the relay's `limit` (bytes), the name is left out: it comes with the next ones.
 */
export function packEnvelope({ id, from, to, ts, text, name = "" }, limit = Infinity) {
  const plaintext = padded({ v: 1, type: "text", id, from, to, ts, text, ...(name && { name }) });
  return name && wireBytes(plaintext) > limit ? packEnvelope({ id, from, to, ts, text }) : plaintext;
}

function padded(fields) {
  const length = utf8(JSON.stringify({ ...fields, pad: "" })).length;
  const pad = "0".repeat((PAD_TO_BYTES - (length % PAD_TO_BYTES)) % PAD_TO_BYTES);
  return utf8(JSON.stringify({ ...fields, pad }));
}

/** What a relay counts against its limit: ciphertext, nonce and sender key. */
export const wireBytes = (plaintext) => plaintext.length + BOX_OVERHEAD_BYTES + NONCE_BYTES + KEY_BYTES;

/**
 * Opens one row from a relay. `row` has `sender_fingerprint` and, as bytes, `sender_public_key`, `nonce`, `ciphertext`.
 * Returns `{from, id, kind: "text"|"unknown"|"refused", text, reason, legacy, ts, name}`; refuses rather than throws. `name`:
 * what the sender calls themselves, "" where nothing valid says so, or where the relay could have turned the box around.
 */
export function openEnvelope(row, identity, sharedKeys) {
  const from = row.sender_fingerprint;
  const refused = (reason) => ({ from, id: digestId(row), kind: "refused", text: "", reason, legacy: false, ts: null, name: "" });
  if (fingerprintOf(row.sender_public_key) !== from) return refused("The relay named a key that is not this sender's.");
  const plaintext = unbox(row, sharedKeys);
  if (plaintext === null) return refused("It could not be decrypted: it was altered, or meant for other keys.");
  const fields = parseFields(plaintext);
  if (fields === null) return refused("Its content is not a message that this client can read.");
  if (couldBeProof(plaintext, fields)) return refused("It is too short to be a message: it could be a registration proof.");
  const reason = whyRefused(fields, from, identity.fingerprint);
  return reason ? refused(reason) : { from, ...readFields(fields, row) };
}

function unbox(row, sharedKeys) {
  try {
    return openBox(row.ciphertext, row.nonce, sharedKeys.with(row.sender_public_key));
  } catch (error) {
    if (error instanceof WeakKeyError) return null;
    throw error;
  }
}

/** The JSON object in a box, or null. Every reader refuses what is nested deeper, since some could not read it. */
export function parseFields(plaintext) {
  try {
    const fields = JSON.parse(fromUtf8(plaintext));
    return isObject(fields) && !Array.isArray(fields) && !isNestedDeeper(fields, MOST_NESTED) ? fields : null;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof EncodingError) return null;
    throw error;
  }
}

const isObject = (value) => value !== null && typeof value === "object";
const isNestedDeeper = (value, levels) =>
  isObject(value) && (levels === 0 || Object.values(value).some((part) => isNestedDeeper(part, levels - 1)));

/** Whether this may be v1's registration proof. The shortest texts of old clients are no longer than that. */
function couldBeProof(plaintext, { text, ts }) {
  const isShortText = typeof text === "string" && utf8(text).length <= SHORT_TEXT_BYTES && typeof ts === "number";
  return plaintext.length <= PROOF_BYTES && !isShortText;
}

/** A reason to refuse, or "". Half a binding counts as a wrong one; only an old client leaves out both. */
function whyRefused(fields, from, to) {
  const bound = "from" in fields || "to" in fields;
  if (bound && fields.from === to && fields.to === from) return "The relay sent my own words back as theirs.";
  if (bound && fields.from !== from) return "It was written by somebody other than the relay says.";
  if (bound && fields.to !== to) return "It was written to somebody else.";
  if ("id" in fields && !(typeof fields.id === "string" && ID.test(fields.id))) return "Its message id is malformed.";
  if (isText(fields) && typeof fields.text !== "string") return "Its content is not a message that this client can read.";
  return "";
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
    ts: Number.isFinite(fields.ts) && Math.abs(fields.ts) < LATEST_TIME ? Math.trunc(fields.ts) : null,
  };
}

/** An id for what carries none: a relay that replays the same box gets the same id, and the copy is dropped. */
function digestId(row) {
  const bytes = concat(utf8(row.sender_fingerprint), row.nonce, row.ciphertext);
  return `sha256:${toHex(sha256(bytes)).slice(0, 32)}`;
}
