/** Pieces of a stranger's text that are as long as there is room, and never half a character. Every cost is bounded by the room. */
import { linkParts } from "./links.js";
import { readMarks } from "./marks.js";

const CLUSTER = 64; // UTF-16 units: no character that people write is longer (a family emoji has 11)
const WORDS_CHARACTERS = 1000; // of a text, where there is room for a line of it
const LINE_END = /\r\n?|[\n\v\f\x85\u2028\u2029]/g;
const NOT_IN_A_LINE = /[\s\p{Cc}\u2028\u2029]+/gu;
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g; // would reorder what stands beside an excerpt where nothing isolates it

const LONGEST_EMOJI = 48; // UTF-16 units of three
const PICTURE = /[\p{Emoji_Presentation}\p{Extended_Pictographic}\ufe0f]/u;

let graphemes;
let pictures;

/** The start of the character (grapheme) that `at` is in. */
export function characterStart(text, at) {
  if (at <= 0 || at >= text.length) return Math.max(0, Math.min(at, text.length));
  graphemes ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  const from = Math.max(0, at - CLUSTER);
  const { index } = graphemes.segment(text.slice(from, at + CLUSTER)).containing(at - from);
  if (index > 0 || from === 0) return from + index;
  return /[\udc00-\udfff]/.test(text[at]) ? at - 1 : at;
}

/** `text`, or its beginning and an ellipsis where it has more than `length` UTF-16 units. */
export function cut(text, length) {
  return text.length <= length ? text : `${text.slice(0, characterStart(text, length - 1))}…`;
}

/** `text` on one line of at most `length`, for where there is no room for more: lists, notifications, a screen reader. */
export function oneLine(text, length) {
  const begun = cut(text.trimStart(), 4 * length); // enough, unless it is mostly space
  return cut(begun.replace(NOT_IN_A_LINE, " ").replace(TURNS, "").trim(), length);
}

/** The words at the beginning of `text`, without the signs of its marks, for where it is told in one line. */
export function wordsOf(text) {
  const begun = text.trimStart();
  return readMarks(begun, 0, Math.min(begun.length, WORDS_CHARACTERS)).nodes.map(wordsIn).join("");
}

function wordsIn({ kind, text, nodes }) {
  if (kind === "bullet") return "• ";
  return nodes ? nodes.map(wordsIn).join("") : { sign: "", label: "" }[kind] ?? text;
}

/** Reads `text` on from `from`: `{parts, end}`, the parts as linkParts gives them, of about `characters` and `lines` at most. */
export function nextPiece(text, from, { characters, lines = Infinity }) {
  const limit = pieceEnd(text, from, characters, lines);
  const parts = [...linkParts(text, from, limit)];
  const end = from + parts.reduce((sum, part) => sum + part.text.length, 0);
  if (end <= limit || parts.length === 1) return { parts, end };
  const { text: address } = parts.pop(); // half of it would be another address
  return { parts, end: end - address.length };
}

function pieceEnd(text, from, characters, lines) {
  const most = text.slice(from, from + characters);
  const ends = [...most.matchAll(LINE_END)].map(({ 0: mark, index }) => from + index + mark.length);
  if (ends.length >= lines) return ends[lines - 1];
  if (from + characters >= text.length) return text.length;
  const near = from + (3 / 4) * characters;
  const seams = [ends.at(-1), from + most.lastIndexOf(" ") + 1]; // where a break shows least
  return seams.find((end) => end > near) ?? characterStart(text, from + characters);
}

/** One to three emoji, and nothing else. */
export function isEmojiAlone(text) {
  if (text.length > LONGEST_EMOJI || !PICTURE.test(text)) return false;
  pictures ??= new RegExp("^(?:\\s*\\p{RGI_Emoji}){1,3}\\s*$", "v"); // made when first needed: it takes a while
  return pictures.test(text);
}

// Text as search compares it: without case, accents, points and harakat, and ligatures and widths as plain letters.

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
