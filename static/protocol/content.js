/**
 * What envelope 2 carries (PROTOCOL.md, "Content"): `JSON ‖ 0x00 ‖ octets`. A field that breaks its bound has the whole refused; unknown ones
 * are ignored.
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

/** One character as people see it, or "". */
export function isEmoji(value) {
  if (typeof value !== "string" || utf8(value).length > LONGEST_EMOJI_BYTES || NO_SIGN.test(value.replace(JOINERS, ""))) return false;
  graphemes ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return [...graphemes.segment(value)].length <= 1;
}

/** `{by?, of, quote}`; without `by` the sender's own message is answered. */
const isReply = (value) =>
  value !== null && typeof value === "object" && maybe(isFingerprint)(value.by) && isEnvelopeId(value.of) && isQuote(value.quote);

/** `chat` is between devices of one person: whose thread it belongs to. */
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

export const packContent = (fields, octets = new Uint8Array()) => concat(utf8(JSON.stringify(fields)), new Uint8Array([NUL]), octets);

const OCTETS = {
  file: ({ file }, { length }) => length === partBytes(file, 0),
  part: (fields, { length }) => length > 0 && length <= PART_BYTES,
};

/**
 * The checked fields, `type` and, of a file or part, `octets`; `{type: "unknown"}` for what a newer client says, or of a group; else a
 * `{reason}` to refuse it.
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

// Once a device of a contact is known, nothing goes to them in v1's form any more, whatever a relay says or loses (PROTOCOL.md, "Who gets
// it").

export const WAITS = "It waits for their first message: their client has to be one that can read this.";

export function contentOf({ contact, text, re, lasts, file }) {
  const words = (text || !file) && { text: text.replaceAll("\0", "\ufffd") };
  const answers = re && { re: { of: re.of, quote: re.quote, ...(re.mine || { by: contact }) } };
  return { type: file ? "file" : "text", ...(file && { file: knownFile(file) }), ...words, ...answers, ...(lasts && { lasts }) };
}

/** Whether v1 can say it. */
export const isPlain = ({ re, lasts, file }) => !re && !lasts && !file;

/**
 * → the plaintext of `{id, at, content, octets?, device?}`. `name`: what I call myself; where the words alone fill the relay's `limit`
 * (bytes), it comes with the next ones. Rejects with NotYetError for what v1 can't say.
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

export function wireBytesOf({ identity, to, text, devices }) {
  if (devices > 0) return wireBytes({ length: plaintextBytes(packContent(contentOf({ text })).length, Math.min(devices, 8)) });
  const announced = { device: identity.device, key: new Uint8Array(32) };
  return wireBytes(packEnvelope({ id: "0".repeat(22), from: identity.fingerprint, to, ts: Date.now(), text, ...announced }));
}
