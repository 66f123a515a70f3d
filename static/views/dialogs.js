// Dialogs and menus, in the order in which they were opened. Android's Back
// gesture closes the topmost by itself (a close watcher, which a modal <dialog>
// and a popover have there); any other step back asks here first, see router.js.
import { on } from "./dom.js";

let opened = []; // {element, place}

export function showModal(dialog) {
  remember(dialog);
  dialog.showModal();
}

/** Shows a menu (a popover of buttons) below `button`, or where there is room. Whatever is chosen closes it, and is then done. */
export function showMenu(menu, button) {
  remember(menu);
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
  const topmost = opened.findLast(({ element }) => isOpen(element));
  if (topmost) close(topmost.element);
  return topmost?.place ?? "";
}

/** Closes all: the person has gone elsewhere. */
export function closeDialogs() {
  while (closeTopmost());
}

const isOpen = (element) => element.open || element.matches(":popover-open");

const close = (element) => (element.open ? element.close() : element.hidePopover());

function remember(element) {
  opened = [...opened.filter((other) => isOpen(other.element)), { element, place: location.href }];
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
