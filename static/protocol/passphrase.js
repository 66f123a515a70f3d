/** Passphrases for backups: whoever has the file can guess for as long as they like. */
import { randomBytes } from "./crypto.js";
import { WeakPassphraseError } from "./errors.js";

const LEAST_CHARACTERS = 12;
const LEAST_DIFFERENT = 6;
const WORDS = 6; // of 2048: 66 bits

/** Throws WeakPassphraseError. */
export function refuseWeak(passphrase) {
  const characters = [...passphrase.normalize("NFKC").trim()];
  const strong = characters.length >= LEAST_CHARACTERS && new Set(characters).size >= LEAST_DIFFERENT;
  if (!strong) throw new WeakPassphraseError(`Use at least ${LEAST_CHARACTERS} characters, ${LEAST_DIFFERENT} different ones among them; six random words are better.`);
}

/** Six random words of BIP-39's English list. */
export async function sixWords() {
  const { wordlist } = await import("../vendor/bip39-english.js");
  const numbers = new Uint16Array(randomBytes(WORDS * Uint16Array.BYTES_PER_ELEMENT).buffer);
  return Array.from(numbers, (number) => wordlist[number % wordlist.length]).join(" "); // 2048 divides 65536: none is likelier
}
