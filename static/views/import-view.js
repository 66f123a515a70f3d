// The dialog that restores a backup. It can be cancelled at any moment, and
// changes nothing before the person has seen what it replaces.
import { formatDateTime, plural } from "../protocol/format.js";
import { showModal } from "./dialogs.js";
import { byId, on, say } from "./dom.js";
import { Progress } from "./progress.js";

const dialog = byId("importDialog");
const progress = new Progress("import");
let source = null; // whoever can open a backup: the client, or what is left where it was lost
let restore = null;

on(byId("importForm"), "submit", (event) => {
  event.preventDefault();
  return restore ? replace() : preview();
});
on(byId("importCancel"), "click", () => dialog.close());
on(dialog, "close", () => {
  progress.cancel();
  byId("importForm").reset(); // no passphrase stays in the page
});

/** Opens the dialog. `from`: an object with openBackup(), see store/backup.js. */
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

// The store's "reset" event then reloads every tab (app.js).
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
  if (opened.unsent) holdings["Not sent yet"] = `${plural(opened.unsent, "message")}: shown as not sent, and sent only when you press Retry`;
  byId("importHolds").replaceChildren(...Object.entries(holdings).flatMap(([term, fact]) => [element("dt", term), element("dd", fact)]));
  byId("importReplaces").textContent = whatGoes(opened);
}

function whatGoes({ same_identity, replaces }) {
  if (!replaces.fingerprint) return "There are no keys here now, so nothing is lost by it.";
  const keys = same_identity ? "The keys stay the same." : "The keys of this device are replaced: export them first if you still need that address.";
  return `It replaces all that is here: ${plural(replaces.contacts, "contact")} and ${plural(replaces.messages, "message")}. ${keys}`;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
