// Home: my invite link and key, and the field that opens a chat.
import { copy, notice } from "./dialogs.js";
import { attempt, byId, on, say } from "./dom.js";
import { openChat } from "./open-chat.js";
import { showQr } from "./qr.js";
import { threadPath } from "./router.js";
import { toBase64 } from "./encoding.js";

export class NewChatView {
  #client;
  #router;

  constructor(client, router) {
    this.#client = client;
    this.#router = router;
    this.#wireSharing();
    on(byId("openChatForm"), "submit", (event) => this.#open(event));
    on(client.relays, "relays", () => this.#showLinks());
    this.#showLinks();
  }

  show() {
    this.#showLinks();
  }

  #showLinks() {
    const link = this.#client.inviteLink();
    const words = encodeURIComponent(`Write to me, end-to-end encrypted: ${link}`);
    byId("inviteLinkInput").value = link;
    byId("publicKeyShareInput").value = toBase64(this.#client.identity.public_key);
    byId("smsInvite").href = `sms:?&body=${words}`;
    byId("mailInvite").href = `mailto:?subject=${encodeURIComponent("My invite link")}&body=${words}`;
  }

  #wireSharing() {
    const client = this.#client;
    const link = () => client.inviteLink();
    on(byId("copyInviteLinkBtn"), "click", () => copy(link(), "Invite link"));
    on(byId("headerCopyInvite"), "click", () => copy(link(), "Invite link"));
    on(byId("headerCopyAddress"), "click", () => copy(client.identity.fingerprint, "Address"));
    on(byId("copyPublicKeyBtn"), "click", () => copy(byId("publicKeyShareInput").value, "Public key"));
    on(byId("showInviteQr"), "click", () => showQr("My invite link", link()));
    for (const id of ["inviteLinkInput", "publicKeyShareInput"]) on(byId(id), "focus", (event) => event.target.select());
    byId("shareInviteBtn").hidden = !navigator.share;
    on(byId("shareInviteBtn"), "click", () => share(link()));
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
    this.#router.go(threadPath(contact.fingerprint));
  }

  #refuseEmpty(field, status) {
    say(status, "Paste an invite link, an address or a public key first.", "bad");
    field.focus();
  }
}

async function share(url) {
  try {
    await navigator.share({ title: "Chat with me on io3233", url });
  } catch (error) {
    if (error.name !== "AbortError") notice("This browser could not share. Copy the link instead.");
  }
}
