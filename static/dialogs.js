// Questions, copying and what is said in passing. A modal <dialog> keeps the
// focus inside and gives it back to where it was when it closes.
import { byId, debounce, on } from "./dom.js";

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

// One dialog serves all questions, so they wait for each other.
let lastQuestion = Promise.resolve();

function ask(question) {
  lastQuestion = lastQuestion.then(() => openQuestion(question));
  return lastQuestion;
}

function openQuestion({ title, text, ok, danger = false, label = "" }) {
  const dialog = byId("confirmDialog");
  byId("confirmTitle").textContent = title;
  byId("confirmText").textContent = text;
  byId("confirmLabel").textContent = label;
  byId("confirmField").hidden = !label;
  byId("confirmInput").value = "";
  byId("confirmOk").textContent = ok;
  byId("confirmOk").className = `button ${danger ? "danger" : "primary"}`;
  dialog.returnValue = "";
  dialog.showModal();
  // What a slip of the Enter key does must be harmless.
  byId(label ? "confirmInput" : danger ? "confirmCancel" : "confirmOk").focus();
  return new Promise((resolve) => {
    on(dialog, "close", () => resolve(dialog.returnValue === "ok" ? byId("confirmInput").value.trim() : null), { once: true });
  });
}

/** Wires the dialogs that need no more than closing; called once at boot. */
export function wireDialogs() {
  const question = byId("confirmDialog");
  on(question.querySelector("form"), "submit", (event) => {
    event.preventDefault();
    question.close("ok");
  });
  on(byId("confirmCancel"), "click", () => question.close());
  for (const button of document.querySelectorAll("dialog [data-close]")) {
    on(button, "click", () => button.closest("dialog").close());
  }
}

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
