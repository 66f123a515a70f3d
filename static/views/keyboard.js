// Keys beside Tab; ? shows them all.
import { closeTopmost, showModal } from "./dialogs.js";
import { byId, on } from "./dom.js";
import { oneLine } from "../protocol/text.js";
import { wordsOf } from "../protocol/marks.js";

const SPOKEN_CHARACTERS = 300;
const log = byId("chatMessages");
const list = byId("chatTabs");

export function listenToKeys(searches) {
  on(list, "keydown", moveInList);
  on(log, "keydown", moveInLog);
  on(document, "keydown", (event) => !event.defaultPrevented && !event.isComposing && pressed(event, searches));
}

export const besides = (row) => rows().at(rows().indexOf(row) + 1) ?? rows()[rows().indexOf(row) - 1];

/** Never by a click. The row says all of itself then, as no part of it is focused. */
export function focusRow(row) {
  const textOf = (part) => row.querySelector(part)?.textContent ?? "";
  const words = [textOf(".chat-who"), textOf(".file-name"), wordsOf(textOf(".chat-bubble")), textOf("time"), textOf(".chat-state")];
  row.tabIndex = -1;
  row.setAttribute("role", "article");
  row.setAttribute("aria-label", oneLine(words.join(" "), SPOKEN_CHARACTERS));
  row.focus();
}

const rows = () => [...log.querySelectorAll(".chat-line")];
const isPlain = ({ ctrlKey, metaKey, altKey, shiftKey }) => !(ctrlKey || metaKey || altKey || shiftKey);
const isTyping = ({ target }) => target.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
const isDialogOpen = () => document.querySelector("dialog:modal") !== null;

function moveInList(event) {
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!by || !isPlain(event)) return;
  const labels = [...list.querySelectorAll(".chat-tab-label")];
  const at = labels.indexOf(event.target.closest(".chat-tab")?.querySelector(".chat-tab-label"));
  labels[at + by]?.focus();
  event.preventDefault();
}

function moveInLog(event) {
  if (!isPlain(event) || event.target.type === "range") return; // a player's position has them
  const row = event.target.closest(".chat-line");
  const [up, across] = [{ ArrowUp: -1, ArrowDown: 1 }[event.key], { ArrowLeft: -1, ArrowRight: 1 }[event.key]];
  if (up) stepRow(row, up);
  else if (across && row) stepWithin(row, event.target, across);
  else if (event.key === "Escape" && row) (row === event.target ? byId("chatBody") : row).focus();
  else return;
  event.preventDefault();
}

function stepRow(row, by) {
  const { top, bottom } = log.getBoundingClientRect();
  const isInSight = (each) => each.getBoundingClientRect().bottom > top && each.getBoundingClientRect().top < bottom;
  const next = row ? rows()[rows().indexOf(row) + by] : rows().filter(isInSight).at(by < 0 ? -1 : 0);
  if (next) focusRow(next);
}

function stepWithin(row, from, by) {
  const places = [row, ...row.querySelectorAll("a[href], button")].filter((each) => each.checkVisibility());
  places[places.indexOf(from) + by]?.focus();
}

function pressed(event, { search, searchChat }) {
  const { altKey, ctrlKey, metaKey, shiftKey } = event;
  const key = event.key.toLowerCase();
  if (isDialogOpen()) return;
  if ((ctrlKey || metaKey) && !altKey && key === "k") search();
  else if ((ctrlKey || metaKey) && shiftKey && key === "f") searchChat();
  else if (altKey && !ctrlKey && !metaKey && (key === "arrowup" || key === "arrowdown")) openNext(key === "arrowup" ? -1 : 1);
  else if (key === "?" && !ctrlKey && !metaKey && !isTyping(event)) showModal(byId("keysDialog"));
  else if (key !== "escape" || !closeTopmost()) return;
  event.preventDefault();
}

function openNext(by) {
  const tabs = [...list.querySelectorAll(".chat-tab")];
  const at = tabs.findIndex((tab) => tab.matches(".active"));
  tabs.at(at < 0 ? 0 : (at + by) % tabs.length)?.querySelector(".chat-tab-label").click();
}
