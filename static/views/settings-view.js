// The settings dialog, the bell and the theme button.
import { displayName, formatBytes, plural, shortAddress } from "../protocol/format.js";
import { confirmed, notice, showModal } from "./dialogs.js";
import { attempt, byId, clone, on, say } from "./dom.js";

const KEPT = {
  true: "The browser keeps what is stored here until you delete it.",
  false: "The browser may delete your keys and messages when space runs short: it was not asked to keep them, or said no. Export a backup.",
  null: "This browser does not say whether it keeps what is stored here. Export a backup.",
};
const SWITCHES = { settingPreview: "preview", settingSound: "sound", settingErase: "erase_on_relay", settingReceipts: "receipts" };

export class SettingsView {
  #client;

  constructor(client) {
    this.#client = client;
    on(byId("settingsOpen"), "click", () => showModal(byId("settingsDialog")));
    on(byId("notifToggle"), "click", () => this.#toggleNotifications());
    on(byId("settingNotify"), "change", () => this.#toggleNotifications());
    on(byId("themeToggle"), "click", () => this.#chooseTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
    for (const choice of document.getElementsByName("theme")) on(choice, "change", () => this.#chooseTheme(choice.value));
    for (const [id, name] of Object.entries(SWITCHES)) on(byId(id), "change", ({ target }) => this.#switch(name, target.checked));
    on(byId("settingSound"), "change", ({ target }) => target.checked && client.sound.beep());
    on(client.settings, "change", () => this.#render());
    on(client.relays, "relays", () => this.#render());
    on(window, "storage", () => this.#render()); // another tab chose a theme
    on(byId("persistenceAsk"), "click", () => this.#askToKeep());
    this.#render();
    this.#showPersistence(client.persistence.granted());
  }

  async #askToKeep() {
    await this.#showPersistence(this.#client.persistence.ask());
    if (!byId("persistenceAsk").hidden) notice("The browser said no. It may say yes once this page is installed or bookmarked.");
  }

  async #showPersistence(answer) {
    const granted = await answer;
    byId("persistenceAsk").hidden = granted !== false;
    byId("persistenceHint").textContent = KEPT[granted];
  }

  async #switch(name, chosen) {
    try {
      await this.#client.settings.set(name, chosen);
    } finally {
      this.#render();
    }
  }

  async #toggleNotifications() {
    const { notifications } = this.#client;
    try {
      if (this.#notifies()) await notifications.disable();
      else if (notifications.needsHomeScreen) showModal(byId("settingsDialog"));
      else if ((await notifications.enable()) === "granted") notice("Notifications are on");
      else notice(notifications.why || "Notifications stay off");
    } finally {
      this.#render();
    }
  }

  #notifies() {
    return this.#client.settings.get("notifications") && this.#client.notifications.permission === "granted";
  }

  /** The home relay's key is the subscription's. */
  #when(notifies) {
    const { relays, updates } = this.#client;
    const home = relays.get(relays.home);
    if (!home?.push) return "While this page is open, hidden or at another chat: your server can't wake it when it is closed.";
    if (notifies && !home.push_endpoint) return "While this page is open, hidden or at another chat: this browser does not let it be woken when it is closed.";
    const others = relays.list().length > 1 ? " From other servers only while it is open." : "";
    const much = updates.reads ? "" : " Then this browser says only that there are messages.";
    return `Also when this page is closed.${others}${much}`;
  }

  #chooseTheme(choice) {
    window.theme.choose(choice);
    this.#render();
  }

  #render() {
    const { settings, notifications } = this.#client;
    const notifies = this.#notifies();
    const bell = byId("notifToggle");
    bell.setAttribute("aria-pressed", notifies);
    bell.querySelector("use").setAttribute("href", notifies ? "#i-bell" : "#i-bell-off");
    byId("settingNotify").checked = notifies;
    byId("notifyHint").textContent = notifications.why || this.#when(notifies);
    for (const [id, name] of Object.entries(SWITCHES)) byId(id).checked = settings.get(name);
    for (const choice of document.getElementsByName("theme")) choice.checked = choice.value === window.theme.preference();
  }
}

export class BlockedView {
  #client;

  constructor(client) {
    this.#client = client;
    on(byId("settingsOpen"), "click", () => this.#render());
    on(byId("blockedList"), "click", (event) => this.#unblock(event));
    on(client.store, "contact", () => byId("settingsDialog").open && this.#render());
  }

  async #render() {
    const blocked = (await this.#client.store.contacts()).filter((contact) => contact.blocked);
    byId("blockedList").replaceChildren(...blocked.map(row));
    byId("blockedNone").hidden = blocked.length > 0;
  }

  async #unblock(event) {
    const fingerprint = event.target.closest("button")?.closest("li").dataset.fingerprint;
    if (fingerprint) await this.#client.store.updateContact(fingerprint, { blocked: false });
  }
}

function row(contact) {
  const item = clone("blockedTemplate");
  item.dataset.fingerprint = contact.fingerprint;
  item.querySelector("bdi").textContent = contact.name || `${displayName(contact)} (${shortAddress(contact)})`;
  item.querySelector("button").setAttribute("aria-label", `Unblock ${displayName(contact)}`);
  return item;
}

const FORMS = { myNameForm: "myNameStatus", meNameForm: "meNameStatus", settingNameForm: "settingNameStatus" };

export class MyNameView {
  #client;

  constructor(client) {
    this.#client = client;
    for (const [form, status] of Object.entries(FORMS)) on(byId(form), "submit", (event) => this.#save(event, byId(status)));
    on(client.settings, "change", ({ detail }) => detail.name === "name" && this.#show());
    this.#show();
  }

  async #save(event, status) {
    event.preventDefault();
    const { elements, submitter = elements[1] } = event.target;
    say(status, "");
    const saved = await attempt(submitter, status, async () => {
      await this.#client.settings.callMyself(elements[0].value);
      return true;
    });
    if (saved) notice(this.#client.settings.get("name") ? "Name saved" : "You go without a name");
    else elements[0].focus();
  }

  #show() {
    for (const form of Object.keys(FORMS)) byId(form).elements[0].value = this.#client.settings.get("name");
  }
}

export class RoomView {
  #client;

  constructor(client) {
    this.#client = client;
    on(byId("settingsOpen"), "click", () => this.#show());
  }

  async #show() {
    const chats = await this.#client.files.kept();
    const bytes = chats.reduce((sum, chat) => sum + chat.bytes, 0); // what a browser says of its room may be made up
    byId("roomHint").textContent = bytes ? `Pictures and files take ${formatBytes(bytes)}.` : "No pictures or files are kept here.";
    const rows = await Promise.all(chats.map(async (chat) => this.#row(chat, displayName(await this.#client.store.contact(chat.contact)))));
    byId("roomList").replaceChildren(...rows);
  }

  #row(chat, name) {
    const item = clone("roomTemplate");
    const button = item.querySelector("button");
    item.querySelector("bdi").textContent = name;
    item.querySelector("span").textContent = `${plural(chat.seqs.length, "file")}, ${formatBytes(chat.bytes)}`;
    button.setAttribute("aria-label", `Free up the files of ${name}`);
    on(button, "click", () => this.#free(chat, name));
    return item;
  }

  async #free({ seqs, bytes }, name) {
    const agreed = await confirmed({
      title: `Free up ${formatBytes(bytes)}?`,
      text: `${plural(seqs.length, "file")} of the chat with ${name} go from this device, pictures and voice messages among them. What was written stays. They can't be fetched again: save first what you want to keep.`,
      ok: "Free up",
      danger: true,
    });
    if (!agreed) return;
    try {
      await this.#client.files.free(seqs);
      notice(`${formatBytes(bytes)} are free.`);
    } finally {
      await this.#show();
    }
  }
}
