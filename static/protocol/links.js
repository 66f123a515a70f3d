/**
 * Web addresses in a stranger's text. Reading costs one pass: no character is looked at more often than a fixed number of
 * times, whatever the text, so there are no patterns here that repeat and backtrack.
 */

const SCHEME = /https?:\/\//gi;
const SCHEME_LENGTH = 8;
/** What no address goes on beyond: space, controls, quotes, and the full stops and brackets of scripts that write no spaces. */
const END = /[\s\p{Cc}<>"`\u3001\u3002\u3008-\u3011\u3014-\u301b\u301d-\u301f\uff01\uff08\uff09\uff0c\uff0e\uff1a\uff1b\uff1f\uff3b\uff3d\uff5b\uff5d\uff5f-\uff64]/gu;
const WORD = /\w/;
/** What belongs to the sentence where it ends an address: "**https://a.example/**.", and other scripts' punctuation. */
const TRAILING = /[.,;:!?*']|(?![\0-\x7f])\p{P}/u;
/** Not seen, or seen as something else: what holds one is never a link. */
const UNSEEN = /[\p{Cf}\p{Cs}]/u;
const CLOSERS = { ")": "(", "]": "[", "}": "{" };
const LONGEST = 2048; // characters; a longer one is text

/**
 * The parts of `text` between `from` and `to`, in order and without a gap: `{text, href}`. `href` is where a link leads, as it is
 * to be shown: percent-encoded and punycode, thus ASCII without disguise. It is "" in what is no link. An address that begins
 * before `to` is read to its end.
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

/** Up to the first closing bracket that it did not open, without the sentence's punctuation. "" where it is too long for a link. */
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
