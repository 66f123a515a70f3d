/** UTF-8, hex, and the base64 of PROTOCOL.md "Encodings". */
import { EncodingError } from "./errors.js";

const NOT_BASE64 = /[^A-Za-z0-9+/]/; // one character: a repetition would backtrack over a stranger's text
const CHUNK_BYTES = 0x8000; // arguments are on the stack

export const utf8 = (text) => new TextEncoder().encode(text);

/** Throws EncodingError, so nothing is shown in a guessed form. */
export function fromUtf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new EncodingError("These bytes are not UTF-8 text.", { cause: error });
  }
}

export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Standard alphabet, padded: the one form that goes on the wire. */
export function toBase64(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES)));
  }
  return btoa(parts.join(""));
}

export const toBase64Url = (bytes) =>
  toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** Either alphabet, padded or not, nothing else (atob would skip white space). Throws EncodingError. */
export function fromBase64(text, length) {
  const standard = String(text).replaceAll("-", "+").replaceAll("_", "/");
  const padding = standard.endsWith("==") ? 2 : Number(standard.endsWith("="));
  const unpadded = standard.slice(0, standard.length - padding);
  const wholeGroups = padding === 0 || standard.length % 4 === 0;
  if (NOT_BASE64.test(unpadded) || unpadded.length % 4 === 1 || !wholeGroups) throw new EncodingError("This is not base64.");
  const bytes = Uint8Array.from(atob(unpadded), (character) => character.charCodeAt(0));
  if (length !== undefined && bytes.length !== length) throw new EncodingError(`Expected ${length} bytes, found ${bytes.length}.`);
  return bytes;
}

export function bytesOrNull(text, length) {
  if (typeof text !== "string") return null;
  try {
    return fromBase64(text, length);
  } catch (error) {
    if (error instanceof EncodingError) return null;
    throw error;
  }
}

export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

export const equalBytes = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index]);

export const shortForm = (fingerprint) => `3233:${fingerprint.slice(0, 32)}`;
