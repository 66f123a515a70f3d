/**
 * What envelope 2 carries (PROTOCOL.md, "Content"): `JSON ‖ 0x00 ‖ octets`. Its `type` says what it is; every field of a type is checked
 * here, and one that breaks its bound has the whole refused. Unknown fields are ignored. And in which form it goes.
 */
import { isFingerprint } from "./address.js";
import { receivers } from "./devices.js";
import { concat, utf8 } from "./encoding.js";
import { isEnvelopeId, packEnvelope, parseOnce, wireBytes } from "./envelope.js";
import { packEnvelope2, plaintextBytes } from "./envelope2.js";
import { NotYetError } from "./errors.js";
import { PART_BYTES, isFile, isPartNumber, knownFile, partBytes } from "./files.js";

export const MOST_IDS = 200; // in one receipt or resend
const NUL = 0;
const LONGEST_TEXT = 2 ** 24; // UTF-16 units, as in a backup
const LONGEST_QUOTE = 120;
const LONGEST_EMOJI_BYTES = 32;
const LONGEST_TIMER_SECONDS = 366 * 86_400;
const NAME = /^[^\p{Cc}\p{Cs}\u2028\u2029]{1,64}$/u;
const NO_SIGN = /[\p{Cc}\p{Cf}\p{Cs}\p{Z}]/u; // but for the joiners and tags within an emoji
const JOINERS = /[\u200d\u{e0020}-\u{e007f}]/gu;

let graphemes;

const isText = (value) => typeof value === "string" && value.length > 0 && value.length <= LONGEST_TEXT;
const isName = (value) => typeof value === "string" && NAME.test(value);
const isTimer = (least) => (value) => Number.isInteger(value) && value >= least && value <= LONGEST_TIMER_SECONDS;
const isIds = (value) => Array.isArray(value) && value.length <= MOST_IDS && value.every(isEnvelopeId);
const isQuote = (value) => typeof value === "string" && value.length <= LONGEST_QUOTE;
const maybe = (check) => (value) => value === undefined || check(value);

/** One character as people see it, or "" for none. */
export function isEmoji(value) {
  if (typeof value !== "string" || utf8(value).length > LONGEST_EMOJI_BYTES || NO_SIGN.test(value.replace(JOINERS, ""))) return false;
  graphemes ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return [...graphemes.segment(value)].length <= 1;
}

/** `{by?, of, quote}`: what is answered; without `by` the sender's own message. */
const isReply = (value) =>
  value !== null && typeof value === "object" && maybe(isFingerprint)(value.by) && isEnvelopeId(value.of) && isQuote(value.quote);

/** The fields of each type. `chat` is between devices of one person: whose thread it belongs to. */
const TYPES = {
  text: { text: isText, name: maybe(isName), re: maybe(isReply), lasts: maybe(isTimer(1)), chat: maybe(isFingerprint) },
  edit: { of: isEnvelopeId, text: isText, chat: maybe(isFingerprint) },
  delete: { of: isEnvelopeId, chat: maybe(isFingerprint) },
  react: { by: maybe(isFingerprint), of: isEnvelopeId, emoji: isEmoji, chat: maybe(isFingerprint) },
  setting: { lasts: isTimer(0), chat: maybe(isFingerprint) },
  receipt: { delivered: isIds, read: isIds },
  file: { file: isFile, text: maybe(isText), re: maybe(isReply), lasts: maybe(isTimer(1)), chat: maybe(isFingerprint) },
  part: { file: isEnvelopeId, n: isPartNumber, chat: maybe(isFingerprint) },
  profile: { name: isName },
  hello: {},
  goodbye: {},
  resend: { ids: isIds },
};

/** The bytes to seal of a content's fields, `type` among them. */
export const packContent = (fields, octets = new Uint8Array()) => concat(utf8(JSON.stringify(fields)), new Uint8Array([NUL]), octets);

/** Whether octets are of the one length that they can have. */
const OCTETS = {
  file: ({ file }, { length }) => length === partBytes(file, 0),
  part: (fields, { length }) => length > 0 && length <= PART_BYTES,
};

/**
 * The fields of sealed bytes, checked, with `type` and, of a file or a part of one, `octets`. `{type: "unknown"}` for what a newer client
 * says, what belongs to a group too; a `{reason}` where it must be refused as a whole.
 */
export function readContent(bytes) {
  const end = bytes.indexOf(NUL);
  const fields = end < 0 ? null : parseOnce(bytes.subarray(0, end));
  if (typeof fields?.type !== "string") return { reason: "Its content is not JSON that this client can read." };
  if (!Object.hasOwn(TYPES, fields.type) || "group" in fields) return { type: "unknown" };
  const { type } = fields;
  const broken = Object.entries(TYPES[type]).find(([name, check]) => !check(fields[name]));
  if (broken) return { reason: `Its field “${broken[0]}” is missing, or is not what “${type}” can have.` };
  if (type === "receipt" && fields.delivered.length + fields.read.length > MOST_IDS) return { reason: "It confirms more messages than one may." };
  const octets = OCTETS[type] && bytes.slice(end + 1);
  if (octets && !OCTETS[type](fields, octets)) return { reason: "What it holds of a file is not as long as it has to be." };
  const known = Object.keys(TYPES[type]).filter((name) => fields[name] !== undefined);
  const read = { type, ...Object.fromEntries(known.map((name) => [name, fields[name]])) };
  return { ...read, ...(octets && { octets }), ...(type === "file" && { file: knownFile(fields.file) }) };
}

// In which form a message goes, and its plaintext. Once a device of a contact is known, nothing goes to them in v1's form any more,
// whatever a relay says or loses (PROTOCOL.md, "Who gets it").

export const WAITS = "It waits for their first message: their client has to be one that can read this.";

/** The content of a message that was written here. */
export function contentOf({ contact, text, re, lasts, file }) {
  const words = (text || !file) && { text: text.replaceAll("\0", "\ufffd") };
  const answers = re && { re: { of: re.of, quote: re.quote, ...(re.mine || { by: contact }) } };
  return { type: file ? "file" : "text", ...(file && { file: knownFile(file) }), ...words, ...answers, ...(lasts && { lasts }) };
}

/** Whether v1 can say it. */
export const isPlain = ({ re, lasts, file }) => !re && !lasts && !file;

/**
 * A promise of the plaintext of `{id, at, content, octets?, device?}` from `identity` to a contact, by the `session` with them. `name`: what I call myself; where the
 * words alone fill the relay's `limit` (bytes), it comes with the next ones. Rejects with NotYetError for what v1 can't say.
 */
export async function pack({ id, at, content, octets, device }, { identity, session, to, name, limit }) {
  const { id: key_id, public_key } = session.keys.at(-1);
  const written = { id, from: identity.fingerprint, to, ts: at, device: device ?? identity.device, key: public_key, key_id };
  const sealed = session.devices.length > 0;
  const greetsMine = to === identity.fingerprint && content.type === "hello";
  if (!sealed && !greetsMine) return packPlain(content, written, name, limit);
  const plaintext = (named) => packEnvelope2(written, packContent({ ...content, ...(named && { name: named }) }, octets), receivers(session));
  const whole = await plaintext(content.type === "text" ? name : "");
  return name && wireBytes(whole) > limit ? plaintext("") : whole;
}

function packPlain(content, written, name, limit) {
  if (content.type !== "text" || !isPlain(content)) throw new NotYetError(WAITS);
  return packEnvelope({ ...written, text: content.text, name }, limit);
}

/** What a text will weigh on the wire for a contact with so many devices. */
export function wireBytesOf({ identity, to, text, devices }) {
  if (devices > 0) return wireBytes({ length: plaintextBytes(packContent(contentOf({ text })).length, Math.min(devices, 8)) });
  const announced = { device: identity.device, key: new Uint8Array(32) };
  return wireBytes(packEnvelope({ id: "0".repeat(22), from: identity.fingerprint, to, ts: Date.now(), text, ...announced }));
}
