/** Safety numbers: what two people compare to know that nobody sits between them. */
import { concat, utf8 } from "./encoding.js";
import { sha512 } from "./crypto.js";

const LABEL = utf8("io3233 safety number v1\0");
const GROUPS = 12;
const BYTES_PER_GROUP = 5;

const isBefore = (a, b) => {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at >= 0 && a[at] < b[at];
};

function group(digest, index) {
  const bytes = digest.subarray(index * BYTES_PER_GROUP, (index + 1) * BYTES_PER_GROUP);
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return String(number % 100_000).padStart(5, "0");
}

/** 60 digits in 12 groups, the same on both sides: SHA-512 over a label and both public keys, the lower one first. */
export function safetyNumber(one_public_key, other_public_key) {
  const ordered = isBefore(one_public_key, other_public_key) ? [one_public_key, other_public_key] : [other_public_key, one_public_key];
  const digest = sha512(concat(LABEL, ...ordered));
  return Array.from({ length: GROUPS }, (_, index) => group(digest, index)).join(" ");
}
