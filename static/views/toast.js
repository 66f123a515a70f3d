// What is said in passing, and copying.
import { byId, debounce } from "./dom.js";

const hideToast = debounce(() => byId("toast").hidePopover?.(), 2500);

/** Shows a short line for a moment, and tells it to a screen reader. */
export function notice(text) {
  const toast = byId("toast");
  toast.textContent = text;
  toast.hidePopover?.();
  toast.showPopover?.();
  hideToast();
  announce(text);
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
