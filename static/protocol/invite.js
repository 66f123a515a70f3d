/** Invite links and everything else that a person may paste to name somebody. */
import { isFingerprint, makeInviteLink, relayOrigin } from "./address.js";
import { fromBase64 } from "./encoding.js";
import { KEY_BYTES, fingerprintOf } from "./crypto.js";
import { AddressError, EncodingError, RelayAddressError } from "./errors.js";

const PREFIX = /^[0-9a-f]{8,63}$/;
const PUBLIC_KEY = /^[A-Za-z0-9+/_-]{43}=?$/;
const NOT_AN_ADDRESS =
  "This is not an invite link, an address (64 hex digits), its short form (3233: and 32 digits), its first 8 digits or more, or a public key in base64.";

/** `{fingerprint?|prefix?|public_key?, server: origin|null}`, or AddressError. */
export function parseAddress(text) {
  const typed = text.trim();
  if (typed.startsWith("{")) return parseContactCode(typed);
  if (/^https?:\/\//i.test(typed)) return parseLink(typed);
  if (PUBLIC_KEY.test(typed) && !PREFIX.test(typed)) return fromPublicKey(typed);
  const digits = typed.replace(/^3233:/i, "").replace(/\s+/g, "").toLowerCase();
  if (isFingerprint(digits)) return { fingerprint: digits, server: null };
  if (PREFIX.test(digits)) return { prefix: digits, server: null };
  throw new AddressError(NOT_AN_ADDRESS);
}

/** Reads an invite off the address bar and strips it there, so that it is not opened again by a reload or shared by mistake. */
export function takeInviteFromLocation(location, history) {
  const link = new URL(location.href);
  if (!inviteParameters(link)) return dropServer(link, history);
  history.replaceState(history.state, "", link.pathname);
  try {
    return parseLink(link.href);
  } catch (error) {
    if (error instanceof AddressError) return { error };
    throw error;
  }
}

/** `?server=` alone names nobody, and a link never changes a person's relay: it is only stripped. */
function dropServer(link, history) {
  if (link.searchParams.has("server")) history.replaceState(history.state, "", link.pathname);
  return null;
}

function parseLink(text) {
  const link = URL.canParse(text) ? new URL(text) : null;
  const parameters = link && inviteParameters(link);
  if (!parameters) throw new AddressError("This link names nobody: ask for a new invite link.");
  const server = parameters.get("server");
  return { ...parseAddress(parameters.get("chat") ?? parameters.get("fp")), server: server ? serverOf(server) : link.origin };
}

/** `#chat=&server=`, or the older `?chat=` / `?fp=` with `?server=`. */
function inviteParameters(link) {
  const candidates = [new URLSearchParams(link.hash.slice(1)), link.searchParams];
  return candidates.find((parameters) => parameters.has("chat") || parameters.has("fp"));
}

function serverOf(text) {
  try {
    return relayOrigin(text);
  } catch (error) {
    if (error instanceof RelayAddressError) throw new AddressError("This link names a relay that is not a web address: ask for a new one.");
    throw error;
  }
}

/** What the original client's contact QR code holds: `{"3233": 1, "server": "https://…", "fingerprint": "<64 hex digits>"}`. */
function parseContactCode(text) {
  const { 3233: version, server, fingerprint } = readCode(text);
  if (version === 1 && typeof server === "string" && typeof fingerprint === "string") return parseLink(makeInviteLink(fingerprint, server));
  throw new AddressError("This is no contact code that this page knows: ask for an invite link.");
}

function readCode(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function fromPublicKey(text) {
  try {
    const public_key = fromBase64(text, KEY_BYTES);
    return { public_key, fingerprint: fingerprintOf(public_key), server: null };
  } catch (error) {
    if (error instanceof EncodingError) throw new AddressError(NOT_AN_ADDRESS);
    throw error;
  }
}
