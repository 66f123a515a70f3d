// My keys, the secret one only when asked for; who I am by them; and what can be done where they were lost.
import { toBase64 } from "../protocol/encoding.js";
import { InviteNeededError, OlderProofError, RelayKeyChangedError } from "../protocol/errors.js";
import { confirmed, copy, notice } from "./dialogs.js";
import { attempt, byId, download, on, say } from "./dom.js";
import { ExportView, importBackup } from "./export-view.js";
import { drawQr } from "./media.js";
import { addRelay } from "./server-view.js";

export class KeysView {
  #client;

  constructor(client) {
    this.#client = client;
    on(byId("dlPublic"), "click", () => this.#downloadPublic());
    on(byId("dlPrivate"), "click", () => this.#downloadSecret());
    on(byId("showSecret"), "click", () => this.#showSecret(byId("privKeyB64").hidden));
    on(byId("registerBtn"), "click", () => this.#register());
    on(byId("importBackup"), "click", () => importBackup(client));
    new ExportView(client);
  }

  async show() {
    await drawQr(byId("qrContact"), this.#client.inviteLink());
    await drawQr(byId("qrPublic"), toBase64(this.#client.identity.public_key));
  }

  hide() {
    this.#showSecret(false);
  }

  // Not in the page until asked for, and gone when the view is left.
  #showSecret(shown) {
    const box = byId("privKeyB64");
    box.hidden = !shown;
    box.textContent = shown ? toBase64(this.#client.identity.secret_key) : "";
    byId("showSecret").textContent = shown ? "Hide" : "Show";
    byId("showSecret").setAttribute("aria-expanded", shown);
  }

  #downloadPublic() {
    const { fingerprint, public_key } = this.#client.identity;
    download(keyFile(fingerprint, "public", public_key));
  }

  async #downloadSecret() {
    const agreed = await confirmed({
      title: "Download the secret key unprotected?",
      text: "The file is not encrypted: whoever opens it reads your messages and writes in your name. A backup with a passphrase is safer.",
      ok: "Download",
      danger: true,
    });
    if (!agreed) return;
    const { fingerprint, secret_key } = this.#client.identity;
    download(keyFile(fingerprint, "secret", secret_key));
  }

  async #register() {
    const status = byId("regStatus");
    say(status, "Registering…");
    const done = await attempt(byId("registerBtn"), status, () => this.#registerOrAsk());
    if (done === null) say(status, "Nothing was changed.");
    if (done) say(status, `Registered with ${this.#client.relays.home}.`, "good");
  }

  async #registerOrAsk() {
    try {
      await this.#client.membership.reregister();
      return true;
    } catch (error) {
      const asks = [OlderProofError, InviteNeededError, RelayKeyChangedError].some((kind) => error instanceof kind);
      if (!asks) throw error;
      return addRelay(this.#client, this.#client.relays.home);
    }
  }
}

function keyFile(fingerprint, kind, bytes) {
  return { name: `io3233-${fingerprint.slice(0, 8)}-${kind}-key.txt`, blob: new Blob([`${toBase64(bytes)}\n`], { type: "text/plain" }) };
}

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
      notice("Making new keys…");
      await this.#client.replaceKeys().catch((error) => {
        notice(`No new keys were made. ${error.message}`);
        throw error;
      });
    });
  }
}

// The browser deleted what was kept here: what can be done before any new key is made.

export class LostView {
  #lost;

  constructor(lost) {
    this.#lost = lost;
    byId("lostAddress").textContent = lost.short;
    byId("lostKeep").hidden = !lost.hasKeys;
    on(byId("lostRestore"), "click", () => importBackup(lost));
    on(byId("lostKeep"), "click", ({ target }) => attempt(target, byId("lostStatus"), () => lost.keepKeys()));
    on(byId("lostAnew"), "click", ({ target }) => attempt(target, byId("lostStatus"), () => this.#startAnew()));
    lost.onReset(() => location.reload());
    document.body.toggleAttribute("data-lost", true);
    byId("lostTitle").focus();
  }

  async #startAnew() {
    const agreed = await confirmed({
      title: "Start with new keys?",
      text: `You get a new address. Whoever writes to ${this.#lost.short} no longer reaches you, and messages that wait there can't be read, unless you restore a backup later.`,
      ok: "Start anew",
      danger: true,
    });
    if (agreed) await this.#lost.startAnew();
  }
}
