// One message as a row of the thread.
import { showBeginning, showRest } from "./bubble.js";
import { clone } from "./dom.js";
import { formatCount, formatDateTime, formatTime, startOfDay } from "../protocol/format.js";

/** Lines of a thread that nobody wrote. */
const LINES = {
  device: "They use a new device.",
  unopened: "A message could not be opened: ask them to write again.",
  impostor: "Somebody else wrote to them in the name of this device: they have your keys. Make new ones, and tell your contacts.",
  timer: "How long messages last was changed.",
};
const told = new WeakMap(); // row → what its bubble tells
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
  if (told.get(row) !== toTell(message)) fillBubble(row, message);
  row.classList.toggle("refused", message.kind === "refused");
  row.classList.toggle("unknown", message.kind === "unknown");
  row.classList.toggle("failed", message.state === "failed");
  // A row that still wants attention shows its line of facts inside a group too.
  row.classList.toggle("open", message.state === "queued" || message.state === "failed" || Boolean(message.taken_back_at || note(message)));
  row.querySelector(".chat-who").textContent = message.direction === "in" ? `${name}: ` : "You: ";
  fillMeta(row, message);
}

function fillMeta(row, message) {
  const time = row.querySelector("time");
  time.dateTime = new Date(message.at).toISOString();
  time.title = formatDateTime(message.at);
  row.querySelector(".chat-note").textContent = note(message);
  row.querySelector(".chat-state").textContent = state(message);
  row.querySelector(".chat-retry").hidden = !(message.state === "failed" && message.retriable);
  row.querySelector(".chat-discard").hidden = message.state !== "failed" && message.state !== "queued";
}

/** The time of day; with the date, where the row stands `apart`, below the line of another day. */
export function tellTime(row, message, apart) {
  row.querySelector("time").textContent = (apart ? formatDateTime : formatTime)(message.at);
}

function note(message) {
  const written = message.written_at == null ? [] : [`written ${formatDateTime(message.written_at)} by the sender's clock`];
  return [...written, ...(message.legacy ? ["not bound to this chat: sent by an older client"] : []), ...(message.unsealed ? ["sealed with the address key only"] : []), ...(message.edited_at ? ["edited"] : [])].join(" · ");
}

function state(message) {
  if (message.direction === "in") return "";
  if (message.taken_back_at) return "taken back";
  return message.error && message.state !== "relayed" ? `${message.state}: ${message.error}` : message.state;
}

/** Writes what is told in `message`. What is long is shown in part, with a button for the rest. */
function fillBubble(row, message) {
  const bubble = row.querySelector(".chat-bubble");
  const words = toTell(message);
  told.set(row, words);
  bubble.replaceChildren();
  const shown = showBeginning(bubble, words);
  const more = row.querySelector(".chat-more");
  more.hidden = shown === words.length;
  more.value = shown;
  more.textContent = `Show all (${formatCount(words.length - shown)} more characters)`;
}

/** Opens all of a long message. The focus stays in it when its button goes. */
export function showAll(row, message) {
  const [bubble, more] = [row.querySelector(".chat-bubble"), row.querySelector(".chat-more")];
  bubble.tabIndex = -1;
  bubble.focus({ preventScroll: true });
  more.hidden = true;
  return showRest(bubble, toTell(message), Number(more.value));
}

function toTell(message) {
  if (message.kind === "refused") return `Refused: ${message.reason}`;
  if (message.event) return LINES[message.event];
  if (message.deleted_at) return "Deleted.";
  if (message.kind === "unknown") return "Sent with a newer client: update this page to read it.";
  return message.text;
}

/** Whether `next` goes on with the group of `message`: same side, soon after. */
export function continues(message, next) {
  return message.direction === next.direction && Math.abs(next.at - message.at) < GROUP_MS && startOfDay(message.at) === startOfDay(next.at);
}
