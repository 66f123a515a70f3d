/**
 * A stranger's text: pieces as long as there is room, never half a character; web addresses; what search compares; what people call
 * themselves. Every cost is bounded: one pass, no pattern that repeats and backtracks.
 */

const CLUSTER = 64; // UTF-16 units: no character is longer (a family emoji has 11)
const LINE_END = /\r\n?|[\n\v\f\x85\u2028\u2029]/g;
const NOT_IN_A_LINE = /[\s\p{Cc}\u2028\u2029]+/gu;
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g; // would reorder what stands beside an excerpt

const LONGEST_EMOJI = 48; // UTF-16 units of three
const PICTURE = /[\p{Emoji_Presentation}\p{Extended_Pictographic}\ufe0f]/u;

let graphemes;
let pictures;

/** Of the grapheme that `at` is in. */
export function characterStart(text, at) {
  if (at <= 0 || at >= text.length) return Math.max(0, Math.min(at, text.length));
  graphemes ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  const from = Math.max(0, at - CLUSTER);
  const { index } = graphemes.segment(text.slice(from, at + CLUSTER)).containing(at - from);
  if (index > 0 || from === 0) return from + index;
  return /[\udc00-\udfff]/.test(text[at]) ? at - 1 : at;
}

export function cut(text, length) {
  return text.length <= length ? text : `${text.slice(0, characterStart(text, length - 1))}…`;
}

export function oneLine(text, length) {
  const begun = cut(text.trimStart(), 4 * length); // enough, unless it is mostly space
  return cut(begun.replace(NOT_IN_A_LINE, " ").replace(TURNS, "").trim(), length);
}

/** Reads on from `from`: `{parts, end}`, parts as linkParts gives them, of about `characters` and `lines` at most. */
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

export function isEmojiAlone(text) {
  if (text.length > LONGEST_EMOJI || !PICTURE.test(text)) return false;
  pictures ??= new RegExp("^(?:\\s*\\p{RGI_Emoji}){1,3}\\s*$", "v"); // takes a while
  return pictures.test(text);
}

// As search compares it: without case, accents, points and harakat, and ligatures and widths as plain letters.

/** Left out when people type. */
const MARKS = /[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]/g;
const folded = new Map(); // of one UTF-16 unit each, so there are at most 65,536

/** Normalizing a text as a whole takes time with the square of the marks on one letter. */
export const fold = (text) => text.replace(/[^\0-\x7f]/gu, foldCharacter).toLowerCase();

function foldCharacter(character) {
  if (character.length > 1) return decompose(character);
  if (!folded.has(character)) folded.set(character, decompose(character));
  return folded.get(character);
}

const decompose = (character) => plain(plain(character).toLowerCase()).replaceAll("ς", "σ");
const plain = (character) => character.normalize("NFKD").replace(MARKS, "");

/** `wanted` is folded and not empty. → `{at, length}` in UTF-16 units, or null. */
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

const SCHEME = /https?:\/\//gi;
const SCHEME_LENGTH = 8;
/** No address goes on beyond space, controls, quotes, and the full stops and brackets of scripts that write no spaces. */
const END = /[\s\p{Cc}<>"`\u3001\u3002\u3008-\u3011\u3014-\u301b\u301d-\u301f\uff01\uff08\uff09\uff0c\uff0e\uff1a\uff1b\uff1f\uff3b\uff3d\uff5b\uff5d\uff5f-\uff64]/gu;
const WORD = /\w/;
/** The sentence's own: "**https://a.example/**.", and other scripts' punctuation. */
const TRAILING = /[.,;:!?*']|(?![\0-\x7f])\p{P}/u;
/** Not seen, or seen as something else: never in a link. */
const UNSEEN = /[\p{Cf}\p{Cs}]/u;
const CLOSERS = { ")": "(", "]": "[", "}": "{" };
const LONGEST = 2048; // characters; a longer one is text

/**
 * `{text, href}` in order and without a gap. `href`: percent-encoded and punycode, thus ASCII without disguise, as it is to be shown; "" in
 * what is no link. An address that begins before `to` is read to its end.
 */
export function* linkParts(text, from = 0, to = text.length) {
  let done = from;
  let passed = from; // what was looked at, link or not
  let stop = from;
  for (const { index } of text.slice(from, to + SCHEME_LENGTH).matchAll(SCHEME)) {
    const start = from + index;
    if (start >= to) break;
    if (start < passed || WORD.test(text[start - 1] ?? "")) continue;
    if (start >= stop) stop = endOfRun(text, start);
    const address = readAddress(text, start, stop);
    passed = address ? start + address.length : stop;
    const href = hrefOf(address);
    if (!href) continue;
    if (start > done) yield { text: text.slice(done, start), href: "" };
    yield { text: address, href };
    done = passed;
  }
  if (done < to) yield { text: text.slice(done, to), href: "" };
}

function endOfRun(text, start) {
  END.lastIndex = start;
  return END.exec(text)?.index ?? text.length;
}

/** Up to the first closing bracket that it did not open, without the sentence's punctuation. "" for one that is too long. */
function readAddress(text, start, stop) {
  const open = { "(": 0, "[": 0, "{": 0 };
  let end = start;
  for (; end < Math.min(stop, start + LONGEST + 1); end += 1) {
    const opener = CLOSERS[text[end]];
    if (opener && open[opener] === 0) break;
    if (opener) open[opener] -= 1;
    else if (text[end] in open) open[text[end]] += 1;
  }
  if (end - start > LONGEST) return "";
  while (trails(text[end - 1], open)) end -= 1;
  return text.slice(start, end);
}

const trails = (character, open) => TRAILING.test(character) || open[character] > 0;

function hrefOf(address) {
  if (UNSEEN.test(address) || !URL.canParse(address)) return "";
  const [, authority = ""] = address.split(/[/?#\\]+/, 2);
  return authority.includes("@") ? "" : new URL(address).href;
}

// What people call themselves stands where others are trusted: it holds nothing that can't be seen, or that looks as if this page had said
// it; and whoever is called like somebody else is told apart (PROTOCOL.md, "Names").

const MOST_CHARACTERS = 64;
/** Controls, direction marks, fillers, tags, halves of characters; a joiner between ASCII; a pile of accents; our own mark for *verified*. */
const HIDDEN = /(?![\u200c\u200d\ufe0f])\p{Default_Ignorable_Code_Point}|[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u2800\ufff9-\ufffd]|(?![\u200c\u200d])\p{Cf}/u;
const IDLE_JOINER = /(?:^|[\0-\x7f])[\u200c\u200d\ufe0f]+|[\u200c\u200d](?:$|[\0-\x7f])|[\u200c\u200d]{2}/u;
const PILED_MARKS = /\p{M}{5}/u;
const SEAL = /[\u2610-\u2612\u2705\u2713-\u2718\u221a\u{1f512}\u{1f5f8}-\u{1f5f9}\u{1f6e1}]/u;
const VISIBLE = /[\p{L}\p{N}\p{S}\p{P}]/u;
/** As displayName ends whoever has another's name. */
const ENDS_LIKE_ADDRESS = /\([0-9a-fol]{8}\)$/;

/** Like ASCII letters: Cyrillic, Greek, Armenian, Cherokee, Latin with strokes; and what monospaced letters confuse. */
const LOOKALIKES = new Map(
  Object.entries({
    a: "аαɑ", A: "АΑᎪ", b: "Ььƅ", B: "ВΒᏴ", c: "сϲᴄ", C: "СϹᏟ", d: "ԁđ", D: "ᎠĐ", e: "еҽ", E: "ЕΕᎬ", F: "Ϝ", g: "ɡց", G: "ԌᏀ", h: "һհħ", H: "НΗᎻ",
    i: "іıɩι", j: "јϳ", J: "ЈᎫ", k: "кκ", K: "КΚᏦ", l: "ӏǀłƚ|1IІΙӀ", L: "ᏞŁ", m: "м", M: "МΜᎷ", n: "пηո", N: "Ν", o: "оοօ0ø", O: "ОΟՕØ",
    p: "рρ", P: "РΡᏢ", q: "ԛգ", Q: "Ԛ", r: "гᴦ", R: "ᎡᏒ", s: "ѕꜱ", S: "ЅՏᏚ", t: "тτ", T: "ТΤᎢ", u: "υս", U: "Ս", v: "ѵν", V: "ѴᏙ", w: "ԝѡ",
    W: "ԜᎳ", x: "хχ×", X: "ХΧ", y: "уγү", Y: "УΥҮ", z: "ᴢ", Z: "ΖᏃ",
  }).flatMap(([letter, others]) => [...others].map((other) => [other, letter])),
);

/** In the one form that is kept and sent; "" where it is none. */
export function readName(value) {
  if (typeof value !== "string" || value.length > 4 * MOST_CHARACTERS) return "";
  const name = value.normalize("NFC").replace(/\p{Zs}+/gu, " ").trim();
  const tricks = [HIDDEN, IDLE_JOINER, PILED_MARKS, SEAL].some((trick) => trick.test(name));
  if (tricks || !VISIBLE.test(name) || [...name].length > MOST_CHARACTERS) return "";
  return ENDS_LIKE_ADDRESS.test(plainLetters(name.toLowerCase()).replaceAll(" ", "")) ? "" : name;
}

/** Two people are called alike where they share one: as it is, in small letters and in capitals, for each looks like others. */
export function likenesses(name) {
  return new Set([name, name.toLowerCase(), name.toUpperCase()].map((written) => squeeze(plainLetters(written))));
}

function plainLetters(text) {
  const bare = text.normalize("NFKD").replace(/\p{M}/gu, "");
  return fold([...bare].map((letter) => LOOKALIKES.get(letter) ?? letter).join("")).replaceAll("rn", "m").replaceAll("vv", "w");
}

const squeeze = (text) => text.replace(/[\p{Z}\p{P}\p{C}]/gu, "") || text;
