import { showBeginning, showRest } from "./bubble.js";
import { clone } from "./dom.js";
import { fillFile } from "./files.js";
import { eventWords, fillExtras } from "./message-extras.js";
import { formatCount, formatDateTime, formatTime, startOfDay } from "../protocol/format.js";
import { isEmojiAlone } from "../protocol/text.js";
import { codeAt } from "../protocol/marks.js";

const shown_in = new WeakMap(); // row → what it tells
const GROUP_MS = 5 * 60_000;
const STATES = {
  queued: { icon: "clock", words: "waiting" },
  sending: { icon: "clock", words: "on its way" },
  relayed: { icon: "check", words: "on the server" },
  delivered: { icon: "checks", words: "delivered" },
  read: { icon: "checks", words: "read" },
  failed: { icon: "failed", words: "not sent" },
  "taken back": { icon: "undo", words: "taken back" },
};

export function stateOf({ direction, state, taken_back_at, deleted_at, delivered_at, read_at, file }) {
  if (direction === "in") return "";
  if (state === "relayed" && file?.sent < file?.parts) return "sending";
  if (state !== "relayed") return state; // of a file of which a part never went that is said
  if (taken_back_at && !deleted_at) return "taken back";
  return (read_at && "read") || (delivered_at && "delivered") || state;
}

const stateMark = (state) => STATES[state] ?? { icon: "clock", words: state };

export function messageRow(message, name) {
  const row = clone("lineTemplate");
  row.dataset.seq = message.seq;
  row.classList.add(message.direction === "in" ? "chat-line-in" : "chat-line-out");
  fillRow(row, message, name);
  return row;
}

export function fillRow(row, message, name) {
  const state = stateOf(message);
  if (shown_in.get(row) !== toTell(message, name)) fillBubble(row, message, name);
  fillFile(row, message);
  fillExtras(row, message, name);
  row.dataset.state = message.state;
  row.classList.toggle("refused", message.kind === "refused");
  row.classList.toggle("unknown", message.kind === "unknown");
  row.classList.toggle("failed", state === "failed");
  row.classList.toggle("read", state === "read");
  row.classList.toggle("open", state === "queued" || state === "failed" || state === "taken back");
  row.querySelector(".chat-who").textContent = whoSays(message, name);
  row.querySelector(".chat-note").textContent = note(message);
  fillMeta(row, message, state);
  tellFailure(row, message, state);
}

function whoSays({ event, direction }, name) {
  if (event) return "";
  return direction === "in" ? `${name}: ` : "You: ";
}

function fillMeta(row, message, state) {
  const time = row.querySelector("time");
  time.dateTime = new Date(message.at).toISOString();
  time.title = formatDateTime(message.at);
  if (state) fillState(row.querySelector(".chat-state"), message, stateMark(state));
}

function fillState(mark, message, { icon, words }) {
  mark.hidden = false;
  mark.querySelector("use").setAttribute("href", `#i-${icon}`);
  mark.title = message.error && message.state !== "relayed" ? `${words}: ${message.error}` : words;
  mark.lastElementChild.textContent = mark.title;
}

/** With the date where the row stands `apart`, below another day's line. */
export function tellTime(row, message, apart) {
  row.classList.toggle("apart", apart);
  row.querySelector("time").textContent = (apart ? formatDateTime : formatTime)(message.at);
}

function note(message) {
  const waits = message.state === "queued" && (message.re || message.lasts || message.file) ? [message.error] : []; // for a client that can read it
  const written = message.written_at == null ? [] : [`written ${formatDateTime(message.written_at)} by the sender's clock`];
  const legacy = message.legacy ? ["not bound to this chat: sent by an older client"] : [];
  const unsealed = message.unsealed ? ["sealed with the address key only"] : [];
  return [...waits, ...written, ...legacy, ...unsealed].filter(Boolean).join(" · ");
}

/** The reason's first sentence: all of it is in Info, and on hover. */
function tellFailure(row, message, state) {
  const shown = row.querySelector(".chat-failure");
  if (state !== "failed") return shown?.remove();
  const failure = shown ?? clone("failureTemplate");
  failure.firstElementChild.textContent = `! Not sent: ${message.error.split(". ")[0]}`;
  failure.firstElementChild.title = message.error;
  failure.querySelector(".chat-retry").hidden = !message.retriable;
  return shown ?? row.append(failure);
}

function fillBubble(row, message, name) {
  const bubble = row.querySelector(".chat-bubble");
  const told = toTell(message, name);
  shown_in.set(row, told);
  row.querySelector(".chat-more")?.remove();
  bubble.classList.remove("whole");
  bubble.replaceChildren();
  const { end, ticks } = showBeginning(bubble, told);
  row.classList.toggle("emoji", isEmojiAlone(told));
  if (end === told.length) return;
  const more = clone("moreTemplate");
  more.value = end;
  more.dataset.ticks = ticks;
  more.textContent = `Show all (${formatCount(told.length - end)} more characters)`;
  bubble.after(more);
}

/** The focus stays in it when its button goes. */
export function showAll(row, message) {
  const [bubble, more] = [row.querySelector(".chat-bubble"), row.querySelector(".chat-more")];
  bubble.tabIndex = -1;
  bubble.focus({ preventScroll: true });
  more.remove();
  return showRest(bubble, toTell(message), { end: Number(more.value), ticks: Number(more.dataset.ticks) });
}

export const codeOf = (message, button) => codeAt(toTell(message), Number(button.value));

export function toTell(message, name) {
  if (message.event) return eventWords(message, name);
  if (message.deleted_at) return "Deleted";
  if (message.kind === "refused") return `Refused: ${message.reason}`;
  if (message.kind === "unknown") return "Sent with a newer client: update this page to read it.";
  return message.text;
}

export function continues(message, next) {
  return message.direction === next.direction && Math.abs(next.at - message.at) < GROUP_MS && startOfDay(message.at) === startOfDay(next.at);
}
