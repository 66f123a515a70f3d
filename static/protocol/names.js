/**
 * What people call themselves. Such a name is a stranger's text beside which others are trusted, so it holds nothing that can't be
 * seen, or that looks as if this page had said it; and whoever is called like somebody else is told apart (PROTOCOL.md, "Names").
 */
import { fold } from "./excerpt.js";

const MOST_CHARACTERS = 64;
/** Controls, direction marks, fillers, tags, halves of characters; a joiner between ASCII; a pile of accents; our own mark for *verified*. */
const HIDDEN = /(?![\u200c\u200d\ufe0f])\p{Default_Ignorable_Code_Point}|[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u2800\ufff9-\ufffd]|(?![\u200c\u200d])\p{Cf}/u;
const IDLE_JOINER = /(?:^|[\0-\x7f])[\u200c\u200d\ufe0f]+|[\u200c\u200d](?:$|[\0-\x7f])|[\u200c\u200d]{2}/u;
const PILED_MARKS = /\p{M}{5}/u;
const SEAL = /[\u2610-\u2612\u2705\u2713-\u2718\u221a\u{1f512}\u{1f5f8}-\u{1f5f9}\u{1f6e1}]/u;
const VISIBLE = /[\p{L}\p{N}\p{S}\p{P}]/u;
/** Ends as displayName (format.js) ends whoever has another's name. */
const ENDS_LIKE_ADDRESS = /\([0-9a-fol]{4}[0-9a-fol]{4}\)$/;

/** Letters that look like those of ASCII: Cyrillic, Greek, Armenian, Cherokee, Latin with strokes; and what monospaced letters confuse. */
const LOOKALIKES = new Map(
  Object.entries({
    a: "аαɑ", A: "АΑᎪ", b: "Ььƅ", B: "ВΒᏴ", c: "сϲᴄ", C: "СϹᏟ", d: "ԁđ", D: "ᎠĐ", e: "еҽ", E: "ЕΕᎬ", F: "Ϝ", g: "ɡց", G: "ԌᏀ", h: "һհħ", H: "НΗᎻ",
    i: "іıɩι", j: "јϳ", J: "ЈᎫ", k: "кκ", K: "КΚᏦ", l: "ӏǀłƚ|1IІΙӀ", L: "ᏞŁ", m: "м", M: "МΜᎷ", n: "пηո", N: "Ν", o: "оοօ0ø", O: "ОΟՕØ",
    p: "рρ", P: "РΡᏢ", q: "ԛգ", Q: "Ԛ", r: "гᴦ", R: "ᎡᏒ", s: "ѕꜱ", S: "ЅՏᏚ", t: "тτ", T: "ТΤᎢ", u: "υս", U: "Ս", v: "ѵν", V: "ѴᏙ", w: "ԝѡ",
    W: "ԜᎳ", x: "хχ×", X: "ХΧ", y: "уγү", Y: "УΥҮ", z: "ᴢ", Z: "ΖᏃ",
  }).flatMap(([letter, others]) => [...others].map((other) => [other, letter])),
);

/** The name in `value`, which may be anything, in the one form that is kept and sent; "" where it is none. */
export function readName(value) {
  if (typeof value !== "string" || value.length > 4 * MOST_CHARACTERS) return "";
  const name = value.normalize("NFC").replace(/\p{Zs}+/gu, " ").trim();
  const tricks = [HIDDEN, IDLE_JOINER, PILED_MARKS, SEAL].some((trick) => trick.test(name));
  if (tricks || !VISIBLE.test(name) || [...name].length > MOST_CHARACTERS) return "";
  return ENDS_LIKE_ADDRESS.test(plainLetters(name.toLowerCase()).replaceAll(" ", "")) ? "" : name;
}

/** What a name is told apart by: two people are called alike where they share one. As it is, in small letters and in capitals, for each looks like others. */
export function likenesses(name) {
  return new Set([name, name.toLowerCase(), name.toUpperCase()].map((written) => squeeze(plainLetters(written))));
}

/** In ASCII letters as far as they look like such, all of them small. */
function plainLetters(text) {
  const bare = text.normalize("NFKD").replace(/\p{M}/gu, "");
  return fold([...bare].map((letter) => LOOKALIKES.get(letter) ?? letter).join("")).replaceAll("rn", "m").replaceAll("vv", "w");
}

/** Without spaces, points and what is not seen, unless there is nothing else. */
const squeeze = (text) => text.replace(/[\p{Z}\p{P}\p{C}]/gu, "") || text;
