/** Text as search compares it: without case, accents, points and harakat, and ligatures and widths as plain letters. */

/** Combining marks that readers leave out when they type: Latin, Greek and Cyrillic accents, Hebrew points, Arabic harakat. */
const MARKS = /[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]/g;
const folded = new Map(); // of one UTF-16 unit each, so there are at most 65,536


/** Character by character: normalizing a text as a whole takes time with the square of the marks on one letter. */
export const fold = (text) => text.replace(/[^\0-\x7f]/gu, foldCharacter).toLowerCase();

function foldCharacter(character) {
  if (character.length > 1) return decompose(character);
  if (!folded.has(character)) folded.set(character, decompose(character));
  return folded.get(character);
}

const decompose = (character) => plain(plain(character).toLowerCase()).replaceAll("ς", "σ");
const plain = (character) => character.normalize("NFKD").replace(MARKS, "");

/** Where `text` has `wanted`, which is folded and not empty: `{at, length}` in UTF-16 units of `text`, or null. */
export function locate(text, wanted) {
  const found = fold(text).indexOf(wanted);
  if (found < 0) return null;
  let [at, passed, start] = [0, 0, -1];
  for (const character of text) {
    const { length } = fold(character);
    if (length && passed >= found + wanted.length) break; // marks on the last letter belong to it
    if (start < 0 && passed + length > found) start = at;
    at += character.length;
    passed += length;
  }
  return { at: start, length: at - start };
}
