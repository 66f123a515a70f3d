/**
 * The service worker as a module: sw.js, and what reads mail when a push says that some waits. A tab does it where one is awake, for it
 * holds the relay's socket and knows what is on screen; else it is done here, with the modules of the page and under the tabs' lock.
 */
import "./sw.js";
import { SharedKeys } from "./protocol/crypto.js";
import { Database } from "./store/database.js";
import { Settings } from "./store/person.js";
import { Store } from "./store/store.js";
import { Push } from "./relay/membership.js";
import { Relays } from "./relay/relays.js";
import { Tokens } from "./relay/tokens.js";
import { Inbox } from "./mail/inbox.js";
import { showBadge, showNothing, showNotices, toTell } from "./device/notifications.js";
import { LEADER_LOCK } from "./device/tabs.js";
import { ClientError } from "./protocol/errors.js";

export const VERSION = "4a350e4c0c3e2f04"; // Chromium looks for a newer version of this file alone, not of what it imports

const ANSWER_WITHIN_MS = 2500; // hidden tabs run their timers once a second
const READ_WITHIN_MS = 25_000; // browsers end a worker that takes much longer

let last = Promise.resolve(); // one push after the other

/** Resolves to false where there may be mail that nobody has been told of. */
self.readMail = () => {
  last = last.then(readMail);
  return last;
};
self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(withClient(({ push }) => push.sync())));

async function readMail() {
  const tabs = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const answers = await Promise.all(tabs.map(askTab));
  const read = answers.find((answer) => answer !== null) ?? (await readAlone());
  const visible = tabs.some(({ visibilityState }) => visibilityState === "visible");
  if (read && !visible && (await self.registration.getNotifications()).length === 0) await showNothing(self.registration);
  return read || visible;
}

/** Whether the tab read all mail, or null: it does not lead, is frozen, or none of ours. */
function askTab(tab) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    let late = setTimeout(resolve, ANSWER_WITHIN_MS, null);
    port1.onmessage = ({ data }) => {
      clearTimeout(late);
      if (data.type === "reads") late = setTimeout(resolve, READ_WITHIN_MS, false);
      else resolve(data.all ?? null);
    };
    tab.postMessage({ type: "push" }, [port2]);
  });
}

/** A tab that holds the lock did not answer. One that comes meanwhile may take it again, and reads then. */
async function readAlone() {
  try {
    return await navigator.locks.request(LEADER_LOCK, { steal: true }, () => withinTime(withClient(readAndTell)));
  } catch (error) {
    if (error.name === "AbortError") return true;
    if (!(error instanceof ClientError)) console.error(error);
    return false;
  }
}

const withinTime = (work) => Promise.race([work.then(() => true), new Promise((resolve) => setTimeout(resolve, READ_WITHIN_MS, false))]);

/** Runs `work` with the parts of client.js that a worker needs, as they are stored now. */
async function withClient(work) {
  const store = new Store(await Database.open());
  const identity = await store.value("identity");
  const settings = await Settings.load(store, { home: self.location.origin });
  const relays = new Relays({ store, settings, tokens: new Tokens(store, identity), openSession: () => null });
  const wanted = () => settings.get("notifications") && Notification.permission === "granted";
  const push = new Push({ store, relays, manager: self.registration.pushManager, wanted });
  try {
    return await work({ store, identity, settings, relays, push, wanted });
  } finally {
    for (const shared of [store, settings, relays]) shared.close();
  }
}

async function readAndTell({ store, identity, settings, relays, wanted }) {
  const arrived = [];
  store.addEventListener("messages", ({ detail, remote }) => remote || arrived.push(...detail.messages));
  const reading = async () => () => new Set(); // no tab is awake
  const sharedKeys = new SharedKeys(identity.secret_key);
  await new Inbox({ origin: relays.home, store, relays, identity, sharedKeys, settings, reading }).drain();
  const told = await toTell(store, arrived);
  if (wanted() && told.length > 0) await showNotices(self.registration, told, { preview: settings.get("preview") });
  await showBadge((await store.unread()).total);
}
