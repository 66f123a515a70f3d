// What is said in passing, and copying.
import { byId, on } from "./dom.js";

const SHOWN_MS = 2500;
const UNDO_MS = 10_000;
let hiding = 0;
let undoing = null; // what the shown line's button takes back

on(byId("toastUndo"), "click", () => takeUndo()());
on(document, "keydown", (event) => {
  if (!undoing || !(event.ctrlKey || event.metaKey) || event.key !== "z" || event.target.matches("input, textarea")) return undefined;
  event.preventDefault();
  return takeUndo()();
});

/** Shows a short line for a moment, and tells it to a screen reader. */
export function notice(text) {
  show(text, null, SHOWN_MS);
  announce(text);
}

/** The same with a button that takes back what was done, long enough to read, and Control Z while it is there. */
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

/** Ends the offer. */
function takeUndo() {
  const undo = undoing;
  undoing = null;
  byId("toast").hidePopover?.();
  return undo;
}

/** Tells a screen reader, politely. */
export function announce(text) {
  const region = byId("politeRegion");
  region.textContent = "";
  // Emptied first, and filled a frame later, the same words are read again.
  setTimeout(() => region.replaceChildren(text), 50);
}

/** Copies `text`; over plain http, where there is no clipboard API, the old way. */
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
