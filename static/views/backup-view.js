// The dialogs that export and import a backup. Both can be cancelled at any
// moment, and an import changes nothing before the person has seen what it
// replaces.
import { showModal } from "./dialogs.js";
import { byId, download, on, say } from "./dom.js";
import { AbortError } from "../protocol/errors.js";
import { formatDateTime, plural } from "../protocol/format.js";

export class BackupView {
  #client;
  #exporting = byId("exportDialog");
  #importing = byId("importDialog");
  #abort = null;
  #restore = null;

  constructor(client) {
    this.#client = client;
    on(byId("exportBackup"), "click", () => this.#openExport());
    on(byId("importBackup"), "click", () => this.#openImport());
    on(byId("exportForm"), "submit", (event) => this.#export(event));
    on(byId("importForm"), "submit", (event) => this.#import(event));
    for (const [id, dialog] of [["exportCancel", this.#exporting], ["importCancel", this.#importing]]) on(byId(id), "click", () => dialog.close());
    for (const dialog of [this.#exporting, this.#importing]) on(dialog, "close", () => this.#abort?.abort());
  }

  #openExport() {
    byId("exportForm").reset();
    say(byId("exportStatus"), "");
    showModal(this.#exporting);
  }

  async #export(event) {
    event.preventDefault();
    const status = byId("exportStatus");
    const passphrase = byId("exportPass").value;
    if (passphrase !== byId("exportPassAgain").value) return this.#mistyped(status);
    const history = byId("exportHistory").checked;
    const blob = await this.#run("export", (options) => this.#client.exportBackup(passphrase, { history, ...options }));
    if (!blob) return undefined;
    download({ name: this.#client.backupName(), blob });
    this.#exporting.close();
    return say(byId("backupStatus"), "Backup exported. Keep the file and the passphrase in different places.", "good");
  }

  #mistyped(status) {
    say(status, "The two passphrases differ: type the same one twice.", "bad");
    byId("exportPassAgain").focus();
  }

  #openImport() {
    byId("importForm").reset();
    say(byId("importStatus"), "");
    this.#setRestore(null);
    showModal(this.#importing);
  }

  #setRestore(restore) {
    this.#restore = restore;
    byId("importAsk").hidden = Boolean(restore);
    byId("importPreview").hidden = !restore;
    byId("importGo").textContent = restore ? "Replace with this backup" : "Open";
    byId("importGo").className = `button ${restore ? "danger" : "primary"}`;
  }

  #import(event) {
    event.preventDefault();
    return this.#restore ? this.#apply() : this.#preview();
  }

  async #preview() {
    const [file] = byId("importFile").files;
    if (!file) return say(byId("importStatus"), "Choose the backup file first.", "bad");
    const restore = await this.#run("import", (options) => this.#client.openBackup(file, byId("importPass").value, options));
    if (!restore || !this.#importing.open) return undefined;
    this.#setRestore(restore);
    showHoldings(restore);
    return byId("importCancel").focus();
  }

  // The store's "reset" event then reloads every tab (app.js).
  async #apply() {
    await this.#run("import", (options) => this.#restore.apply(options));
  }

  /** Runs a task with its progress bar; undefined when it failed or was cancelled. */
  async #run(kind, task) {
    const progress = byId(`${kind}Progress`);
    const button = byId(`${kind}Go`);
    const status = byId(`${kind}Status`);
    this.#abort = new AbortController();
    progress.hidden = false;
    progress.value = 0;
    button.disabled = true;
    say(status, "Working…");
    try {
      return await task({ signal: this.#abort.signal, onProgress: (fraction) => (progress.value = fraction) });
    } catch (error) {
      say(status, error instanceof AbortError ? "Cancelled: nothing was changed." : error.message, "bad");
      return undefined;
    } finally {
      if (status.textContent === "Working…") say(status, "");
      progress.hidden = true;
      button.disabled = false;
      this.#abort = null;
    }
  }
}

function showHoldings(restore) {
  const holdings = {
    Address: `3233:${restore.fingerprint.slice(0, 32)}`,
    Made: formatDateTime(new Date(restore.created_at)),
    Contacts: plural(restore.contacts, "contact"),
    Relays: plural(restore.relays, "relay"),
    History: restore.history ? plural(restore.messages, "message") : "not in this backup",
  };
  byId("importHolds").replaceChildren(...Object.entries(holdings).flatMap(([term, fact]) => [element("dt", term), element("dd", fact)]));
  byId("importReplaces").textContent = whatGoes(restore);
}

function whatGoes({ same_identity, replaces }) {
  const keys = same_identity ? "The keys stay the same." : "The keys of this device are replaced: export them first if you still need that address.";
  return `It replaces all that is here: ${plural(replaces.contacts, "contact")} and ${plural(replaces.messages, "message")}. ${keys}`;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
