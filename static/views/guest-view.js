// What newcomers see in a chat: the card of an invite, until there is a first
// message, and after the first answer one hint at a time that can be closed.
import { byId, fillAvatar, on } from "./dom.js";
import { displayName } from "../protocol/format.js";
import { notice } from "./dialogs.js";

const SHORT = 24; // a longer name would make the field grow
const DAY_MS = 86_400_000;
/** In this order: what it says, and what it offers. A closed one never comes back. */
const HINTS = [
  { setting: "hint_notifications", text: (name) => `Know when ${name} writes, with this page closed too.`, go: "Turn on notifications" },
  { setting: "hint_backup", text: () => "Your key lives only in this browser.", go: "Save a backup" },
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
    on(byId("composer"), "submit", () => this.saveName(), { capture: true }); // ahead of the words, which take the name along
    on(byId("guestInstall"), "click", () => this.#install());
    on(byId("guestNotify"), "click", () => this.#notify());
    for (const id of ["guestBackup", "hintBackup"]) on(byId(id), "click", () => byId("exportBackup").click());
    on(byId("hintGo"), "click", () => this.#notify());
    on(byId("hintClose"), "click", () => client.settings.set(this.#hint.setting, true));
    on(client.settings, "change", () => this.#contact && this.show(this.#contact));
  }

  /** What the open chat shows above its messages. */
  show(contact) {
    this.#contact = contact;
    byId("guestCard").hidden = !(contact.invited && !contact.last_seq);
    byId("chatBody").placeholder = "Message";
    if (!byId("guestCard").hidden) this.#fill(contact);
    this.#showHint(contact);
  }

  /** Of a name that is none the card says so; the words go without it. */
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
    byId("hintText").textContent = this.#hint.text(displayName(contact));
    byId("hintGo").hidden = this.#hint.setting !== "hint_notifications";
    byId("hintBackup").hidden = this.#hint.setting !== "hint_backup";
  }

  #maySuggest(setting, contact) {
    const { settings, notifications } = this.#client;
    if (settings.get(setting)) return false;
    if (setting === "hint_notifications") return notifications.permission === "default" || (notifications.permission === "granted" && !notifications.on);
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
    this.#installing = null; // it answers once
  }
}
