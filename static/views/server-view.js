// The relays of this device; what they ask, and how their state is told.
import { InviteNeededError, OlderProofError, RelayKeyChangedError, SameRelayError } from "../protocol/errors.js";
import { formatBytes, formatCount, formatDateTime, plural } from "../protocol/format.js";
import { answerTo, confirmed, notice } from "./dialogs.js";
import { attempt, byId, clone, on, reconcile, say } from "./dom.js";

export class ServerView {
  #client;
  #rows = new Map();

  constructor(client) {
    this.#client = client;
    on(byId("serverForm"), "submit", (event) => this.#saveHome(event));
    on(byId("addRelayForm"), "submit", (event) => this.#add(event));
    on(byId("relayList"), "click", (event) => this.#act(event));
    on(client.relays, "relays", () => this.#render());
    this.#render();
  }

  async show() {
    const field = byId("serverUrl");
    if (document.activeElement !== field || !field.value) field.value = this.#client.relays.home;
    if (this.#suggested()) return;
    const status = byId("serverStatus");
    say(status, "");
    try {
      await this.#client.relays.refreshStats(this.#client.relays.home);
    } catch (error) {
      if (!status.textContent) say(status, error.message, "bad");
    }
  }

  // An older link suggests a relay, and never changes it.
  #suggested() {
    const origin = new URLSearchParams(location.search).get("server");
    if (!origin) return false;
    history.replaceState(history.state, "", location.pathname);
    byId("serverUrl").value = origin;
    say(byId("serverStatus"), "The link you opened suggests this server. Nothing is changed until you save it.");
    return true;
  }

  async #saveHome(event) {
    event.preventDefault();
    const status = byId("serverStatus");
    say(status, "Asking the server…");
    const relay = await attempt(byId("saveServer"), status, () => addRelay(this.#client, byId("serverUrl").value));
    if (relay === undefined) return;
    if (relay === null) return say(status, "Nothing was changed.");
    await this.#makeHome(relay.origin);
    byId("serverUrl").value = relay.origin;
  }

  async #makeHome(origin) {
    await this.#client.membership.setHome(origin);
    say(byId("serverStatus"), `Your server is ${origin}.`, "good");
  }

  async #add(event) {
    event.preventDefault();
    const [field, status] = [byId("addRelayUrl"), byId("addRelayStatus")];
    const typed = field.value;
    say(status, "Asking the server…");
    const relay = await attempt(byId("addRelayBtn"), status, () => addRelay(this.#client, typed));
    if (relay === null) say(status, "Nothing was changed.");
    if (!relay) return;
    if (field.value === typed) field.value = "";
    say(status, `Joined ${relay.origin}.`, "good");
  }

  #act(event) {
    const button = event.target.closest("button");
    const origin = button?.closest(".relay").dataset.origin;
    if (!button) return undefined;
    if (button.matches(".relay-make-home")) return this.#makeHome(origin);
    if (button.matches(".relay-leave")) return this.#leave(button, origin);
    return attempt(button, byId("addRelayStatus"), () => addRelay(this.#client, origin));
  }

  async #leave(button, origin) {
    const agreed = await confirmed({
      title: `Leave ${origin}?`,
      text: "The server forgets you and deletes the messages that wait there. Contacts of that server can no longer reach you; their history stays on this device.",
      ok: "Leave",
      danger: true,
    });
    if (!agreed) return;
    const left = await attempt(button, byId("addRelayStatus"), () => this.#client.membership.leave(origin));
    if (left === undefined) return;
    notice(`Left ${origin}`);
    if (!left) say(byId("addRelayStatus"), `${origin} is forgotten here. It is an older server that can't be told so: your address and what waits for it stay there until they expire.`);
  }

  #render() {
    const relays = this.#client.relays.list();
    reconcile(byId("relayList"), relays.map((relay) => this.#row(relay)));
    const home = relays.find((relay) => relay.home);
    if (home) showStats(home);
  }

  #row(relay) {
    if (!this.#rows.has(relay.origin)) this.#rows.set(relay.origin, clone("relayTemplate"));
    const row = this.#rows.get(relay.origin);
    fillRow(row, relay);
    return row;
  }
}

function showStats(relay) {
  byId("statsIdentities").textContent = formatCount(relay.registered_identities);
  byId("retentionDays").textContent = formatCount(relay.message_retention_days);
  byId("maxMessage").textContent = formatBytes(relay.max_message_bytes);
  byId("registrationMode").textContent = { open: "open to everybody", invite: "with an invite code" }[relay.registration] ?? "–";
  byId("relayVersion").textContent = relay.version ?? "–";
}

function fillRow(row, relay) {
  row.dataset.origin = relay.origin;
  row.querySelector(".relay-url").textContent = relay.origin;
  row.querySelector(".relay-home").hidden = !relay.home;
  showState(row.querySelector(".live-indicator"), relay.state);
  row.querySelector(".relay-hint").textContent = relay.message || facts(relay);
  row.querySelector(".relay-answer").hidden = !NEEDS_ANSWER.has(relay.state);
  row.querySelector(".relay-make-home").hidden = relay.home;
  row.querySelector(".relay-leave").hidden = relay.home;
}

function facts({ message_retention_days, max_message_bytes, refused, requests_dropped, key_changed_at }) {
  const known = [];
  if (key_changed_at) known.push(`came with a new key on ${formatDateTime(key_changed_at)}, as older servers do when they are restarted`);
  if (message_retention_days != null) known.push(`keeps messages ${message_retention_days} days, up to ${formatBytes(max_message_bytes)} a message`);
  if (refused) known.push(`${plural(refused, "message")} from here failed verification and ${refused === 1 ? "was" : "were"} not shown`);
  if (requests_dropped) known.push(`${formatCount(requests_dropped)} more from strangers had no room`);
  return known.join(" · ");
}

/** Asks what it wants to know: null when the person said no. Throws what no answer can mend. */
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

export const NEEDS_ANSWER = new Set(["needs-consent", "needs-invite", "refused"]);

const WORDS = {
  live: "live", connecting: "connecting", polling: "every 30 s", offline: "offline",
  "needs-consent": "asks you", "needs-invite": "wants an invite code", refused: "refused",
};
const CLASSES = { live: "live", connecting: "connecting", polling: "connecting" };

export function showState(badge, state) {
  badge.className = `live-indicator ${CLASSES[state] ?? "offline"}`;
  badge.textContent = WORDS[state] ?? WORDS.offline;
}
