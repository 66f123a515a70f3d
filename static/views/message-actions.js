// What a person can do with one message: one row an action, in the order of the menu. What does not apply is not shown.
import { ClientError } from "../protocol/errors.js";
import { displayName } from "../protocol/format.js";
import { forward } from "./forward-view.js";
import { showInfo } from "./message-info.js";
import { copy, notice, offerUndo } from "./toast.js";

/** `when(message, client)`, `run(message, client)`; `icon` is of the sprite. */
const ACTIONS = [
  { name: "copy", label: "Copy", icon: "copy", when: isText, run: ({ text }) => copy(text, "Message") },
  { name: "forward", label: "Forward", icon: "forward", when: isText, run: forward },
  { name: "info", label: "Info", icon: "about", when: () => true, run: showInfo },
  { name: "take-back", label: "Take back", icon: "undo", when: (message, client) => client.outbox.mayTakeBack(message), run: takeBack },
  { name: "delete-here", label: "Delete here", icon: "trash", danger: true, when: () => true, run: deleteHere },
];

export const actionsFor = (message, client) => ACTIONS.filter(({ when }) => when(message, client));

function isText({ kind }) {
  return kind === "text";
}

async function deleteHere({ seq }, client) {
  const removed = await client.store.removeMessage(seq);
  if (removed) offerUndo("Deleted on this device.", () => putBack(client, removed));
}

async function takeBack({ seq, contact }, client) {
  try {
    const { outcome, record } = await client.outbox.takeBack(seq);
    if (record) return offerUndo(TAKEN_BACK[outcome], () => putBack(client, record));
    const name = displayName(await client.store.contact(contact));
    return notice(TAKEN_BACK[outcome].replace("%", () => name));
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return notice(`Not taken back, the message is as it was. ${error.message}`);
  }
}

const TAKEN_BACK = {
  unsent: "It will not be sent.",
  "in-flight": "Removed here. It was being sent at that moment: it may have arrived.",
  "taken-back": "Taken back: the server has no copy any more. If % fetched it before, they have it.",
  gone: "It can't be taken back: it was fetched already, or its time on the server was over.",
};

async function putBack(client, removed) {
  if (!(await client.store.restoreMessage(removed))) notice("It could not be put back: the chat was removed meanwhile.");
}
