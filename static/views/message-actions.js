// What can be done with a message, in the order of the menu. What does not apply is not shown.
import { isEmoji } from "../protocol/content.js";
import { ClientError } from "../protocol/errors.js";
import { cut } from "../protocol/text.js";
import { displayName, formatDateTime, formatSpan } from "../protocol/format.js";
import { confirmed, copy, notice, offerUndo, onClose, showModal } from "./dialogs.js";
import { byId, clone, describe, element, on, say } from "./dom.js";
import { saveFile } from "./files.js";
import { forward } from "./answering.js";

/** `place`: `{contact, answering}`; `icon`: of the sprite. */
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

/** The others have the beginning: it is not left with them, if they can be told. */
function isPartlySent({ file }) {
  return file?.state === "here" && file.sent > 0 && file.sent < file.parts;
}

function isText({ kind, deleted_at }) {
  return kind === "text" && !deleted_at;
}

function hasWords(message) {
  return isText(message) && message.text !== "";
}

/** Nothing but words reaches a client not known to read more. */
function mayAnswer(message, client, { contact }) {
  return isText(message) && contact.devices > 0 && !contact.blocked && !contact.request;
}

function mayDeleteForBoth(message, client, { contact }) {
  return isText(message) && message.direction === "out" && contact.devices > 0;
}

async function deleteForBoth({ seq }, client) {
  const agreed = await confirmed({
    title: "Delete for both?",
    text: "It is deleted here now, and on their devices as soon as they are reached. Whoever has read or copied it knows it still. This cannot be undone.",
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

// My reaction. The own one is pressed, and taken back so.

const USUAL = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
let reacting = null; // {message, client, own}

on(byId("reactChoices"), "click", ({ target }) => choose(target.closest("button")?.value));
on(byId("reactForm"), "submit", (event) => {
  event.preventDefault();
  return choose(byId("reactEmoji").value.trim());
});

function askReaction(message, client) {
  const own = message.reactions.find(({ by }) => by !== message.contact)?.emoji;
  reacting = { message, client, own };
  const offered = USUAL.includes(own) || !own ? USUAL : [...USUAL, own];
  byId("reactChoices").replaceChildren(...offered.map((emoji) => choice(emoji, emoji === own)));
  byId("reactEmoji").value = "";
  say(byId("reactStatus"), "");
  showModal(byId("reactDialog"));
}

function choice(emoji, isOwn) {
  const button = clone("reactChoiceTemplate");
  button.value = button.textContent = emoji;
  button.setAttribute("aria-pressed", String(isOwn));
  return button;
}

async function choose(emoji) {
  if (emoji === undefined) return;
  const { message, client, own } = reacting;
  if (emoji === "" || !isEmoji(emoji)) return say(byId("reactStatus"), "One emoji, as it stands on your keyboard.", "bad");
  try {
    await client.changes.react(message.seq, emoji === own ? "" : emoji);
    byId("reactDialog").close();
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    say(byId("reactStatus"), error.message, "bad");
  }
}

const SHOWN_CHARACTERS = 2000;
const OLDER_CLIENT = "Sent by an older client, and not bound to this chat: the server could have kept it, or moved it here from another chat of theirs with you.";
const NOT_SEALED_TWICE = "Sealed with your address key only, though they know better: whoever has that key could have written it.";
const STATES = { queued: "Waiting to be sent", relayed: "On the server", failed: "Not sent", "": "Received" };
let ticking = 0;

onClose(byId("infoDialog"), () => clearInterval(ticking));

export async function showInfo(message, client) {
  const contact = await client.store.contact(message.contact);
  const earlier = message.edited_at && !message.deleted_at ? await client.changes.earlier(message.seq) : [];
  byId("infoText").textContent = cut(message.kind === "text" && !message.deleted_at ? message.text : "", SHOWN_CHARACTERS);
  byId("infoEarlier").hidden = earlier.length === 0;
  byId("infoEarlierList").replaceChildren(...earlier.map(({ text, ts }) => element("li", `${formatDateTime(ts)}: ${cut(text, SHOWN_CHARACTERS)}`)));
  describe(byId("infoFacts"), facts(message, contact));
  countDown(message, client);
  describe(byId("infoTechnical"), technical(message));
  byId("infoDetails").open = false;
  showModal(byId("infoDialog"));
}

function facts(message, contact) {
  const name = contact ? displayName(contact) : "a contact that was removed";
  const { direction, at } = message;
  return direction === "in"
    ? [["From", name], ["On the server", time(at)], ["Written", writtenBy(message)], ["Received here", time(message.stored_at)], ...later(message), ["Note", note(message)]]
    : [["To", name], ["Written", time(at)], ["State", state(message)], ["Reason", message.error], ["Delivered", time(message.delivered_at)], ["Read", time(message.read_at)], ...later(message), ["Kept there until", keptUntil(message)]];
}

const later = ({ edited_at, deleted_at }) => [["Edited", time(edited_at)], ["Deleted", time(deleted_at)]];

function countDown({ lasts, seq }, client) {
  const tell = async () => {
    const { gone_at } = (await client.store.message(seq)) ?? {}; // the timer may begin while Info is open
    const left = gone_at && (gone_at - Date.now()) / 1000;
    byId("infoTimer").textContent = left ? `Goes in ${formatSpan(left)}, on both sides.` : `Goes ${formatSpan(lasts)} after it was read.`;
  };
  clearInterval(ticking);
  byId("infoTimer").hidden = !lasts;
  if (!lasts) return;
  tell();
  ticking = setInterval(tell, 1000);
}

const time = (at) => at && formatDateTime(at);
const writtenBy = ({ written_at }) => written_at !== null && `${formatDateTime(written_at)} by the sender's clock`;

function note({ kind, reason, legacy, event, unsealed }) {
  if (event) return "A line that nobody wrote.";
  if (unsealed) return NOT_SEALED_TWICE;
  if (kind === "refused") return `Refused: ${reason}`;
  if (kind === "unknown") return "Sent with a newer client: update this page to read it.";
  return legacy && OLDER_CLIENT;
}

function state({ state: word, taken_back_at }) {
  return taken_back_at && word !== "failed" ? `Taken back, ${formatDateTime(taken_back_at)}` : STATES[word] ?? word;
}

function keptUntil({ expires_at, taken_back_at }) {
  const until = Date.parse(expires_at);
  return !taken_back_at && until > 0 && formatDateTime(until);
}

const technical = ({ seq, envelope_id, relay, relay_id }) =>
  [["Number here", seq], ["Message id", envelope_id], ["Server", relay], ["Number there", relay_id]];

