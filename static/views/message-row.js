// One message as a row of the thread.
import { clone } from "./dom.js";
import { formatDateTime, formatTime, startOfDay } from "../protocol/format.js";

// Without zero-width and bidi controls, which would let a link read as another.
const LINK = /\bhttps?:\/\/[^\s<>"'`\u200b-\u200f\u202a-\u202e\u2060-\u2069]+/gi;
const TRAILING = /[.,;:!?…]+$|\)+$/;
const GROUP_MS = 5 * 60_000;

/** A new row for `message`; `fillRow` fills it again when the message changed. */
export function messageRow(message, name) {
  const row = clone("lineTemplate");
  row.dataset.seq = message.seq;
  row.classList.add(message.direction === "in" ? "chat-line-in" : "chat-line-out");
  fillRow(row, message, name);
  return row;
}

/** Writes what can change about a row: its state, reason and buttons. */
export function fillRow(row, message, name) {
  row.classList.toggle("refused", message.kind === "refused");
  row.classList.toggle("unknown", message.kind === "unknown");
  row.classList.toggle("failed", message.state === "failed");
  // A row that still wants attention shows its line of facts inside a group too.
  row.classList.toggle("open", message.state === "queued" || message.state === "failed" || Boolean(message.legacy));
  row.querySelector(".chat-who").textContent = message.direction === "in" ? `${name}: ` : "You: ";
  row.querySelector(".chat-bubble").replaceChildren(...bubble(message));
  fillMeta(row, message);
}

function fillMeta(row, message) {
  const time = row.querySelector("time");
  time.dateTime = new Date(message.at).toISOString();
  time.title = formatDateTime(message.at);
  time.textContent = formatTime(message.at);
  row.querySelector(".chat-note").textContent = message.legacy ? "not bound to this chat: sent by an older client" : "";
  row.querySelector(".chat-state").textContent = state(message);
  row.querySelector(".chat-retry").hidden = !(message.state === "failed" && message.retriable);
  row.querySelector(".chat-discard").hidden = message.state !== "failed" && message.state !== "queued";
}

function state(message) {
  if (message.direction === "in") return "";
  return message.error && message.state !== "relayed" ? `${message.state}: ${message.error}` : message.state;
}

function bubble(message) {
  if (message.kind === "refused") return [`Refused: ${message.reason}`];
  if (message.kind === "unknown") return ["Sent with a newer client: update this page to read it."];
  return linked(message.text);
}

/** `text` as text nodes, with its http(s) addresses as links. */
export function linked(text) {
  const nodes = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(LINK)) {
    const address = withoutTrailing(found);
    if (!URL.canParse(address)) continue;
    nodes.push(text.slice(end, index), link(address));
    end = index + address.length;
  }
  return [...nodes, text.slice(end)].filter((node) => node !== "");
}

// "(see https://a.example/)." ends a sentence; "https://a.example/x_(y)" does not.
function withoutTrailing(address) {
  let rest = address;
  while (TRAILING.test(rest) && !(rest.endsWith(")") && rest.includes("("))) rest = rest.replace(TRAILING, "");
  return rest;
}

function link(address) {
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
  anchor.textContent = address;
  return anchor;
}

/** Whether `next` goes on with the group of `message`: same side, soon after. */
export function continues(message, next) {
  return message.direction === next.direction && next.at - message.at < GROUP_MS && startOfDay(message.at) === startOfDay(next.at);
}
