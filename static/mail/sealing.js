/**
 * In which form a message goes, and its plaintext. Once a device of a contact is known, nothing goes to them in v1's form any more,
 * whatever a relay says or loses (PROTOCOL.md, "Who gets it").
 */
import { packContent } from "../protocol/content.js";
import { receivers } from "../protocol/devices.js";
import { packEnvelope, wireBytes } from "../protocol/envelope.js";
import { packEnvelope2, plaintextBytes } from "../protocol/envelope2.js";
import { knownFile } from "../protocol/files.js";
import { NotYetError } from "../protocol/errors.js";

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
