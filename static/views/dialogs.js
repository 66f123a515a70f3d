// What lies on top of the page, in the order of opening; questions; what is said in passing. Android's Back closes the topmost by itself (a
// close watcher, which modal dialogs and popovers have there); any other step back asks here first, see router.js.
import { byId, on } from "./dom.js";

let opened = []; // {isOpen, close, place, stays?}

export function showModal(dialog) {
  remember({ isOpen: () => dialog.open, close: () => dialog.close() });
  dialog.showModal();
}

/** Its event comes a frame later, when it may be open again. */
export function onClose(dialog, act) {
  on(dialog, "close", () => dialog.open || act());
}

/** For what is no dialog: Back and Escape call `close()`. Returns what to call when it was closed. */
export function openOnTop(close) {
  let isOpen = true;
  const watcher = globalThis.CloseWatcher && new CloseWatcher();
  const closed = () => {
    isOpen = false;
    watcher?.destroy();
  };
  const layer = { stays: true, isOpen: () => isOpen, close: () => (closed(), close()) };
  if (watcher) watcher.onclose = layer.close;
  remember(layer);
  return closed;
}

export function showMenu(menu, button) {
  remember({ isOpen: () => menu.matches(":popover-open"), close: () => menu.hidePopover() });
  menu.showPopover();
  place(menu, button.getBoundingClientRect());
  menu.querySelector("button:not([hidden])").focus();
}

/** Arrows walk through it, and the focus is back where it was before a choice is carried out. */
export function asMenu(menu) {
  on(menu, "keydown", (event) => walk(menu, event));
  on(menu, "click", (event) => event.target.closest("button") && menu.hidePopover(), { capture: true });
}

export function closeTopmost() {
  const topmost = opened.findLast(({ isOpen }) => isOpen());
  topmost?.close();
  return topmost?.place ?? "";
}

/** What was begun in the composer stays. */
export function closeDialogs() {
  for (const { isOpen, close, stays } of opened.toReversed()) if (!stays && isOpen()) close();
}

function remember(layer) {
  opened = [...opened.filter(({ isOpen }) => isOpen()), { ...layer, place: location.href }];
}

function place(menu, { left, right, top, bottom }) {
  const { width, height } = menu.getBoundingClientRect();
  const below = bottom + height < innerHeight ? bottom : Math.max(8, Math.min(top, innerHeight - 8) - height);
  menu.style.left = `${Math.max(8, Math.min(left + width < innerWidth ? left : right - width, innerWidth - width - 8))}px`;
  menu.style.top = `${below}px`;
}

function walk(menu, event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const buttons = [...menu.querySelectorAll("button")].filter((button) => button.checkVisibility());
  buttons.at((buttons.indexOf(document.activeElement) + step) % buttons.length).focus();
}

// One at a time.

const dialog = byId("confirmDialog");
on(byId("confirmCancel"), "click", () => dialog.close());
on(dialog, "keydown", (event) => event.repeat && event.key === "Enter" && event.preventDefault());
on(dialog.querySelector("form"), "submit", (event) => {
  event.preventDefault();
  dialog.close("ok");
});

/** `{title, text, ok, danger?}` */
export async function confirmed(question) {
  return (await ask(question)) !== null;
}

/** `{title, text, ok, label}` → a line of text, or null. */
export function answerTo(question) {
  return ask(question);
}

export function withdraw() {
  dialog.close();
}

let lastQuestion = Promise.resolve();

function ask(question) {
  lastQuestion = lastQuestion.then(() => openQuestion(question));
  return lastQuestion;
}

function openQuestion({ title, text, ok, danger = false, label = "" }) {
  byId("confirmTitle").textContent = title;
  byId("confirmText").textContent = text;
  byId("confirmLabel").textContent = label;
  byId("confirmField").hidden = !label;
  byId("confirmInput").value = "";
  byId("confirmOk").textContent = ok;
  byId("confirmOk").className = `button ${danger ? "danger" : "primary"}`;
  dialog.returnValue = "";
  showModal(dialog);
  // What a slip of the Enter key does must be harmless.
  byId(label ? "confirmInput" : danger ? "confirmCancel" : "confirmOk").focus();
  return new Promise((resolve) => {
    on(dialog, "close", () => resolve(dialog.returnValue === "ok" ? byId("confirmInput").value.trim() : null), { once: true });
  });
}

const SHOWN_MS = 2500;
const CHARACTER_MS = 60;
const UNDO_MS = 10_000;
let hiding = 0;
let undoing = null; // takes back what the line says

on(byId("toastUndo"), "click", () => takeUndo()());
on(document, "keydown", (event) => {
  if (!undoing || !(event.ctrlKey || event.metaKey) || event.key !== "z" || event.target.matches("input, textarea")) return undefined;
  event.preventDefault();
  return takeUndo()();
});

export function notice(text) {
  show(text, null, Math.max(SHOWN_MS, text.length * CHARACTER_MS));
  announce(text);
}

/** Its button takes it back, and Control Z while it is there. */
export function offerUndo(text, undo) {
  show(text, undo, UNDO_MS);
  announce(`${text} Control Z takes it back.`);
}

function show(text, undo, milliseconds) {
  const toast = byId("toast");
  clearTimeout(hiding);
  undoing = undo;
  byId("toastText").textContent = text;
  byId("toastUndo").hidden = !undo;
  toast.setAttribute("aria-hidden", String(!undo)); // words alone are told by the region
  toast.hidePopover?.();
  toast.showPopover?.();
  hiding = setTimeout(takeUndo, milliseconds);
}

function takeUndo() {
  const undo = undoing;
  undoing = null;
  byId("toast").hidePopover?.();
  return undo;
}

export function announce(text) {
  const region = byId("politeRegion");
  region.textContent = "";
  // A frame later the same words are read again.
  setTimeout(() => region.replaceChildren(text), 50);
}

/** Over plain http there is no clipboard API. */
export async function copy(text, what) {
  const copied = await copyByApi(text) || copyBySelection(text);
  notice(copied ? `${what} copied` : `This browser does not let a page copy. Select the text and copy it by hand.`);
}

async function copyByApi(text) {
  if (!navigator.clipboard) return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    console.info("The clipboard was refused, the selection is tried:", error.message);
    return false;
  }
}

function copyBySelection(text) {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.value = text;
  (focused.closest("dialog") ?? document.body).append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  focused.focus({ preventScroll: true });
  return copied;
}
