// All that is known of one message, in words; ids one level down.
import { showModal } from "./dialogs.js";
import { byId } from "./dom.js";
import { cut } from "../protocol/excerpt.js";
import { displayName, formatDateTime } from "../protocol/format.js";

const SHOWN_CHARACTERS = 2000;
const OLDER_CLIENT = "Sent by an older client, and not bound to this chat: the server could have kept it, or moved it here from another chat of theirs with you.";
const STATES = { queued: "Waiting to be sent", relayed: "On the server", failed: "Not sent", "": "Received" };

export async function showInfo(message, client) {
  const contact = await client.store.contact(message.contact);
  byId("infoText").textContent = cut(message.kind === "text" ? message.text : "", SHOWN_CHARACTERS);
  list(byId("infoFacts"), facts(message, contact));
  list(byId("infoTechnical"), technical(message));
  byId("infoDetails").open = false;
  showModal(byId("infoDialog"));
}

function facts(message, contact) {
  const name = contact ? displayName(contact) : "a contact that was removed";
  const { direction, at } = message;
  return direction === "in"
    ? [["From", name], ["On the server", time(at)], ["Written", writtenBy(message)], ["Received here", time(message.stored_at)], ["Note", note(message)]]
    : [["To", name], ["Written", time(at)], ["State", state(message)], ["Reason", message.error], ["Kept there until", keptUntil(message)]];
}

const time = (at) => at && formatDateTime(at);
const writtenBy = ({ written_at }) => written_at !== null && `${formatDateTime(written_at)} by the sender's clock`;

function note({ kind, reason, legacy }) {
  if (kind === "refused") return `Refused: ${reason}`;
  if (kind === "unknown") return "Sent with a newer client: update this page to read it.";
  return legacy && OLDER_CLIENT;
}

function state({ state: word, taken_back_at }) {
  return taken_back_at ? `Taken back, ${formatDateTime(taken_back_at)}` : STATES[word] ?? word;
}

function keptUntil({ expires_at, taken_back_at }) {
  const until = Date.parse(expires_at);
  return !taken_back_at && until > 0 && formatDateTime(until);
}

const technical = ({ seq, envelope_id, relay, relay_id }) =>
  [["Number here", seq], ["Message id", envelope_id], ["Server", relay], ["Number there", relay_id]];

/** Pairs of a term and its text; those without a text are left out. */
function list(target, pairs) {
  target.replaceChildren(...pairs.filter(([, text]) => text || text === 0).flatMap(([term, text]) => [element("dt", term), element("dd", text)]));
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  if (name === "dd") made.dir = "auto";
  return made;
}
