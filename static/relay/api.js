/**
 * The v1 wire, one function a route. What a relay sends is read up to a bound and checked field by field before anything else sees it; what
 * is wrong with it becomes a typed error. Binary fields come out as Uint8Arrays.
 */
import { fromBase64, toBase64 } from "../protocol/encoding.js";
import { KEY_BYTES, NONCE_BYTES } from "../protocol/crypto.js";
import { BadAnswerError, EncodingError } from "../protocol/errors.js";
import { isFingerprint } from "../protocol/address.js";
import { fetchOrThrow } from "./http.js";

const MIB = 1024 * 1024;
const PAGE_BYTES = 24 * MIB; // 50 rows of an old relay's usual limit, in base64
const MOST_FOUND = 10;
const LONGEST_TIME = 64;
const PUSH_KEY = /^[\w-]{87}$/;

export async function challenge(origin, public_key) {
  const answer = await fetchOrThrow(origin, "/v1/register/challenge", { body: { public_key: toBase64(public_key) } });
  const check = checker(origin);
  return {
    challenge: check.bytes(answer.challenge, KEY_BYTES, "challenge"),
    server_public_key: check.bytes(answer.server_public_key, KEY_BYTES, "server_public_key"),
    bound_proof: answer.bound_proof === true,
    origin: typeof answer.origin === "string" ? answer.origin : "",
  };
}

/** `proof`: `{proof_mac}` or `{proof_nonce, proof_ciphertext}`, bytes. → `{fingerprint, token, expires_in}` (seconds) */
export async function register(origin, { public_key, challenge, proof, invite }) {
  const fields = { public_key, challenge, ...proof };
  const body = Object.fromEntries(Object.entries(fields).map(([name, bytes]) => [name, toBase64(bytes)]));
  const answer = await fetchOrThrow(origin, "/v1/register", { body: invite ? { ...body, invite } : body });
  const check = checker(origin);
  return {
    fingerprint: check.fingerprint(answer.fingerprint),
    token: check.that(typeof answer.token === "string" && /^[\w.-]{1,4096}$/.test(answer.token), answer.token, "token"),
    expires_in: check.that(answer.expires_in > 0, answer.expires_in, "expires_in"),
  };
}

/** → `{id, expires_at}`. `signal` gives it up. */
export async function postMessage(origin, token, { recipient_fingerprint, ciphertext, nonce, sender_public_key }, signal) {
  const body = {
    recipient_fingerprint,
    ciphertext: toBase64(ciphertext),
    nonce: toBase64(nonce),
    sender_public_key: toBase64(sender_public_key),
  };
  const answer = await fetchOrThrow(origin, "/v1/messages", { token, body, signal });
  return { id: checker(origin).id(answer.id), expires_at: String(answer.expires_at ?? "").slice(0, LONGEST_TIME) };
}

/**
 * → `{messages: [{id, sender_fingerprint, ciphertext, nonce, sender_public_key, created_at} | {id, malformed: true}], more}`, ids ascending
 * from `after_id`. A bad row with a good id is malformed, so that it never holds up the mail behind it.
 */
export async function getMessages(origin, token, { after_id, limit }) {
  const path = `/v1/messages?after_id=${after_id}&limit=${limit}`;
  const answer = await fetchOrThrow(origin, path, { token, most_bytes: PAGE_BYTES });
  const check = checker(origin);
  const rows = check.that(Array.isArray(answer.messages) && answer.messages.length <= limit, answer.messages, "messages");
  const messages = [];
  for (const row of rows) {
    const id = check.id(row?.id);
    check.that(id > (messages.at(-1)?.id ?? after_id), id, "messages (ids out of order)");
    messages.push(readRow(row, id, check));
  }
  return { messages, more: answer.more === true || messages.length === limit };
}

export const deleteMessages = (origin, token, through_id) =>
  fetchOrThrow(origin, `/v1/messages?through_id=${through_id}`, { method: "DELETE", token });

export const deleteMessage = (origin, token, id) => fetchOrThrow(origin, `/v1/messages/${id}`, { method: "DELETE", token });

/** This identity goes, with the mail queued for it. */
export const deleteMe = (origin, token) => fetchOrThrow(origin, "/v1/me", { method: "DELETE", token });

export const postPush = (origin, token, endpoint) => fetchOrThrow(origin, "/v1/push", { token, body: { endpoint } });

export const deletePush = (origin, token, endpoint) => fetchOrThrow(origin, "/v1/push", { method: "DELETE", token, body: { endpoint } });

/** Only claimed: the caller must hash them before it believes them. */
export async function getKey(origin, fingerprint) {
  const answer = await fetchOrThrow(origin, `/v1/keys/${fingerprint}`);
  return checker(origin).bytes(answer.public_key, KEY_BYTES, "public_key");
}

/** → at most 10; `prefix`: 8 to 64 hex digits. */
export async function searchKeys(origin, prefix) {
  const answer = await fetchOrThrow(origin, `/v1/keys/search/${prefix}`);
  const check = checker(origin);
  const { fingerprints } = answer;
  check.that(Array.isArray(fingerprints) && fingerprints.length <= MOST_FOUND, fingerprints, "fingerprints");
  const fits = (fingerprint) => isFingerprint(fingerprint) && fingerprint.startsWith(prefix);
  return check.that(fingerprints.every(fits), fingerprints, "fingerprints");
}

/** → null for each figure on which the relay is silent. `push`: its key towards push services (RFC 8292), a P-256 point in base64url. */
export async function getStats(origin) {
  const answer = await fetchOrThrow(origin, "/v1/stats");
  const number = (value) => (Number.isFinite(value) && value >= 0 ? value : null);
  const word = (value) => (typeof value === "string" && value.length <= 64 ? value : null);
  return {
    registered_identities: number(answer.registered_identities),
    message_retention_days: number(answer.message_retention_days),
    max_message_bytes: number(answer.max_message_bytes),
    version: word(answer.version),
    registration: word(answer.registration),
    push: PUSH_KEY.test(answer.push) ? answer.push : null,
  };
}

function readRow(row, id, check) {
  try {
    return {
      id,
      sender_fingerprint: check.fingerprint(row.sender_fingerprint),
      sender_public_key: check.bytes(row.sender_public_key, KEY_BYTES, "sender_public_key"),
      nonce: check.bytes(row.nonce, NONCE_BYTES, "nonce"),
      ciphertext: check.bytes(row.ciphertext, undefined, "ciphertext"),
      created_at: readTime(row.created_at),
    };
  } catch (error) {
    if (error instanceof BadAnswerError) return { id, malformed: true };
    throw error;
  }
}

/** Ms since 1970, or null. */
function readTime(text) {
  const time = Date.parse(text);
  return time >= 0 ? time : null;
}

/** Each returns the value it passed, or throws BadAnswerError with the field's name. */
function checker(origin) {
  const that = (holds, value, field) => {
    if (holds) return value;
    throw new BadAnswerError(`${origin} sent an answer that breaks the protocol (${field}). Nothing of it was used.`, { origin });
  };
  return {
    that,
    id: (value) => that(Number.isSafeInteger(value) && value > 0, value, "id"),
    fingerprint: (value) => that(isFingerprint(value), value, "fingerprint"),
    bytes: (value, length, field) => {
      try {
        return fromBase64(that(typeof value === "string", value, field), length);
      } catch (error) {
        if (error instanceof EncodingError) return that(false, value, field);
        throw error;
      }
    },
  };
}
