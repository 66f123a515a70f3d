/** Puts the parts together. One direction: connection → inbox → store event → view; person → view → outbox → store. */
import { SharedKeys } from "./protocol/crypto.js";
import { Changes } from "./mail/changes.js";
import { Contacts } from "./relay/contacts.js";
import { Files } from "./mail/files.js";
import { Lost, exportBackup, findLost, openBackup } from "./store/backup.js";
import { ServiceWorkerUpdates, clientHashes, forgetShared, takeShared } from "./device/service-worker.js";
import { Database } from "./store/database.js";
import { Drafts, Settings } from "./store/person.js";
import { loadIdentity, replaceIdentity } from "./store/identity.js";
import { Inbox } from "./mail/inbox.js";
import { makeInviteLink } from "./protocol/address.js";
import { Membership, Push } from "./relay/membership.js";
import { Notifications, Sound, toTell } from "./device/notifications.js";
import { Outbox } from "./mail/outbox.js";
import { Persistence, localItems } from "./store/browser.js";
import { Relays } from "./relay/relays.js";
import { Session } from "./relay/session.js";
import { Store } from "./store/store.js";
import { Tabs, Waking } from "./device/tabs.js";
import { Tokens } from "./relay/tokens.js";

export class Client extends EventTarget {
  static get storage() {
    return Database.shared;
  }

  /** Whose keys were here and are gone, and what can be done; or null. */
  static async lost() {
    return findLost(await Database.open());
  }

  /** Takes over old data, makes keys. Throws StorageError. */
  static async open({ origin = location.origin } = {}) {
    const store = new Store(await Database.open());
    const identity = await loadIdentity(store, localItems(), origin);
    const [settings, drafts] = await Promise.all([Settings.load(store, { home: origin }), Drafts.load(store)]);
    const client = new Client({ store, identity, settings, drafts });
    await client.relays.load();
    return client;
  }

  constructor({ store, identity, settings, drafts }) {
    super();
    const sharedKeys = new SharedKeys(identity.secret_key);
    const tabs = new Tabs();
    const openSession = (origin) => {
      const parts = { origin, store, relays, identity, sharedKeys, settings, reading: () => tabs.reading() };
      return new Session({ origin, inbox: new Inbox(parts), pass: () => relays.pass(origin) });
    };
    const tokens = new Tokens(store, identity);
    const relays = new Relays({ store, settings, tokens, openSession });
    const registration = new Promise((resolve) => (this.#registered = resolve));
    Object.assign(this, { store, identity, settings, drafts, tabs, relays });
    this.membership = new Membership({ store, settings, tokens, relays });
    this.contacts = new Contacts({ store, relays, identity });
    this.changes = new Changes({ store, relays, settings, identity, reading: () => tabs.visible && tabs.thread });
    this.outbox = new Outbox({ store, drafts, relays, identity, sharedKeys, tab: tabs.sender, myName: () => settings.get("name") });
    this.files = new Files(store);
    this.notifications = new Notifications({ settings, registration });
    this.updates = new ServiceWorkerUpdates();
    const manager = registration.then((registered) => registered?.pushManager);
    this.push = new Push({ store, relays, manager, wanted: () => this.notifications.on });
    this.persistence = new Persistence();
    this.sound = new Sound(() => tabs.becomeAudible());
    this.waking = new Waking();
    this.#listen();
  }

  #registered;
  #told = Promise.resolve(); // once what came last is shown

  /** Once the views listen: leads when it is this tab's turn, registers, connects, sends what is queued. */
  start() {
    this.#listenToServiceWorker(navigator.serviceWorker);
    this.#registered(this.updates.register());
    this.tabs.lead(() => this.#lead(), () => this.#follow());
    this.persistence.ask();
    this.#showBadge(); // the icon may have the number of a database that was lost, or replaced
  }

  get missing() {
    if (globalThis.isSecureContext) return [];
    return ["This page is open over plain http, so there are no notifications, no offline start and no install: open it over https for these."];
  }

  /** A relay that knows no bound proof serves the original page. */
  inviteLink() {
    const { home } = this.relays;
    return makeInviteLink(this.identity.fingerprint, home, { older: this.relays.get(home)?.bound === false, name: this.settings.get("name") });
  }

  exportBackup(passphrase, options) {
    return exportBackup(this.store, passphrase, options);
  }

  /** Keys that it would replace say goodbye before. */
  async openBackup(file, passphrase, options) {
    const opened = await openBackup(this.store, file, passphrase, options);
    return opened.same_identity ? opened : { ...opened, apply: (how) => this.outbox.leave(() => opened.apply(how), how) };
  }

  get dropped() {
    return new Lost(this.store, this.identity.short, this.identity);
  }

  takeShared = takeShared;
  forgetShared = forgetShared;

  /** Once the person says so: the composer's views listen. */
  offerShared(shared) {
    this.#tell("shared", shared);
  }

  hashes() {
    return clientHashes();
  }

  backupName() {
    return `io3233-${this.identity.fingerprint.slice(0, 8)}-${new Date().toISOString().slice(0, 10)}.backup.json`;
  }

  /** History and contacts stay. All tabs get "replaced". Takes some seconds where a server is away. */
  async replaceKeys() {
    await this.outbox.leave(() => replaceIdentity(this.store));
    this.tabs.emit("identity-replaced");
  }

  /** On screen, or null: at every change of view or thread. */
  showThread(fingerprint) {
    this.tabs.show(fingerprint);
    return this.#markShownRead();
  }

  #lead() {
    this.relays.lead();
    this.outbox.lead();
  }

  #follow() {
    this.relays.follow();
    this.outbox.follow();
  }

  #listen() {
    this.store.addEventListener("messages", ({ detail, remote }) => detail.received && (this.#told = this.#arrived(detail.messages, remote)));
    this.store.addEventListener("unread", ({ detail }) => this.notifications.badge(detail.total));
    this.store.addEventListener("contact-removed", ({ detail, remote }) => remote || this.notifications.clear(detail.fingerprint));
    this.tabs.addEventListener("beep", ({ detail }) => detail.id === this.tabs.id && this.sound.beep());
    this.tabs.addEventListener("identity-replaced", () => this.#tell("replaced"));
    this.relays.addEventListener("asked", () => this.push.sync());
    this.settings.addEventListener("change", () => this.tabs.leading && this.push.sync());
    this.waking.addEventListener("woke", () => this.#cameBack());
    Database.shared.addEventListener("state", () => Database.shared.state === "open" && this.#canStoreAgain());
  }

  /** The tab that stored them speaks for all. */
  async #arrived(messages, remote) {
    this.#markShownRead();
    if (remote) return;
    const unseen = await toTell(this.store, messages);
    if (unseen.some(({ contact }) => !contact.request) && this.settings.get("sound")) this.tabs.beep();
    await this.notifications.show(unseen);
  }

  #cameBack() {
    this.relays.wake();
    this.#markShownRead();
  }

  async #showBadge() {
    await this.notifications.badge((await this.store.unread()).total);
  }

  #canStoreAgain() {
    this.relays.wake();
    this.outbox.wake();
  }

  async #markShownRead() {
    const { thread, visible } = this.tabs;
    if (!thread || !visible) return;
    // Asking what is shown while something is being shown can lose that in Chromium.
    const read = await this.store.markRead(thread);
    await this.changes.confirm(thread, { reading: true });
    if (read) await this.notifications.clear(thread);
  }

  /** Who answers "who-opens" opens the thread: a page that is still loading, or is not ours, can't. */
  #listenToServiceWorker(worker) {
    worker?.addEventListener("message", ({ data, ports }) => {
      if (data.type === "who-opens") ports[0].postMessage({ type: "here" });
      if (data.type === "open-thread") this.#tell(data.type, { fingerprint: data.fingerprint });
      if (data.type === "push") this.push.receive(ports[0], this.tabs.leading, () => this.#told);
    });
  }

  #tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
