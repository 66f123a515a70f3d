// What a bubble shows of a message's text: at first no more than one look takes in, for a stranger may have sent anything.
import { nextPiece } from "../protocol/excerpt.js";

const PIECE_CHARACTERS = 4000; // what a slow phone lays out at once, whatever the characters
const FIRST_LINES = 60;
/** Marks over one letter, and characters without a width. Engines take time with the square of their number, and nobody writes so many. */
const HEAP = /[\p{M}\p{Emoji_Modifier}\p{Default_Ignorable_Code_Point}]{17,}/gu;
const MARKS = 16;

/** Shows the beginning of `text` in an empty bubble. Returns how much that is: less than its length, if it is long. */
export function showBeginning(bubble, text) {
  const { parts, end } = nextPiece(text, 0, { characters: PIECE_CHARACTERS, lines: FIRST_LINES });
  bubble.append(...parts.flatMap(nodes));
  return end;
}

/**
 * Shows the rest, from `from` on, a piece a frame: the page stays usable meanwhile. Each is a block of its own in a bubble as wide
 * as it may be, so that none is laid out again when the next comes. Ends early when the bubble leaves the page.
 */
export async function showRest(bubble, text, from) {
  bubble.classList.add("whole");
  for (let at = from; at < text.length && bubble.isConnected; await new Promise(requestAnimationFrame)) {
    const { parts, end } = nextPiece(text, at, { characters: PIECE_CHARACTERS });
    const block = document.createElement("div");
    block.append(...parts.flatMap(nodes));
    bubble.append(block);
    at = end;
  }
}

const nodes = ({ text, href }) => (href ? [link(href)] : plain(text));

/** From left to right whatever stands before it: a `dir` isolates (HTML, "Bidirectional text"). */
function link(href) {
  const anchor = document.createElement("a");
  anchor.href = href;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
  anchor.dir = "ltr";
  anchor.textContent = href;
  return anchor;
}

/** The text, with heaps of marks taken apart into isolated ones of a size that engines can bear. */
function plain(text) {
  const found = [];
  let end = 0;
  for (const { 0: heap, index } of text.matchAll(HEAP)) {
    found.push(text.slice(end, index), ...split(heap));
    end = index + heap.length;
  }
  return [...found, text.slice(end)].filter((node) => node !== "");
}

function split(heap) {
  const characters = [...heap];
  const few = [];
  for (let at = 0; at < characters.length; at += MARKS) {
    const isolated = document.createElement("bdi");
    isolated.textContent = characters.slice(at, at + MARKS).join("");
    few.push(isolated);
  }
  return few;
}
