// The dialogs that make and restore a backup. Both can be cancelled at any moment.
import { onClose, showModal } from "./dialogs.js";
import { attempt, byId, describe, download, on, say } from "./dom.js";
import { sixWords } from "../protocol/kdf.js";
import { MOST_BACKUP_FILES_BYTES } from "../protocol/files.js";
import { formatBytes, formatDateTime, plural } from "../protocol/format.js";
import { AbortError } from "../protocol/errors.js";

class Progress {
  #bar;
  #button;
  #status;
  #abort = null;

  constructor(kind) {
    this.#bar = byId(`${kind}Progress`);
    this.#button = byId(`${kind}Go`);
    this.#status = byId(`${kind}Status`);
  }

  cancel() {
    this.#abort?.abort();
  }

  /** `task({signal, onProgress})`; undefined when it failed or was cancelled. */
  async run(task) {
    this.#abort = new AbortController();
    this.#show(true);
    say(this.#status, "Working…");
    try {
      const value = await task({ signal: this.#abort.signal, onProgress: (fraction) => (this.#bar.value = fraction) });
      say(this.#status, "");
      return value;
    } catch (error) {
      say(this.#status, error instanceof AbortError ? "Cancelled: nothing was changed." : error.message, "bad");
      return undefined;
    } finally {
      this.#show(false);
      this.#abort = null;
    }
  }

  #show(working) {
    this.#bar.hidden = !working;
    this.#bar.value = 0;
    this.#button.disabled = working;
  }
}

export class ExportView {
  #client;
  #dialog = byId("exportDialog");
  #progress = new Progress("export");
  #cleared = 0; // times

  constructor(client) {
    this.#client = client;
    on(byId("exportBackup"), "click", () => this.#open());
    on(byId("exportSuggest"), "click", ({ target }) => attempt(target, byId("exportStatus"), () => this.#suggest()));
    on(byId("exportForm"), "submit", (event) => this.#export(event));
    on(byId("exportHistory"), "change", ({ target }) => (byId("exportFiles").disabled = !target.checked));
    on(byId("exportCancel"), "click", () => this.#dialog.close());
    onClose(this.#dialog, () => this.#clear());
  }

  async #open() {
    this.#clear();
    say(byId("exportStatus"), "");
    byId("exportFiles").disabled = false;
    showModal(this.#dialog);
    const bytes = (await this.#client.files.kept()).reduce((sum, chat) => sum + chat.bytes, 0);
    byId("exportFilesRow").hidden = bytes === 0;
    byId("exportFilesSize").textContent = sizeOf(bytes);
  }

  // No passphrase stays in the page.
  #clear() {
    this.#cleared += 1;
    this.#progress.cancel();
    byId("exportForm").reset();
    this.#conceal(true);
  }

  async #suggest() {
    const cleared = this.#cleared;
    const words = await sixWords();
    if (cleared !== this.#cleared) return;
    byId("exportPass").value = words;
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
    const files = history && byId("exportFiles").checked;
    const blob = await this.#progress.run((options) => this.#client.exportBackup(passphrase, { history, files, ...options }));
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

/** Octets are written in base64 twice. */
function sizeOf(bytes) {
  const most = MOST_BACKUP_FILES_BYTES;
  const grows = `The backup gets about ${formatBytes((Math.min(bytes, most) * 16) / 9)} larger.`;
  return bytes > most ? `The newest ${formatBytes(most)} of ${formatBytes(bytes)}. ${grows} Save the others one by one.` : grows;
}

// Nothing is changed before the person has seen what is replaced.

const dialog = byId("importDialog");
const progress = new Progress("import");
let source = null; // has openBackup(): the client, or store/backup.js's Lost
let restore = null;

on(byId("importForm"), "submit", (event) => {
  event.preventDefault();
  return restore ? replace() : preview();
});
on(byId("importCancel"), "click", () => dialog.close());
onClose(dialog, () => {
  progress.cancel();
  byId("importForm").reset(); // no passphrase stays in the page
});

export function importBackup(from) {
  source = from;
  say(byId("importStatus"), "");
  arm(null);
  showModal(dialog);
}

function arm(opened) {
  restore = opened;
  byId("importAsk").hidden = Boolean(opened);
  byId("importPreview").hidden = !opened;
  byId("importGo").textContent = opened ? "Replace with this backup" : "Open";
  byId("importGo").className = `button ${opened ? "danger" : "primary"}`;
}

async function preview() {
  const [file] = byId("importFile").files;
  if (!file) return say(byId("importStatus"), "Choose the backup file first.", "bad");
  const opened = await progress.run((options) => source.openBackup(file, byId("importPass").value, options));
  if (!opened || !dialog.open) return undefined;
  byId("importPass").value = "";
  showHoldings(opened);
  arm(opened);
  return byId("importCancel").focus();
}

function replace() {
  return progress.run((options) => restore.apply(options));
}

function showHoldings(opened) {
  const holdings = {
    Address: `3233:${opened.fingerprint.slice(0, 32)}`,
    Made: formatDateTime(new Date(opened.created_at)),
    Contacts: plural(opened.contacts, "contact"),
    Servers: plural(opened.relays, "server"),
    History: opened.history ? plural(opened.messages, "message") : "not in this backup",
  };
  if (opened.files) holdings.Files = opened.files_here ? `${opened.files_here} of ${plural(opened.files, "file")}` : "not in this backup";
  if (opened.unsent) holdings["Not sent yet"] = `${plural(opened.unsent, "message")}: shown as not sent, and sent only when you press Retry`;
  describe(byId("importHolds"), Object.entries(holdings));
  byId("importReplaces").textContent = whatGoes(opened);
}

function whatGoes({ same_identity, replaces }) {
  if (!replaces.fingerprint) return "There are no keys here now, so nothing is lost by it.";
  const keys = same_identity ? "The keys stay the same." : "The keys of this device are replaced: export them first if you still need that address.";
  return `It replaces all that is here: ${plural(replaces.contacts, "contact")} and ${plural(replaces.messages, "message")}. ${keys}`;
}
