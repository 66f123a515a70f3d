// What a person can do with one message: one row an action, in the order of the menu. What does not apply is not shown.
import { ClientError } from "../protocol/errors.js";
import { displayName } from "../protocol/format.js";
import { saveFile } from "./files.js";
import { forward } from "./forward-view.js";
import { showInfo } from "./message-info.js";
import { confirmed } from "./questions.js";
import { askReaction } from "./react-view.js";
import { copy, notice, offerUndo } from "./toast.js";

/** `when(message, client, place)`, `run(message, client, place)`, `place` being `{contact, answering}`; `icon` is of the sprite. */
const ACTIONS = [
  { name: "reply", label: "Reply", icon: "reply", when: mayAnswer, run: (message, client, { answering }) => answering.reply(message) },
  { name: "react", label: "React", icon: "react", when: mayAnswer, run: askReaction },
  { name: "copy", label: "Copy", icon: "copy", when: hasWords, run: ({ text }) => copy(text, "Message") },
  { name: "save", label: "Save", icon: "down", when: ({ file }) => file?.state === "here", run: saveFile },
  { name: "forward", label: "Forward", icon: "forward", when: hasWords, run: forward },
  { name: "info", label: "Info", icon: "about", when: () => true, run: showInfo },
  { name: "edit", label: "Edit", icon: "edit", when: (message, client, { contact }) => contact.devices > 0 && client.changes.mayEdit(message), run: (message, client, { answering }) => answering.edit(message) },
  { name: "take-back", label: "Take back", icon: "undo", when: (message, client) => !message.file && client.outbox.mayTakeBack(message), run: takeBack },
  { name: "delete-here", label: "Delete here", icon: "trash", danger: true, when: (message) => !isPartlySent(message), run: deleteHere },
  { name: "delete-both", label: "Delete for both", icon: "ban", danger: true, when: mayDeleteForBoth, run: deleteForBoth },
];

export const actionsFor = (message, client, place) => ACTIONS.filter(({ when }) => when(message, client, place));

/** Of what is on its way the others have the beginning: it is not left with them, if they can be told. */
function isPartlySent({ file }) {
  return file?.state === "here" && file.sent > 0 && file.sent < file.parts;
}

function isText({ kind, deleted_at }) {
  return kind === "text" && !deleted_at;
}

function hasWords(message) {
  return isText(message) && message.text !== "";
}

/** Nothing but words reaches a client that is not known to read more. */
function mayAnswer(message, client, { contact }) {
  return isText(message) && contact.devices > 0 && !contact.blocked && !contact.request;
}

function mayDeleteForBoth(message, client, { contact }) {
  return isText(message) && message.direction === "out" && contact.devices > 0;
}

async function deleteForBoth({ seq }, client) {
  const agreed = await confirmed({
    title: "Delete for both?",
    text: "It goes here, and on their devices as soon as they are reached. Whoever has read or copied them knows them still. This cannot be undone.",
    ok: "Delete for both",
    danger: true,
  });
  if (agreed) await client.changes.remove(seq);
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
