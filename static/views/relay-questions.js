// What a relay can want to know before this device registers there. Nothing
// here is answered for the person, and a refusal changes nothing.
import { InviteNeededError, OlderProofError, RelayKeyChangedError, SameRelayError } from "../protocol/errors.js";
import { answerTo, confirmed } from "./dialogs.js";

/**
 * Registers with the relay at `url`, asking what it wants to know.
 * @returns {Promise<object|null>} the relay; null when the person said no
 * @throws {RelayError|RelayAddressError} what no answer can mend
 */
export async function addRelay(client, url) {
  const answers = {};
  for (;;) {
    try {
      return await (answers.move?.() ?? client.membership.add(url, answers));
    } catch (error) {
      if (!(await answer(client, error, answers))) return null;
    }
  }
}

async function answer(client, error, answers) {
  if (error instanceof OlderProofError) return allowOlderProof(error, answers);
  if (error instanceof InviteNeededError) return enterInvite(error, answers);
  if (error instanceof RelayKeyChangedError) return acceptNewKey(client, error);
  if (error instanceof SameRelayError && !answers.move) return isSameRelay(client, error, answers);
  throw error;
}

async function allowOlderProof(error, answers) {
  answers.allow_older_proof = await confirmed({
    title: "Use the older proof?",
    text: `${error.message}\n\nAllow it only for a server whose owner you trust.`,
    ok: "Allow for this server",
    danger: true,
  });
  return answers.allow_older_proof;
}

async function enterInvite(error, answers) {
  const code = await answerTo({
    title: "This server wants an invite code",
    text: answers.invite ? "That code was not accepted. Check it, or ask the server's owner for another." : error.message,
    label: "Invite code",
    ok: "Join",
  });
  answers.invite = code ?? "";
  return Boolean(code);
}

async function acceptNewKey(client, error) {
  const accepted = await confirmed({
    title: "This server's key has changed",
    text: error.message,
    ok: "Accept the new key",
    danger: true,
  });
  if (accepted) await client.membership.acceptNewKey(error.origin, error.server_public_key);
  return accepted;
}

async function isSameRelay(client, { origin, known }, answers) {
  const agreed = await confirmed({
    title: "The same server under a new address?",
    text: `${origin} presents the key of ${known}. A server that moved, or has two addresses, does so; one that only poses as it could, too.\n\nYour chats, your messages and your invite link then go by ${origin}, in place of ${known}. Agree only if whoever runs it told you this address.`,
    ok: "Use the new address",
    danger: true,
  });
  if (agreed) answers.move = () => client.membership.move(known, origin);
  return agreed;
}

// What a relay's state is called, and looks like, wherever it is shown.

/** The states that only the person can end. */
export const NEEDS_ANSWER = new Set(["needs-consent", "needs-invite", "refused"]);

const WORDS = {
  live: "live", connecting: "connecting", polling: "every 30 s", offline: "offline",
  "needs-consent": "asks you", "needs-invite": "wants an invite code", refused: "refused",
};
const CLASSES = { live: "live", connecting: "connecting", polling: "connecting" };

export function showState(badge, state) {
  badge.className = `live-indicator ${CLASSES[state] ?? "offline"}`;
  badge.textContent = stateWord(state);
}

export const stateWord = (state) => WORDS[state] ?? WORDS.offline;
