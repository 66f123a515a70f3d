/**
 * The few marks that people write in plain text, as a small tree: seven deep at most, and past MOST_NODES marks stay as written. One pass, no
 * pattern that repeats and backtracks. The `text` of its leaves, in order, is what was read. Nodes: `{kind: "text" | "sign" | "label" |
 * "block" | "link", text}`, `href` in a link; `{kind: "code" | "strong" | "em" | "both" | "list" | "item" | "bullet" | "fence", nodes}`,
 * `hang` (characters) in an item and `at` (where it begins) in a fence. A "sign" needs not be seen.
 */
import { linkParts } from "./text.js";

const MOST_NODES = 400;
const STARS = ["", "em", "strong", "both"]; // by how many of them
const WORD = /\w/;
const LABEL = /^[\w+#.-]{0,20}$/; // a language; what else stands there is code
const POINT = /^ {0,8}(?:[-*+•]|\d{1,3}[.)]) (?=\S)/;
const BEGINS = /^ {0,8}(?:`{3}|[-*+•] |\d)/;
const SIGN = /[`*]/;
const WORDS_CHARACTERS = 1000;

/** `ticks`: how many of ` opened the block of code that `from`, or then `to`, is in; or 0. */
export function readMarks(text, from = 0, to = text.length, ticks = 0) {
  const reading = { text, to, left: MOST_NODES };
  const nodes = [];
  let [at, open] = [from, ticks];
  while (at < to) {
    const read = open ? readCode(reading, at, open, []) : readBlock(reading, at);
    read.nodes.forEach((node) => append(nodes, node));
    [at, open] = [read.end, read.ticks ?? 0];
  }
  return { nodes, ticks: open };
}

export function wordsOf(text) {
  const begun = text.trimStart();
  return readMarks(begun, 0, Math.min(begun.length, WORDS_CHARACTERS)).nodes.map(wordsIn).join("");
}

function wordsIn({ kind, text, nodes }) {
  if (kind === "bullet") return "• ";
  return nodes ? nodes.map(wordsIn).join("") : { sign: "", label: "" }[kind] ?? text;
}

function readBlock(reading, at) {
  const begins = at === 0 || reading.text[at - 1] === "\n";
  return (begins && (readFence(reading, at) ?? readList(reading, at))) || readLines(reading, at);
}

export function codeAt(text, at) {
  const [fence] = readFence({ text, to: text.length, left: MOST_NODES }, at).nodes;
  return fence.nodes.find(({ kind }) => kind === "block").text.replace(/\r?\n$/, "");
}

function lineEnd({ text, to }, at) {
  const newline = text.slice(at, to).indexOf("\n");
  return newline < 0 ? to : at + newline + 1;
}

function append(nodes, node) {
  if (node.text === "") return;
  const last = nodes.at(-1);
  if (node.kind === "text" && last?.kind === "text") last.text += node.text;
  else nodes.push(node);
}

const plain = (text) => ({ kind: "text", text });
const sign = (text) => ({ kind: "sign", text });

/** To its closing fence, or to the end; null for an empty one. */
function readFence(reading, at) {
  const { text } = reading;
  const end = lineEnd(reading, at);
  const line = text.slice(at, end);
  const [fence] = /^ {0,3}`{3,}/.exec(line) ?? [];
  if (!fence || line.includes("`", fence.length) || reading.left <= 0) return null;
  reading.left -= 3;
  const label = line.slice(fence.length);
  const named = LABEL.test(label.trim());
  const head = [sign(fence), { kind: label.trim() ? "label" : "sign", text: named ? label : "" }];
  const read = readCode(reading, named ? end : at + fence.length, fence.trimStart().length, head);
  read.nodes[0].at = at;
  return read.nodes[0].nodes.some(({ kind, text: code }) => kind === "block" && code.trim()) ? read : null;
}

function readCode(reading, from, ticks, head) {
  const { end, next, closed } = codeEnd(reading, from, ticks);
  const nodes = [];
  for (const node of [...head, { kind: "block", text: reading.text.slice(from, end) }, sign(reading.text.slice(end, next))]) append(nodes, node);
  return { nodes: [{ kind: "fence", nodes }], end: next, ticks: closed ? 0 : ticks };
}

/** What closes it is as many ` or more, or a line that ends with them. */
function codeEnd(reading, from, ticks) {
  const { text, to } = reading;
  const closing = "`".repeat(ticks);
  for (let at = from, next; at < to; at = next) {
    next = lineEnd(reading, at);
    const line = text.slice(at, next).trimEnd();
    if (!line.endsWith(closing)) continue;
    let end = at + line.length;
    while (end > at && text[end - 1] === "`") end -= 1;
    return { end: text.slice(at, end).trim() ? end : at, next, closed: true };
  }
  return { end: to, next: to, closed: false };
}

function readList(reading, at) {
  const nodes = [];
  let end = at;
  for (let next; end < reading.to && reading.left > 0; end = next) {
    next = lineEnd(reading, end);
    const [point] = POINT.exec(reading.text.slice(end, next)) ?? [];
    if (!point) break;
    reading.left -= 3;
    nodes.push({ kind: "item", hang: point.length, nodes: [...marker(point), ...readWords(reading, end + point.length, next)] });
  }
  return nodes.length ? { nodes: [{ kind: "list", nodes }], end } : null;
}

function marker(point) {
  if (/\d/.test(point)) return [plain(point)];
  const indent = point.slice(0, -2);
  return [...(indent ? [plain(indent)] : []), { kind: "bullet", nodes: [sign(point.slice(-2))] }];
}

/** To where a block may begin. Lines without any mark are read at once. */
function readLines(reading, at) {
  const nodes = [];
  const take = (from, to) => readWords(reading, from, to).forEach((node) => append(nodes, node));
  let [done, end] = [at, at];
  do {
    const from = end;
    end = lineEnd(reading, from);
    if (!SIGN.test(reading.text.slice(from, end))) continue;
    take(done, from);
    take(from, end);
    done = end;
  } while (end < reading.to && !BEGINS.test(reading.text.slice(end, end + 12)));
  take(done, end);
  return { nodes, end };
}

/** No more than one mark of a kind is open, so none is searched for. */
function readWords(reading, from, to) {
  const open = [{ stars: 0, nodes: [] }];
  for (const part of codeParts(reading, from, to)) {
    if (part.kind) append(open.at(-1).nodes, part);
    else readLinked(reading, part.from, part.to, open);
  }
  while (open.length > 1) giveUp(open);
  return open[0].nodes;
}

/** Nodes of code, and the stretches `{from, to}` between them. */
function* codeParts(reading, from, to) {
  if (reading.left <= 0) return yield { from, to };
  const runs = [...reading.text.slice(from, to).matchAll(/`+/g)].map(({ 0: { length }, index }) => ({ at: from + index, length }));
  const nexts = new Map();
  for (const run of runs.toReversed()) {
    run.next = nexts.get(run.length);
    nexts.set(run.length, run);
  }
  let done = from;
  for (const { at, length, next } of runs) {
    if (at < done || !next || WORD.test(reading.text[at - 1] ?? "") || reading.left <= 0) continue;
    yield { from: done, to: at };
    yield codeNode(reading, at, next.at, length);
    done = next.at + length;
  }
  yield { from: done, to };
}

function codeNode(reading, from, to, length) {
  const { text } = reading;
  reading.left -= 3;
  return { kind: "code", nodes: [sign(text.slice(from, from + length)), plain(text.slice(from + length, to)), sign(text.slice(to, to + length))] };
}

function readLinked(reading, from, to, open) {
  let at = from;
  for (const { text, href } of linkParts(reading.text, from, to)) {
    if (href) append(open.at(-1).nodes, { kind: "link", text, href });
    else readStars(reading, at, at + text.length, open);
    at += text.length;
  }
}

function readStars(reading, from, to, open) {
  let done = from;
  if (reading.left <= 0 && open.length === 1) return append(open[0].nodes, plain(reading.text.slice(from, to)));
  for (const { 0: stars, index } of reading.text.slice(from, to).matchAll(/\*+/g)) {
    const at = from + index;
    append(open.at(-1).nodes, plain(reading.text.slice(done, at)));
    takeStars(reading, at, stars, open);
    done = at + stars.length;
  }
  return append(open.at(-1).nodes, plain(reading.text.slice(done, to)));
}

/** A mark opens before a word and closes after one, and never within one: 2*3*4 stays as it is. */
function takeStars(reading, at, stars, open) {
  const [before, after] = [reading.text[at - 1] ?? " ", reading.text[at + stars.length] ?? " "];
  const opened = open.findIndex((each) => each.stars === stars.length);
  if (opened > 0 && /\S/.test(before) && !WORD.test(after)) return close(open, opened, stars);
  if (!STARS[stars.length] || WORD.test(before) || /\s/.test(after) || reading.left <= 0) return append(open.at(-1).nodes, plain(stars));
  while (opened > 0 && open.length > opened) giveUp(open); // the nearer one counts
  reading.left -= 3;
  return open.push({ stars: stars.length, nodes: [] });
}

function close(open, opened, stars) {
  while (open.length > opened + 1) giveUp(open);
  const { nodes } = open.pop();
  append(open.at(-1).nodes, { kind: STARS[stars.length], nodes: [sign(stars), ...nodes, sign(stars)] });
}

function giveUp(open) {
  const { stars, nodes } = open.pop();
  for (const node of [plain("*".repeat(stars)), ...nodes]) append(open.at(-1).nodes, node);
}
