// The dialog that makes a backup. It can be cancelled at any moment.
import { showModal } from "./dialogs.js";
import { attempt, byId, download, on, say } from "./dom.js";
import { sixWords } from "../protocol/passphrase.js";
import { Progress } from "./progress.js";

export class ExportView {
  #client;
  #dialog = byId("exportDialog");
  #progress = new Progress("export");

  constructor(client) {
    this.#client = client;
    on(byId("exportBackup"), "click", () => this.#open());
    on(byId("exportSuggest"), "click", ({ target }) => attempt(target, byId("exportStatus"), () => this.#suggest()));
    on(byId("exportForm"), "submit", (event) => this.#export(event));
    on(byId("exportCancel"), "click", () => this.#dialog.close());
    on(this.#dialog, "close", () => this.#closed());
  }

  #open() {
    say(byId("exportStatus"), "");
    showModal(this.#dialog);
  }

  // No passphrase stays in the page.
  #closed() {
    this.#progress.cancel();
    byId("exportForm").reset();
    this.#conceal(true);
  }

  async #suggest() {
    byId("exportPass").value = await sixWords();
    this.#conceal(false);
    byId("exportPassAgain").focus();
  }

  #conceal(concealed) {
    byId("exportPass").type = concealed ? "password" : "text";
    byId("exportSuggestHelp").hidden = concealed;
  }

  async #export(event) {
    event.preventDefault();
    const status = byId("exportStatus");
    const passphrase = byId("exportPass").value;
    if (passphrase !== byId("exportPassAgain").value) return this.#mistyped(status);
    const history = byId("exportHistory").checked;
    const blob = await this.#progress.run((options) => this.#client.exportBackup(passphrase, { history, ...options }));
    if (!blob) return undefined;
    download({ name: this.#client.backupName(), blob });
    this.#dialog.close();
    await this.#client.settings.set("backed_up", true);
    return say(byId("backupStatus"), "Backup exported. Keep the file and the passphrase in different places.", "good");
  }

  #mistyped(status) {
    say(status, "The two passphrases differ: type the same one twice.", "bad");
    byId("exportPassAgain").focus();
  }
}
