/** Addresses of people and relays (PROTOCOL.md, "Invite links", has a table of cases). */
import { KEY_BYTES, fingerprintOf } from "./crypto.js";
import { fromBase64 } from "./encoding.js";
import { AddressError, EncodingError, RelayAddressError } from "./errors.js";
import { readName } from "./text.js";

const FINGERPRINT = /^[0-9a-f]{64}$/;
const LOCAL_HOST = /^(localhost|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\])(:|\/|$)/i;

export const isFingerprint = (text) => typeof text === "string" && FINGERPRINT.test(text);

/**
 * The contact goes in the fragment: no server log sees who talks to whom. `older`: v1's query form, the only one that an original relay's
 * page reads; its server sees it, so it holds no `name`.
 */
export const makeInviteLink = (fingerprint, origin, { older = false, name = "" } = {}) =>
  `${origin}/chats${older ? "?" : "#"}${new URLSearchParams({ chat: fingerprint, server: origin })}${name && !older ? `&name=${escaped(name)}` : ""}`;

/** With %20, and without what a text around a link may take off its end. */
const escaped = (name) => encodeURIComponent(name).replace(/[!'().]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

export function relayOrigin(text) {
  const typed = text.trim();
  const scheme = LOCAL_HOST.test(typed) ? "http" : "https";
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `${scheme}://${typed}`;
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new RelayAddressError("A server's address looks like https://chat.example.com: check what you typed.");
  }
  return url.origin;
}

/** Whether a host name leads each computer to itself. */
export const isLoopback = (hostname) => /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

const PREFIX = /^[0-9a-f]{8,63}$/;
const PUBLIC_KEY = /^[A-Za-z0-9+/_-]{43}=?$/;
const LEADS_TO_PARAMETERS = /(?:[#?&]|%23)(?:chat|fp)=/;
const AROUND_LINKS = new Set("<>(){}\"'.,;:!?");
const NOT_AN_ADDRESS =
  "This is not an invite link, an address (64 hex digits), its short form (3233: and 32 digits), its first 8 digits or more, or a public key in base64.";

/** `{fingerprint?|prefix?|public_key?, server: origin|null, name?}`, or AddressError. `name`: what the link calls them, which anybody may write. */
export function parseAddress(text) {
  const typed = text.trim();
  if (typed.startsWith("{")) return parseContactCode(typed);
  const link = typed.split(/\s+/).find((word) => LEADS_TO_PARAMETERS.test(word));
  if (link || /^https?:\/\//i.test(typed)) return parseLink(bare(link ?? typed));
  if (PUBLIC_KEY.test(typed) && !PREFIX.test(typed)) return fromPublicKey(typed);
  const digits = typed.replace(/^3233:/i, "").replace(/\s+/g, "").toLowerCase();
  if (isFingerprint(digits)) return { fingerprint: digits, server: null };
  if (PREFIX.test(digits)) return { prefix: digits, server: null };
  throw new AddressError(NOT_AN_ADDRESS);
}

/** Strips it there, so that it is not opened again by a reload or shared by mistake. */
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

/** `?server=` alone never changes a person's relay. */
function dropServer(link, history) {
  if (link.searchParams.has("server")) history.replaceState(history.state, "", link.pathname);
  return null;
}

/** Without the brackets, quotes and full stop of the text around it. */
function bare(word) {
  let [start, end] = [0, word.length];
  while (AROUND_LINKS.has(word[start])) start += 1;
  while (end > start && AROUND_LINKS.has(word[end - 1])) end -= 1;
  return word.slice(start, end);
}

/** A link names whole addresses only: with a few digits the relay could choose the person. */
function parseLink(text) {
  const unescaped = text.includes("#") ? text : text.replace("%23", "#");
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(unescaped) ? unescaped : `https://${unescaped}`;
  const link = URL.canParse(address) ? new URL(address) : null;
  const parameters = link && inviteParameters(link);
  if (!parameters) throw new AddressError("This link names nobody: ask for a new invite link.");
  const fingerprint = (parameters.get("chat") ?? parameters.get("fp")).toLowerCase();
  if (!isFingerprint(fingerprint)) throw new AddressError("This link has no whole address (64 hex digits) in it: ask for a new one.");
  const own = link.username || link.password ? "" : link.origin;
  const name = readName(parameters.get("name"));
  return { fingerprint, server: originOf(parameters.get("server") || own), ...(name && { name }) };
}

/** All from the fragment, or all from the older query. */
function inviteParameters(link) {
  const candidates = [new URLSearchParams(link.hash.slice(1)), link.searchParams];
  return candidates.find((parameters) => parameters.has("chat") || parameters.has("fp"));
}

/** Only what is an origin already. */
function originOf(text) {
  const url = /^https?:\/\//i.test(text) && URL.canParse(text) ? new URL(text) : null;
  if (url && url.href === `${url.origin}/`) return url.origin;
  throw new AddressError("This link names a server that is not a web address: ask for a new one.");
}

/** The original client's contact QR code: `{"3233": 1, "server": "https://…", "fingerprint": "<64 hex digits>"}`. */
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
