// Sending a message's words on to another chat. They go as written, as words of one's own: the protocol knows no mark for it.
import { showModal } from "./dialogs.js";
import { byId, clone, on, say } from "./dom.js";
import { ClientError } from "../protocol/errors.js";
import { cut, fold } from "../protocol/excerpt.js";
import { displayName } from "../protocol/format.js";
import { notice } from "./toast.js";

const SHOWN_CHARACTERS = 300;
let forwarding = null; // {text, client, contacts}

on(byId("forwardSearch"), "input", () => showContacts());
on(byId("forwardForm"), "submit", (event) => {
  event.preventDefault();
  const choices = byId("forwardList").querySelectorAll("button");
  if (choices.length === 1) choices[0].click(); // a slip of the Enter key sends to nobody
});
on(byId("forwardList"), "click", ({ target }) => sendTo(target.closest("button")?.value));

/** Asks to whom. */
export async function forward({ text }, client) {
  const contacts = (await client.store.contacts()).filter(({ blocked }) => !blocked);
  forwarding = { text, client, contacts };
  byId("forwardText").textContent = cut(text, SHOWN_CHARACTERS);
  byId("forwardSearch").value = "";
  say(byId("forwardStatus"), "");
  showContacts();
  showModal(byId("forwardDialog"));
}

function showContacts() {
  const wanted = fold(byId("forwardSearch").value.trim());
  const found = forwarding.contacts.filter((contact) => fold(displayName(contact)).includes(wanted) || contact.fingerprint.startsWith(wanted));
  byId("forwardList").replaceChildren(...found.map(choice));
  byId("forwardNone").hidden = found.length > 0;
}

function choice(contact) {
  const item = clone("forwardTemplate");
  item.querySelector("button").value = contact.fingerprint;
  item.querySelector("bdi").textContent = displayName(contact);
  return item;
}

async function sendTo(fingerprint) {
  const contact = forwarding.contacts.find((each) => each.fingerprint === fingerprint);
  if (!contact) return;
  try {
    await forwarding.client.outbox.send(contact, forwarding.text, { was_draft: false });
    byId("forwardDialog").close();
    notice(`Forwarded to ${displayName(contact)}`);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    say(byId("forwardStatus"), error.message, "bad");
  }
}
