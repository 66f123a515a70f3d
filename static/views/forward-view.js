// Sending on to another chat: a message's words, which go as written, as words of one's own (the protocol knows no mark for it), or what
// another app shared with this one.
import { notice, showModal } from "./dialogs.js";
import { byId, clone, fillAvatar, on, say } from "./dom.js";
import { ClientError } from "../protocol/errors.js";
import { cut, fold } from "../protocol/excerpt.js";
import { safeName } from "../protocol/files.js";
import { displayName } from "../protocol/format.js";

const SHOWN_CHARACTERS = 300;
let forwarding = null; // {send, contacts, sends: under way} while the dialog is open

on(byId("forwardSearch"), "input", () => showContacts());
on(byId("forwardDialog"), "close", () => !byId("forwardDialog").open && (forwarding = null)); // it comes later, and may be open again
on(byId("forwardForm"), "submit", (event) => {
  event.preventDefault();
  const choices = byId("forwardList").querySelectorAll("button");
  if (choices.length === 1) choices[0].click(); // a slip of the Enter key sends to nobody
});
on(byId("forwardList"), "click", ({ target }) => sendTo(target.closest("button")?.value));

/** Asks to whom. */
export function forward({ text }, client) {
  return ask(client, "Forward to", text, async (contact) => {
    await client.outbox.send(contact, text, { was_draft: false });
    notice(`Forwarded to ${displayName(contact)}`);
  });
}

/** Asks for whom it is that another app shared something, if the address says that one did (sw.js). */
export async function forwardShared(client) {
  if (!new URLSearchParams(location.search).has("shared")) return client.forgetShared();
  history.replaceState(history.state, "", location.pathname + location.hash); // a reload has it no more
  const shared = await client.takeShared();
  if (!shared) return notice("Nothing was shared, or it is too large, or this device has no room for it.");
  const told = [...shared.files.map(({ name }) => safeName(name)), shared.text].filter(Boolean).join("\n");
  return ask(client, "Send to", told, (contact) => {
    byId("forwardDialog").close();
    client.offerShared({ contact, ...shared });
  });
}

async function ask(client, title, text, send) {
  const contacts = (await client.store.contacts()).filter(({ blocked }) => !blocked);
  forwarding = { send, contacts };
  byId("forwardTitle").textContent = title;
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
  fillAvatar(item.querySelector(".avatar"), contact, displayName(contact));
  return item;
}

async function sendTo(fingerprint) {
  const asked = forwarding;
  const contact = asked.contacts.find((each) => each.fingerprint === fingerprint);
  if (!contact || asked.sends) return;
  asked.sends = true; // it is pressed twice by many
  try {
    await asked.send(contact);
    if (asked === forwarding) byId("forwardDialog").close(); // else it asks something else by now
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (asked === forwarding) say(byId("forwardStatus"), error.message, "bad");
    else notice(error.message);
  } finally {
    asked.sends = false;
  }
}
