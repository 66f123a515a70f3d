// Home: ways to send my invite, and the field that opens a chat.
import { isLoopback } from "../protocol/address.js";
import { attempt, byId, on, say } from "./dom.js";
import { openChat } from "./open-chat.js";
import { showQr } from "./qr.js";
import { canScan } from "./scan.js";
import { threadPath } from "./router.js";
import { share } from "./shell-view.js";

const WELCOME = "Private chat.\nSend a link, start talking.";

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
    byId("openChatFp").value = history.state?.invite ?? ""; // one that failed before the page was loaded anew
  }

  /** One button is the primary one. */
  #offerShare() {
    byId("shareInviteBtn").hidden = false;
    byId("copyInviteLinkBtn").classList.remove("primary");
    byId("copyInviteLabel").textContent = "Copy";
  }

  /** Whoever has no chat yet is welcomed. */
  async show() {
    this.#writeLinks();
    const isNew = (await this.#client.store.contacts()).length === 0;
    byId("view-newchat").classList.toggle("welcome", isNew);
    byId("title-newchat").textContent = isNew ? WELCOME : "New chat";
    byId("welcomeLede").hidden = !isNew;
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
    if (!field.value.trim()) return this.#refuseEmpty(field, status);
    say(status, "Looking…");
    const contact = await attempt(byId("openChatBtn"), status, () => openChat(this.#client, field.value));
    if (contact === null) say(status, "Nothing was changed.");
    if (!contact) return field.focus();
    say(status, "");
    field.value = "";
    history.replaceState(null, "", location.href);
    if (this.#router.view === "newchat") this.#router.go(threadPath(contact.fingerprint)); // else they are typing elsewhere by now
  }

  #refuseEmpty(field, status) {
    say(status, "Paste a link, an address or a public key first.", "bad");
    field.focus();
  }
}
