/** Making what goes into the box (PROTOCOL.md, "Envelope"); envelope.js opens it. */
import { BOX_OVERHEAD_BYTES, KEY_BYTES, NONCE_BYTES, randomBytes } from "./crypto.js";
import { toBase64Url, utf8 } from "./encoding.js";

const PAD_TO_BYTES = 256;
const ID_BYTES = 16;

export const newEnvelopeId = () => toBase64Url(randomBytes(ID_BYTES));

/** The plaintext to box, a multiple of 256 bytes: a length then tells little. `ts` in ms since 1970. */
export function packEnvelope({ id, from, to, ts, text }) {
  const fields = { v: 1, type: "text", id, from, to, ts, text };
  const length = utf8(JSON.stringify({ ...fields, pad: "" })).length;
  const pad = "0".repeat((PAD_TO_BYTES - (length % PAD_TO_BYTES)) % PAD_TO_BYTES);
  return utf8(JSON.stringify({ ...fields, pad }));
}

/** What a relay counts against its limit: ciphertext, nonce and sender key. */
export const wireBytes = (plaintext) => plaintext.length + BOX_OVERHEAD_BYTES + NONCE_BYTES + KEY_BYTES;
