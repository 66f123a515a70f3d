// All that is known of one message, in words; ids one level down.
import { showModal } from "./dialogs.js";
import { byId, on } from "./dom.js";
import { cut } from "../protocol/excerpt.js";
import { displayName, formatDateTime, formatSpan } from "../protocol/format.js";

const SHOWN_CHARACTERS = 2000;
const OLDER_CLIENT = "Sent by an older client, and not bound to this chat: the server could have kept it, or moved it here from another chat of theirs with you.";
const NOT_SEALED_TWICE = "Sealed with your address key only, though they know better: whoever has that key could have written it.";
const STATES = { queued: "Waiting to be sent", relayed: "On the server", failed: "Not sent", "": "Received" };
let ticking = 0; // while a countdown is shown

on(byId("infoDialog"), "close", () => clearInterval(ticking));

export async function showInfo(message, client) {
  const contact = await client.store.contact(message.contact);
  const earlier = message.edited_at && !message.deleted_at ? await client.changes.earlier(message.seq) : [];
  byId("infoText").textContent = cut(message.kind === "text" && !message.deleted_at ? message.text : "", SHOWN_CHARACTERS);
  byId("infoEarlier").hidden = earlier.length === 0;
  byId("infoEarlierList").replaceChildren(...earlier.map(({ text, ts }) => element("li", `${formatDateTime(ts)}: ${cut(text, SHOWN_CHARACTERS)}`)));
  list(byId("infoFacts"), facts(message, contact));
  countDown(message, client);
  list(byId("infoTechnical"), technical(message));
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

/** How long a message with a timer is here still, while somebody looks. */
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
  if (name !== "dt") made.dir = "auto";
  return made;
}
