// Questions, one at a time. A modal <dialog> keeps the focus inside and gives
// it back to where it was when it closes.
import { showModal } from "./dialogs.js";
import { byId, on } from "./dom.js";

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
