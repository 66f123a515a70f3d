// From an invite, address or key to a contact, with the questions on the way.
import { UnknownRelayError } from "../protocol/errors.js";
import { displayName } from "../protocol/format.js";
import { confirmed } from "./questions.js";
import { addRelay } from "./relay-questions.js";

/**
 * @param {string|object} address what a person typed, or a parsed invite
 * @returns {Promise<object|null>} the contact; null when the person said no
 * @throws {ClientError} with a sentence to show
 */
export async function openChat(client, address) {
  const found = await find(client, address);
  if (!found || (found.chosen_by_relay && !(await mayBelieve(found)))) return null;
  if (found.existing?.blocked && !(await mayUnblock(found.existing))) return null;
  if (found.moves && !(await mayMove(found))) return client.contacts.open(found.existing);
  return client.contacts.open(found);
}

async function find(client, address) {
  try {
    return await client.contacts.find(address);
  } catch (error) {
    if (!(error instanceof UnknownRelayError)) throw error;
    return (await joins(client, error.origin)) ? client.contacts.find(address) : null;
  }
}

async function joins(client, origin) {
  const agreed = await confirmed({
    title: "This contact is on another server",
    text: `To write to them, this device joins ${origin} too. Your own server stays ${client.relays.home}.\n\nThat server will see your network address, and who writes to you there.`,
    ok: "Join it",
  });
  return agreed && addRelay(client, origin);
}

/** Eight digits are 32 bits: a relay can make a key whose address begins so. */
function mayBelieve({ fingerprint, relay }) {
  return confirmed({
    title: "Is this the whole address?",
    text: `${relay} says that this address begins with what you typed:\n\n${fingerprint}\n\nA dishonest server could have made one that only begins so. Compare it with your contact, all of it, or ask for an invite link.`,
    ok: "It is theirs",
  });
}

function mayUnblock(contact) {
  return confirmed({
    title: `Unblock ${displayName(contact)}?`,
    text: "You blocked this contact. To open the chat, you would hear from them again.",
    ok: "Unblock",
    danger: true,
  });
}

function mayMove({ existing, relay }) {
  return confirmed({
    title: "Write by another server?",
    text: `You write to ${displayName(existing)} by ${existing.relay}. This invite names ${relay}.\n\nMove the chat only if they told you that they moved.`,
    ok: "Move the chat",
    danger: true,
  });
}
