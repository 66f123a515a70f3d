/** Addresses of people and relays. What a person pastes is read by invite.js. */
import { RelayAddressError } from "./errors.js";

const FINGERPRINT = /^[0-9a-f]{64}$/;
const LOCAL_HOST = /^(localhost|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\])(:|\/|$)/i;

export const isFingerprint = (text) => typeof text === "string" && FINGERPRINT.test(text);

/**
 * The contact goes in the fragment, which browsers keep to themselves: no server log sees who talks to whom. `older`: v1's query form,
 * the only one that the page of an original relay reads; its server sees it, so it holds no `name`.
 */
export const makeInviteLink = (fingerprint, origin, { older = false, name = "" } = {}) =>
  `${origin}/chats${older ? "?" : "#"}${new URLSearchParams({ chat: fingerprint, server: origin })}${name && !older ? `&name=${escaped(name)}` : ""}`;

/** Without what a text around a link may take off its end (see bare in invite.js), and with %20, as people's programs read it. */
const escaped = (name) => encodeURIComponent(name).replace(/[!'().]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);

/** What a person typed as a relay, to its origin. Throws RelayAddressError. */
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

/** Whether a host name, as URL.hostname has it, leads each computer to itself. */
export const isLoopback = (hostname) => /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
