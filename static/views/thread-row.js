import { fillAvatar, icon } from "./dom.js";
import { oneLine } from "../protocol/text.js";
import { wordsOf } from "../protocol/marks.js";
import { displayName, formatCount, formatWhen } from "../protocol/format.js";
import { threadPath } from "./router.js";

const LAST_CHARACTERS = 120;
const STATES = { queued: ["", "waiting"], relayed: ["✓", "on the server"], delivered: ["✓✓", "delivered"], read: ["✓✓", "read"] };

/** `draft`: "" where it is on screen anyway. */
export function fillRow(row, contact, draft) {
  const name = displayName(contact);
  row.dataset.fingerprint = contact.fingerprint;
  row.classList.toggle("unread", contact.unread > 0);
  row.classList.toggle("muted", contact.muted);
  row.querySelector("a").setAttribute("href", placeOf(contact));
  fillAvatar(row.querySelector(".avatar"), contact, name);
  row.querySelector("bdi").textContent = name;
  row.querySelector(".verified").hidden = !contact.verified;
  row.querySelector("time").textContent = contact.last_at ? formatWhen(contact.last_at) : "–";
  row.querySelector(".chat-tab-last").replaceChildren(...preview(contact, draft));
  row.querySelector(".chat-tab-marks").replaceChildren(...marks(contact));
  for (const button of row.querySelectorAll("button")) nameButton(button, contact, name);
}

function placeOf({ fingerprint, unread, failed, last_seq }) {
  const seq = failed?.at(-1)?.seq;
  return threadPath(fingerprint, unread || seq === last_seq ? undefined : seq);
}

const DONE_TO = {
  contact: () => "Contact",
  search: () => "Search in this chat",
  pin: ({ pinned }) => (pinned ? "Unpin" : "Pin"),
  mute: ({ muted }) => (muted ? "Unmute" : "Mute"),
  archive: ({ open }) => (open ? "Archive" : "Unarchive"),
  block: () => "Block…",
  more: () => "More for",
};

/** What `data-do` does to this contact. `name`: for who can't see the row. */
export function nameButton(button, contact, name = "") {
  const word = DONE_TO[button.dataset.do](contact);
  if (name) button.setAttribute("aria-label", `${word.replace("…", "")} ${name}`);
  const label = button.querySelector("span");
  if (label) label.textContent = word;
}

// Each part is isolated: right to left in one turns nothing in the next.
function preview(contact, draft) {
  const failed = contact.failed?.at(-1);
  if (failed) return [part("! Not sent:", "bad"), part(failed.text, "bad said")];
  if (contact.last_state === "failed") return [part("! Not sent:", "bad"), part(lastLine(contact), "bad said")]; // by an earlier version
  if (contact.request) return [part("Request:", "mark"), part(lastLine(contact), "said")];
  if (draft) return [part("Draft:", "draft"), part(oneLine(wordsOf(draft), LAST_CHARACTERS), "said")];
  if (!contact.last_at) return [part("Say hello", "said")];
  if (contact.last_direction !== "out") return [part(lastLine(contact), "said")];
  return [part("You:"), part(lastLine(contact), "said"), ...stateMark(contact.last_state)];
}

const lastLine = (contact) => oneLine(contact.last_text, LAST_CHARACTERS) || "(not readable)";

function part(text, classes = "") {
  const element = document.createElement("bdi");
  element.className = classes;
  element.textContent = text;
  return element;
}

function stateMark(state) {
  if (!STATES[state]) return [];
  const [sign, word] = STATES[state];
  const shown = part(sign, `state ${state}`);
  if (!sign) shown.append(icon("clock"));
  return [meaning(shown, word)];
}

function meaning(element, words) {
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", words);
  return element;
}

function marks(contact) {
  const shown = [];
  if (contact.pinned) shown.push(icon("pin"));
  if (contact.muted) shown.push(icon("muted"));
  if (contact.unread > 0) shown.push(meaning(part(formatCount(contact.unread), "count chat-tab-unread-dot"), `${contact.unread} unread`));
  return shown;
}
