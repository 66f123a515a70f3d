// Who I am, wherever it is shown or copied: the header's buttons, the home
// view's link, the keys view's fingerprint.
import { attempt, byId, on } from "./dom.js";
import { confirmed } from "./questions.js";
import { toBase64 } from "../protocol/encoding.js";
import { copy } from "./toast.js";

export class IdentityView {
  #client;

  constructor(client) {
    this.#client = client;
    const { fingerprint, short, public_key } = client.identity;
    byId("fpFull").textContent = fingerprint;
    byId("fpShort").textContent = short;
    byId("pubKeyB64").textContent = toBase64(public_key);
    byId("publicKeyShareInput").value = toBase64(public_key);
    on(byId("copyPublicKeyBtn"), "click", () => copy(toBase64(public_key), "Public key"));
    on(byId("headerCopyAddress"), "click", () => copy(fingerprint, "Address"));
    for (const id of ["copyInviteLinkBtn", "headerCopyInvite"]) on(byId(id), "click", () => copy(client.inviteLink(), "Invite link"));
    for (const id of ["newKeys", "headerNewKeys"]) on(byId(id), "click", () => this.#replaceKeys());
    for (const [source, type] of [[client.relays, "relays"], [client.settings, "change"]]) on(source, type, () => this.#showLink());
    this.#showLink();
  }

  #showLink() {
    byId("inviteLinkInput").value = this.#client.inviteLink();
  }

  async #replaceKeys() {
    const agreed = await confirmed({
      title: "Make new keys?",
      text: "You get a new address. People who write to the old one no longer reach you, and messages on their way to it are lost: send everybody your new invite link.\n\nHistory and contacts stay. The old keys are gone unless you exported a backup.",
      ok: "Make new keys",
      danger: true,
    });
    if (!agreed) return;
    await attempt(byId("newKeys"), byId("regStatus"), async () => {
      await this.#client.replaceKeys();
      location.reload();
    });
  }
}
