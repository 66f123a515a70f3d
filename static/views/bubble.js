// A message's text: at first no more than one look takes in, for a stranger may have sent anything.
import { icon } from "./dom.js";
import { nextPiece } from "../protocol/text.js";
import { readMarks } from "../protocol/marks.js";

const PIECE_CHARACTERS = 4000; // what a slow phone lays out at once
const FIRST_LINES = 60;
/** Marks over one letter, and characters without a width. Engines take time with the square of their number. */
const HEAP = /[\p{M}\p{Emoji_Modifier}\p{Default_Ignorable_Code_Point}]{17,}/gu;
const MARKS = 16;

/** → `{end, ticks}`: up to where, and what readMarks is to read on with. */
export function showBeginning(bubble, text) {
  const { end } = nextPiece(text, 0, { characters: PIECE_CHARACTERS, lines: FIRST_LINES });
  const { nodes, ticks } = readMarks(text, 0, end);
  bubble.append(...nodes.flatMap(drawn));
  return { end, ticks };
}

/**
 * A piece a frame: the page stays usable. Each is a block in a bubble as wide as it may be, so that none is laid out again. Ends when the
 * bubble leaves the page.
 */
export async function showRest(bubble, text, begun) {
  bubble.classList.add("whole");
  let { end: at, ticks } = begun;
  for (; at < text.length && bubble.isConnected; await new Promise(requestAnimationFrame)) {
    const { end } = nextPiece(text, at, { characters: PIECE_CHARACTERS });
    const piece = readMarks(text, at, end, ticks);
    bubble.append(element("div", "", piece.nodes));
    [at, ticks] = [end, piece.ticks];
  }
}

const draw = {
  text: ({ text }) => plain(text),
  sign: ({ text }) => hidden(text),
  label: ({ text }) => element("span", "code-label", text),
  block: ({ text }) => scrolling(element("pre", "", text)),
  link: ({ href }) => link(href),
  code: ({ nodes }) => towardsRight(element("code", "", nodes)),
  strong: ({ nodes }) => element("strong", "", nodes),
  em: ({ nodes }) => element("em", "", nodes),
  both: ({ nodes }) => element("strong", "both", nodes),
  list: ({ nodes }) => element("ul", "points", nodes),
  item: ({ nodes, hang }) => hanging(element("li", "", nodes), hang),
  bullet: ({ nodes }) => element("span", "bullet", nodes),
  fence: ({ nodes, at }) => codeBlock(nodes, at),
};

const drawn = (node) => draw[node.kind](node);

function element(name, className, content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...(typeof content === "string" ? plain(content) : content.flatMap(drawn)));
  return made;
}

/** Copied and compared as what was written; neither seen nor read out. */
function hidden(text) {
  const sign = element("span", "sign", text);
  sign.ariaHidden = true;
  return sign;
}

/** By the keyboard alone, too, one sees the ends of its lines. */
function scrolling(block) {
  block.tabIndex = 0;
  return block;
}

function hanging(item, characters) {
  item.style.setProperty("--hang", `${characters}ch`);
  return item;
}

/** The button holds no words: what a bubble holds is what was said. A block in pieces has one. */
function codeBlock(nodes, at) {
  const block = towardsRight(element("div", "code-block", nodes));
  if (at === undefined) return block;
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "icon-button code-copy", value: at, title: "Copy the code", ariaLabel: "Copy the code" });
  button.append(icon("copy"));
  block.prepend(button);
  return block;
}

/** Whatever stands before it: a `dir` isolates (HTML, "Bidirectional text"). */
function towardsRight(made) {
  made.dir = "ltr";
  return made;
}

function link(href) {
  const anchor = document.createElement("a");
  anchor.href = href;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
  anchor.textContent = href;
  return towardsRight(anchor);
}

/** Heaps are taken apart into isolated ones that engines can bear. */
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
