// My keys: their QR codes and files, the secret one only when asked for.
import { ExportView } from "./export-view.js";
import { importBackup } from "./import-view.js";
import { attempt, byId, download, on, say } from "./dom.js";
import { toBase64 } from "../protocol/encoding.js";
import { InviteNeededError, OlderProofError, RelayKeyChangedError } from "../protocol/errors.js";
import { drawQr } from "./qr.js";
import { confirmed } from "./questions.js";
import { addRelay } from "./relay-questions.js";

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

  // Not in the page at all until asked for, and gone when the view is left.
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

/** `{name, blob}`: a key as one line of base64. */
function keyFile(fingerprint, kind, bytes) {
  return { name: `io3233-${fingerprint.slice(0, 8)}-${kind}-key.txt`, blob: new Blob([`${toBase64(bytes)}\n`], { type: "text/plain" }) };
}
