// What lies on top of the page, in the order in which it was opened: dialogs, menus, and the panels and searches that openOnTop is told
// of; and questions. Android's Back gesture closes the topmost by itself (a close watcher, which a modal <dialog> and a popover have
// there, and the others get where the browser has such); any other step back asks here first, see router.js.
import { byId, on } from "./dom.js";

let opened = []; // {isOpen, close, place}

export function showModal(dialog) {
  remember({ isOpen: () => dialog.open, close: () => dialog.close() });
  dialog.showModal();
}

/** Says that something is open that is no dialog: `close()` is called by Back and Escape. Returns what to call when it was closed. */
export function openOnTop(close) {
  let isOpen = true;
  const watcher = globalThis.CloseWatcher && new CloseWatcher();
  const closed = () => {
    isOpen = false;
    watcher?.destroy();
  };
  const layer = { isOpen: () => isOpen, close: () => (closed(), close()) };
  if (watcher) watcher.onclose = layer.close;
  remember(layer);
  return closed;
}

/** Shows a menu (a popover of buttons) below `button`, or where there is room. Whatever is chosen closes it, and is then done. */
export function showMenu(menu, button) {
  remember({ isOpen: () => menu.matches(":popover-open"), close: () => menu.hidePopover() });
  menu.showPopover();
  place(menu, button.getBoundingClientRect());
  menu.querySelector("button:not([hidden])").focus();
}

/** Makes `menu` one: arrows walk through it, and the focus is back on what it came from before a choice is carried out. */
export function asMenu(menu) {
  on(menu, "keydown", (event) => walk(menu, event));
  on(menu, "click", (event) => event.target.closest("button") && menu.hidePopover(), { capture: true });
}

/** Closes the one on top. Returns the address that it was opened at, or "" where none is open. */
export function closeTopmost() {
  const topmost = opened.findLast(({ isOpen }) => isOpen());
  topmost?.close();
  return topmost?.place ?? "";
}

/** Closes all: the person has gone elsewhere. */
export function closeDialogs() {
  while (closeTopmost());
}

function remember(layer) {
  opened = [...opened.filter(({ isOpen }) => isOpen()), { ...layer, place: location.href }];
}

function place(menu, { left, right, top, bottom }) {
  const { width, height } = menu.getBoundingClientRect();
  const below = bottom + height < innerHeight ? bottom : Math.max(8, top - height);
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

// Questions, one at a time. A modal <dialog> keeps the focus inside and gives it back to where it was when it closes.

const dialog = byId("confirmDialog");
on(byId("confirmCancel"), "click", () => dialog.close());
on(dialog.querySelector("form"), "submit", (event) => {
  event.preventDefault();
  dialog.close("ok");
});

/**
 * Asks a yes-or-no question.
 * @param {{title: string, text: string, ok: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export async function confirmed(question) {
  return (await ask(question)) !== null;
}

/**
 * Asks for one line of text; null when the person cancels.
 * @param {{title: string, text: string, ok: string, label: string}} question
 * @returns {Promise<string|null>}
 */
export function answerTo(question) {
  return ask(question);
}

/** Takes the open question back: it is answered with no. */
export function withdraw() {
  dialog.close();
}

// One dialog serves all questions, so they wait for each other.
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
