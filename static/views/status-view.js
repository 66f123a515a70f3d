// What the page says about itself: its state, what came and failed, its version, what is wrong with storage.
import { oneLine } from "../protocol/text.js";
import { saidIn } from "../protocol/files.js";
import { displayName, formatCount, plural } from "../protocol/format.js";
import { VERSION } from "../version.js";
import { attempt, byId, clone, debounce, on, say } from "./dom.js";
import { toTell } from "./message-row.js";
import { NEEDS_ANSWER, addRelay, showState } from "./server-view.js";
import { announce } from "./dialogs.js";

export class StatusView {
  #client;
  #router;
  #announcer;

  constructor(client, router) {
    this.#client = client;
    this.#router = router;
    this.#announcer = new Announcer(client.store);
    on(client.relays, "relays", () => this.#showRelays());
    on(client.store, "unread", ({ detail }) => this.#showUnread(detail.total));
    on(client.store, "messages", ({ detail }) => detail.received && this.#announcer.gather(detail.messages));
    on(client.store, "message", ({ detail }) => this.#tellFailure(detail.message));
    on(byId("relayNoticeBtn"), "click", ({ target }) => this.#answer(target));
    on(client.updates, "update-ready", () => (byId("updateNotice").hidden = false));
    on(byId("updateNow"), "click", () => client.updates.apply());
    this.#showMissing(client.missing);
    this.#showRelays();
  }

  async load() {
    this.#showUnread((await this.#client.store.unread()).total);
  }

  #showUnread(total) {
    this.#router.unread = total;
    byId("tabUnread").hidden = total === 0;
    byId("tabUnread").textContent = total > 99 ? "99+" : total;
    byId("tabUnread").setAttribute("aria-label", `${total} unread`);
  }

  #showMissing(missing) {
    byId("contextNotice").textContent = missing.join(" ");
    byId("contextNotice").hidden = missing.length === 0;
  }

  #showRelays() {
    const { state, message } = this.#client.relays.overall;
    showState(byId("liveIndicator"), state);
    byId("liveHint").textContent = message;
    byId("live").title = message;
    this.#showQuestion(this.#client.relays.list().find((relay) => NEEDS_ANSWER.has(relay.state)) ?? this.#mayHaveMoved());
  }

  /** After a restore at a server's new address, home is the old one. */
  #mayHaveMoved() {
    const { relays } = this.#client;
    const { origin } = location;
    if (relays.overall.state !== "offline" || relays.get(origin)) return undefined;
    return { origin, message: `${relays.home} can't be reached, and this page comes from ${origin}. If your server moved here, use this address:` };
  }

  #showQuestion(relay) {
    const bar = byId("relayNotice");
    bar.hidden = !relay;
    bar.dataset.origin = relay?.origin ?? "";
    byId("relayNoticeText").textContent = relay?.message ?? "";
  }

  async #answer(button) {
    const line = byId("relayNoticeText");
    const relay = await attempt(button, line, () => addRelay(this.#client, byId("relayNotice").dataset.origin));
    if (relay) line.classList.remove("bad"), this.#showRelays();
  }

  #tellFailure(message) {
    if (message.state === "failed") announce(`A message was not sent: ${message.error}`);
  }
}

const GATHER_MS = 400; // those that come together are told together
const SPOKEN_CHARACTERS = 200;

class Announcer {
  #store;
  #arrived = [];
  #tell = debounce(() => this.#tellArrived(), GATHER_MS);

  constructor(store) {
    this.#store = store;
  }

  gather(messages) {
    this.#arrived.push(...messages.filter(({ direction }) => direction === "in"));
    this.#tell();
  }

  async #tellArrived() {
    const arrived = this.#arrived.splice(0);
    const contacts = await Promise.all([...new Set(arrived.map(({ contact }) => contact))].map((key) => this.#store.contact(key)));
    const heard = new Map(contacts.filter((contact) => contact && !contact.muted && !contact.blocked).map((contact) => [contact.fingerprint, displayName(contact)]));
    const told = arrived.filter(({ contact }) => heard.has(contact));
    const lines = told.filter(({ event }) => event).map((line) => toTell(line, heard.get(line.contact))); // it may stand in many chats
    const sentences = [...new Set(lines), wordsFor(told.filter(({ event }) => !event), heard)].filter(Boolean);
    if (sentences.length > 0) announce(sentences.join(" "));
  }
}

function wordsFor(messages, names) {
  const [message] = messages;
  if (messages.length > 1) return `${plural(messages.length, "new message")} from ${[...new Set(messages.map(({ contact }) => names.get(contact)))].join(", ")}`;
  if (!message) return "";
  const words = message.kind === "text" && !message.deleted_at ? saidIn(message) : toTell(message);
  return `${names.get(message.contact)}: ${oneLine(words, SPOKEN_CHARACTERS)}`;
}

export class AboutView {
  #client;

  constructor(client) {
    this.#client = client;
    byId("aboutClientVersion").textContent = VERSION;
    byId("aboutOrigin").textContent = location.origin;
    on(byId("showHashes"), "click", () => this.#showHashes());
  }

  show() {
    const home = this.#client.relays.get(this.#client.relays.home);
    byId("aboutRelayVersion").textContent = home?.version ?? "not known yet";
  }

  async #showHashes() {
    const status = byId("hashStatus");
    say(status, "Fetching and hashing…");
    const hashes = await attempt(byId("showHashes"), status, () => this.#client.hashes());
    if (!hashes) return;
    byId("hashRows").replaceChildren(...hashes.files.map(row));
    byId("hashTable").hidden = false;
    byId("showHashes").setAttribute("aria-expanded", "true");
    say(status, `All files together: ${hashes.combined}`);
  }
}

function row({ path, bytes, sha256 }) {
  const made = clone("hashRowTemplate");
  const [file, size, sum] = made.children;
  file.textContent = path;
  size.textContent = formatCount(bytes);
  sum.firstChild.textContent = sha256;
  return made;
}

const RELOAD_HELPS = new Set(["stuck", "outdated"]);
const NO_KEYS = "no keys: see above";

export class StorageView {
  #storage;

  constructor(storage) {
    this.#storage = storage;
    on(storage, "state", () => this.#show());
    on(byId("storageReload"), "click", () => location.reload());
    this.#show();
  }

  #show() {
    const { state, message } = this.#storage;
    byId("storageNotice").hidden = !message;
    byId("storageNoticeText").textContent = message;
    byId("storageReload").hidden = !RELOAD_HELPS.has(state);
    for (const id of ["inviteLinkInput", "publicKeyShareInput"]) byId(id).placeholder = message ? NO_KEYS : "making keys…";
  }
}
