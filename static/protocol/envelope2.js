/**
 * Envelope 2 (PROTOCOL.md): `header ‖ 0x00 ‖ body ‖ padding`, inside v1's box. The body is sealed under a content key that is wrapped for
 * each receiving key and then forgotten, as is the one-time key that wraps it: whoever gets an identity key reads none of it. `secrets` are
 * random but in test vectors.
 */
import {
  BOX_OVERHEAD_BYTES, KEY_BYTES, NONCE_BYTES, agreedKey, isSafeKey, keyPairFrom, openBox, openSecret, publicKeyOf, randomBytes, sealBox, sealSecret, sha256, sharedKey,
} from "./crypto.js";
import { bytesOrNull, concat, toBase64, toBase64Url, utf8 } from "./encoding.js";
import { isDeviceId, isEnvelopeId, openRow, parseOnce, readAnnounced, readEnvelope, refusal, whyMisplaced } from "./envelope.js";

const NUL = 0;
const PAD_TO_BYTES = 256;
const LARGE_BYTES = 65_536;
const LARGE_STEPS = 32;
const KEY_ID_BYTES = 8;
const WRAPPED_BYTES = KEY_BYTES + BOX_OVERHEAD_BYTES;
const MOST_KEYS = 16;
const MOST_CLOCK_ERROR_MS = 5 * 366 * 86_400_000;

/** base64url of the first 8 bytes of its SHA-256. */
export const keyId = (public_key) => toBase64Url(sha256(public_key).subarray(0, KEY_ID_BYTES));

export function newReceivingKey() {
  const pair = keyPairFrom(randomBytes(KEY_BYTES));
  return { id: keyId(pair.public_key), ...pair };
}

const newSecrets = () => ({ one_time: randomBytes(KEY_BYTES), content_key: randomBytes(KEY_BYTES), nonce: randomBytes(NONCE_BYTES) });

/**
 * → the plaintext to box: `content` (bytes) for `receivers`, `{device, key}` each; for none of them unsealed. `device` and `key`: the
 * writer's own; `ts`: ms since 1970. The secrets are overwritten.
 */
export async function packEnvelope2({ id, from, to, ts, device, key }, content, receivers, secrets = newSecrets()) {
  const sealed = receivers.length > 0;
  const body = sealed ? sealSecret(content, secrets.nonce, secrets.content_key) : content;
  const header = { v: 2, id, from, to, ts, device, key: toBase64(key), size: body.length, ...(sealed && (await wrap(receivers, secrets))) };
  for (const secret of [secrets.one_time, secrets.content_key]) secret.fill(0);
  return padded(concat(utf8(JSON.stringify(header)), new Uint8Array([NUL]), body));
}

/** All multiplications at once: the browser does them beside each other. */
async function wrap(receivers, { one_time, content_key, nonce }) {
  const rows = receivers.map(async ({ device, key }) => [device, keyId(key), toBase64(sealBox(content_key, nonce, await agreedKey(key, one_time)))]);
  const [public_key, ...keys] = await Promise.all([publicKeyOf(one_time), ...rows]);
  return { one_time: toBase64(public_key), nonce: toBase64(nonce), keys };
}

/** A multiple of 256 bytes, from 64 KiB on of 1/32 of the power of two below: a length tells little, and costs little. */
export function padded(bytes) {
  const step = bytes.length < LARGE_BYTES ? PAD_TO_BYTES : 2 ** Math.floor(Math.log2(bytes.length)) / LARGE_STEPS;
  const whole = new Uint8Array(Math.ceil(bytes.length / step) * step);
  whole.set(bytes);
  return whole;
}

export function plaintextBytes(content_bytes, receivers) {
  const device = "A".repeat(11);
  const address = "0".repeat(64);
  const wrapped = new Array(receivers).fill([device, device, "A".repeat(64)]);
  const keys = receivers > 0 && { one_time: "A".repeat(44), nonce: "A".repeat(32), keys: wrapped };
  const size = content_bytes + (receivers > 0 ? BOX_OVERHEAD_BYTES : 0);
  const header = { v: 2, id: "A".repeat(22), from: address, to: address, ts: Date.now(), device, key: "A".repeat(44), size, ...keys };
  return padded(new Uint8Array(JSON.stringify(header).length + 1 + size)).length;
}

/**
 * Opens a row's outer box. v1's: as openEnvelope. Envelope 2: `{from, id, kind: "sealed", ts, announced, keys, one_time, nonce, body}`,
 * `keys` null where the body is the content itself. Refuses rather than throws.
 */
export function openMail(row, identity, sharedKeys) {
  const { plaintext, reason } = openRow(row, sharedKeys);
  if (!plaintext) return refusal(row, reason);
  if (!plaintext.includes(NUL)) return readEnvelope(plaintext, row, identity);
  const mail = readEnvelope2(plaintext, { from: row.sender_fingerprint, to: identity.fingerprint, at: row.created_at });
  return mail.reason ? refusal(row, mail.reason) : mail;
}

/** Header and body, or a `{reason}` to refuse them. `at`: when it came to the relay, ms. */
export function readEnvelope2(plaintext, { from, to, at }) {
  const end = plaintext.indexOf(NUL);
  const header = parseOnce(plaintext.subarray(0, end));
  if (header === null) return { reason: "Its header is not JSON that this client can read." };
  const reason = whyMisplaced(header, from, to) || whyRefused(header, plaintext.length - end - 1, at ?? Date.now());
  if (reason) return { reason };
  const { id, ts, size } = header;
  const body = plaintext.subarray(end + 1, end + 1 + size);
  return { kind: "sealed", from, id, ts, text: "", reason: "", legacy: false, announced: readAnnounced(header), body, ...(readKeys(header) ?? { keys: null }) };
}

function whyRefused({ v, id, ts, size, keys, one_time, nonce, ...header }, most_bytes, at) {
  if (v !== 2) return "It says that it is of another version than it is.";
  if (!isEnvelopeId(id)) return "Its message id is malformed.";
  if (!Number.isInteger(ts)) return "Its time is malformed.";
  if (Math.abs(ts - at) > MOST_CLOCK_ERROR_MS) return "The sender's clock is years off: ask them to set it, and to write again.";
  if (!readAnnounced(header)) return "It names no device and no key that could be answered.";
  if (!(Number.isInteger(size) && size >= 0 && size <= most_bytes)) return "It says that it is longer than it is.";
  if (keys === undefined && one_time === undefined && nonce === undefined) return "";
  return readKeys({ keys, one_time, nonce }) ? "" : "Its list of keys is malformed.";
}

/** As bytes; null where it is malformed, or not there. */
function readKeys({ keys, one_time, nonce }) {
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MOST_KEYS) return null;
  const rows = keys.map(readRow);
  const unwraps = { keys: rows, one_time: bytesOrNull(one_time, KEY_BYTES), nonce: bytesOrNull(nonce, NONCE_BYTES) };
  const distinct = new Set(rows.map((row) => row?.device)).size === rows.length;
  return distinct && rows.every(Boolean) && unwraps.one_time && isSafeKey(unwraps.one_time) && unwraps.nonce ? unwraps : null;
}

function readRow(row) {
  if (!Array.isArray(row) || row.length !== 3) return null;
  const [device, key_id] = row;
  const wrapped = bytesOrNull(row[2], WRAPPED_BYTES);
  return isDeviceId(device) && isDeviceId(key_id) && wrapped ? { device, key_id, wrapped } : null; // both are 8 bytes
}

/** `receiving`: keys `{id, secret_key}`. → `{content, key_id}`, or null where no row for this `device` opens. */
export function openBody({ keys, one_time, nonce, body }, device, receiving) {
  if (keys === null) return { content: body, key_id: null };
  const row = keys.find((each) => each.device === device);
  const key = row && receiving.find(({ id }) => id === row.key_id);
  const content_key = key && openBox(row.wrapped, nonce, sharedKey(one_time, key.secret_key));
  const content = content_key && openSecret(body, nonce, content_key);
  return content ? { content, key_id: key.id } : null;
}
