// How a chat begins: home, my invite, the field that opens one; and what newcomers see.
import { isLoopback } from "../protocol/address.js";
import { UnknownRelayError } from "../protocol/errors.js";
import { displayName } from "../protocol/format.js";
import { confirmed, notice } from "./dialogs.js";
import { attempt, byId, fillAvatar, on, say } from "./dom.js";
import { canScan, showQr } from "./media.js";
import { addRelay } from "./server-view.js";
import { share, threadPath } from "./router.js";

export class NewChatView {
  #client;
  #router;

  constructor(client, router) {
    this.#client = client;
    this.#router = router;
    on(byId("openChatForm"), "submit", (event) => this.#open(event));
    on(byId("showInviteQr"), "click", () => showQr("My invite link", client.inviteLink()));
    on(byId("shareInviteBtn"), "click", () => share(client.inviteLink()));
    for (const id of ["inviteLinkInput", "publicKeyShareInput"]) on(byId(id), "focus", (event) => event.target.select());
    for (const [source, type] of [[client.relays, "relays"], [client.settings, "change"]]) on(source, type, () => this.#writeLinks());
    if (navigator.share) this.#offerShare();
    byId("openChatScan").hidden = !canScan();
    on(byId("openChatScan"), "click", () => byId("listScan").click());
    byId("openChatFp").value ||= history.state?.invite ?? ""; // failed before a reload
  }

  #offerShare() {
    byId("shareInviteBtn").hidden = false;
    byId("copyInviteLinkBtn").classList.remove("primary");
    byId("copyInviteLabel").textContent = "Copy";
  }

  async show() {
    this.#writeLinks();
    const isNew = (await this.#client.store.contacts()).length === 0;
    document.documentElement.toggleAttribute("data-new", isNew);
    byId("welcomeHost").textContent = new URL(this.#client.relays.home).host;
  }

  #writeLinks() {
    const words = encodeURIComponent(`Write to me, end-to-end encrypted: ${this.#client.inviteLink()}`);
    byId("loopbackNotice").hidden = !isLoopback(new URL(this.#client.inviteLink()).hostname);
    byId("smsInvite").href = `sms:?&body=${words}`;
    byId("mailInvite").href = `mailto:?subject=${encodeURIComponent("My invite link")}&body=${words}`;
  }

  async #open(event) {
    event.preventDefault();
    const field = byId("openChatFp");
    const status = byId("openChatStatus");
    const typed = field.value;
    if (!typed.trim()) return this.#refuseEmpty(field, status);
    say(status, "Looking…");
    const contact = await attempt(byId("openChatBtn"), status, () => openChat(this.#client, typed));
    if (contact === null) say(status, "Nothing was changed.");
    const focused = document.activeElement;
    const typesOn = field.value !== typed || (focused !== field && focused.matches("input, textarea"));
    if (!contact) return typesOn || field.focus();
    say(status, "");
    if (field.value === typed) field.value = "";
    history.replaceState(null, "", location.href);
    if (this.#router.view === "newchat" && !typesOn) this.#router.go(threadPath(contact.fingerprint));
    else notice("The chat is in your list.");
  }

  #refuseEmpty(field, status) {
    say(status, "Paste a link, an address or a public key first.", "bad");
    field.focus();
  }
}

/** `address`: typed, or a parsed invite. Null when the person said no. Throws a ClientError to show. */
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

/** Eight digits are 32 bits: a relay can make such a key. */
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

// The card of an invite until there is a first message, and after the first answer one hint at a time.

const SHORT = 24; // a longer name would make the field grow
const DAY_MS = 86_400_000;
/** In this order. A closed one never comes back. */
const HINTS = [
  { setting: "hint_notifications", text: (name, closed) => `Know when ${name} writes, ${closed ? "even when this page is closed" : "as long as this page is open"}.` },
  { setting: "hint_backup", text: () => "Your key lives only in this browser." },
];

export class GuestView {
  #client;
  #contact = null;
  #hint = null;
  #installing = null;

  constructor(client) {
    this.#client = client;
    on(window, "beforeinstallprompt", (event) => this.#mayInstall(event));
    on(byId("guestForm"), "submit", (event) => event.preventDefault());
    on(byId("guestName"), "change", () => this.saveName());
    on(byId("composer"), "submit", () => this.saveName(), { capture: true }); // ahead of the words, which take it along
    on(byId("guestInstall"), "click", () => this.#install());
    on(byId("guestNotify"), "click", () => this.#notify());
    for (const id of ["guestBackup", "hintBackup"]) on(byId(id), "click", () => byId("exportBackup").click());
    on(byId("hintGo"), "click", () => this.#notify());
    on(byId("hintClose"), "click", () => client.settings.set(this.#hint.setting, true));
    on(client.settings, "change", () => this.#contact && this.show(this.#contact));
  }

  show(contact) {
    this.#contact = contact;
    byId("guestCard").hidden = !(contact.invited && !contact.last_seq);
    byId("chatBody").placeholder = "Message";
    if (!byId("guestCard").hidden) this.#fill(contact);
    this.#showHint(contact);
  }

  async saveName() {
    const typed = byId("guestName").value;
    if (byId("guestCard").hidden || typed.trim() === this.#client.settings.get("name")) return;
    await this.#client.settings.callMyself(typed);
  }

  #fill(contact) {
    const called = contact.name || contact.their_name;
    fillAvatar(byId("guestAvatar"), contact, displayName(contact));
    byId("guestTitle").textContent = `${displayName(contact)} invited you to a private chat`;
    byId("guestText").textContent = `Only ${called ? `you and ${called}` : "the two of you"} can read it. No account, no phone number.`;
    byId("guestName").placeholder = called ? `Your name (${called} sees it)` : "Your name (they see it)";
    byId("chatBody").placeholder = called && called.length <= SHORT ? `Say hello to ${called}…` : "Say hello…";
    if (document.activeElement !== byId("guestName")) byId("guestName").value ||= this.#client.settings.get("name");
    byId("guestMayNotify").hidden = !this.#maySuggest("hint_notifications", contact);
  }

  #showHint(contact) {
    const answered = !contact.request && !contact.blocked && contact.last_direction === "in";
    this.#hint = (answered && HINTS.find(({ setting }) => this.#maySuggest(setting, contact))) || null;
    byId("hint").hidden = !this.#hint;
    if (!this.#hint) return;
    const { relays } = this.#client;
    const wakes = (contact.relay || relays.home) === relays.home && relays.get(relays.home)?.push; // a closed page
    byId("hintText").textContent = this.#hint.text(displayName(contact), wakes);
    byId("hintGo").hidden = this.#hint.setting !== "hint_notifications";
    byId("hintBackup").hidden = this.#hint.setting !== "hint_backup";
  }

  #maySuggest(setting, contact) {
    const { settings, notifications } = this.#client;
    if (settings.get(setting)) return false;
    if (setting === "hint_notifications") return !contact.muted && (notifications.permission === "default" || (notifications.permission === "granted" && !notifications.on));
    return !settings.get("backed_up") && Date.now() - contact.added_at > DAY_MS;
  }

  async #notify() {
    if ((await this.#client.notifications.enable()) === "granted") notice("Notifications are on");
    else notice(this.#client.notifications.why || "Notifications stay off");
    this.show(this.#contact);
  }

  #mayInstall(event) {
    event.preventDefault();
    this.#installing = event;
  }

  async #install() {
    if (this.#installing) await this.#installing.prompt();
    else notice("Open your browser's menu and choose “Add to home screen” or “Install”.");
    this.#installing = null;
  }
}
