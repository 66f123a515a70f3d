/** Notifications, for a page and for the service worker; the app's badge; a short beep. */
import { oneLine } from "../protocol/text.js";
import { saidIn } from "../protocol/files.js";
import { displayName, plural } from "../protocol/format.js";

const MOST_THREADS = 8; // more become one summary
const SUMMARY_TAG = "summary";
const UNREAD_TAG = "unread"; // sw.js's: that there are messages, and no more
const QUIET_TAG = "quiet";
const ICON = "/icons/icon-192.png";
const BODY_CHARACTERS = 140;

/** `[{message, contact}]` of those that just came and were not read since. */
export async function toTell(store, messages) {
  const contacts = new Map((await store.contacts()).map((contact) => [contact.fingerprint, contact]));
  return messages
    .map((message) => ({ message, contact: contacts.get(message.contact) }))
    .filter(({ message, contact }) => contact?.unread > 0 && isNews(message) && !contact.muted && !contact.blocked);
}

/** No refusal, line, or message of another device of mine. */
const isNews = ({ direction, kind, event }) => direction === "in" && kind !== "refused" && !event;

/** The latest of each sender, or one summary of many. */
export async function showNotices(registration, arrived, { preview }) {
  const shown = await registration.getNotifications();
  const counts = [...shown.map(({ data }) => data?.counts ?? {}), ...arrived.map(({ contact }) => ({ [contact.fingerprint]: 1 }))].reduce(add, {});
  const many = Object.keys(counts).length > MOST_THREADS || shown.some(({ tag }) => tag === SUMMARY_TAG);
  for (const one of shown) if (many || one.tag === UNREAD_TAG) one.close();
  if (many) return summarize(registration, counts);
  return Promise.all(latestOfEach(arrived).map((one) => showOne(registration, one, counts, preview)));
}

/** A browser that wakes a worker wants to see one, and ends the subscription else. */
export async function showNothing(registration) {
  await registration.showNotification("io3233", { body: "No new messages", tag: QUIET_TAG, silent: true, icon: ICON });
  for (const shown of await registration.getNotifications({ tag: QUIET_TAG })) shown.close();
}

export async function showBadge(number) {
  if (!navigator.setAppBadge) return;
  await navigator.setAppBadge(number).catch((error) => console.debug("No badge:", error.message));
}

const latestOfEach = (arrived) => [...new Map(arrived.map((one) => [one.contact.fingerprint, one])).values()];

/** Also what names no thread. What a summary tells of the others stays. */
async function clearNotices(registration, fingerprint) {
  for (const shown of await registration.getNotifications()) {
    if (shown.tag === UNREAD_TAG) shown.close();
    const { [fingerprint]: read, ...unread } = shown.data?.counts ?? {};
    if (read && total(unread)) await summarize(registration, unread);
    else if (read) shown.close();
  }
}

/** `{fingerprint: number of messages}`, the latest thread last. */
function add(counts, more) {
  const sum = { ...counts };
  for (const [fingerprint, number] of Object.entries(more)) {
    delete sum[fingerprint];
    sum[fingerprint] = (counts[fingerprint] ?? 0) + number;
  }
  return sum;
}

const total = (counts) => Object.values(counts).reduce((sum, number) => sum + number, 0);

/** A later message takes an earlier one's place, and says so. A stranger's comes without a sound. */
function showOne(registration, { message, contact }, counts, preview) {
  const body = (preview && oneLine(saidIn(message), BODY_CHARACTERS)) || "New message";
  const { fingerprint } = contact;
  const number = counts[fingerprint];
  const title = displayName(contact) + (number > 1 ? ` (${number})` : "");
  const options = { tag: `sender-${fingerprint}`, renotify: true, silent: Boolean(contact.request), icon: ICON, data: { counts: { [fingerprint]: number } } };
  return registration.showNotification(title, { body, ...options });
}

function summarize(registration, counts) {
  const body = plural(total(counts), "new message");
  return registration.showNotification("io3233", { body, tag: SUMMARY_TAG, icon: ICON, data: { counts } });
}

// The service worker's registration shows them: they outlive the tab.

const HOME_SCREEN =
  "On an iPhone or iPad, notifications come only from the Home Screen. 1. Press Share, then Add to Home Screen. 2. Open io3233 there, and press the bell.";

export class Notifications {
  #settings;
  #registration;
  #last = Promise.resolve(); // in turn: what is taken away must not be shown a moment later

  /** `registration`: a promise; null where the browser has none. */
  constructor({ settings, registration }) {
    this.#settings = settings;
    this.#registration = registration;
  }

  get supported() {
    return "Notification" in globalThis && "serviceWorker" in navigator;
  }

  /** "default", "granted", "denied" or "unsupported" */
  get permission() {
    return this.supported ? Notification.permission : "unsupported";
  }

  get on() {
    return this.#settings.get("notifications") && this.permission === "granted";
  }

  /** In a tab of an iPhone or iPad: only there is `standalone` false. */
  get needsHomeScreen() {
    return !this.supported && navigator.standalone === false;
  }

  get why() {
    if (this.needsHomeScreen) return HOME_SCREEN;
    if (!this.supported) return "Notifications need a page opened over https (or on this computer itself).";
    return this.permission === "denied" ? "This browser blocks notifications for this page: allow them in its site settings." : "";
  }

  /** From a click. Returns the permission. */
  async enable() {
    if (this.permission === "default") await Notification.requestPermission();
    await this.#settings.set("notifications", this.permission === "granted");
    return this.permission;
  }

  disable() {
    return this.#settings.set("notifications", false);
  }

  show(arrived) {
    if (arrived.length === 0) return this.#last;
    return this.#inTurn((registration) => showNotices(registration, arrived, { preview: this.#settings.get("preview") }));
  }

  clear(fingerprint) {
    return this.#inTurn((registration) => clearNotices(registration, fingerprint));
  }

  #inTurn(work) {
    const turn = async () => {
      const registration = this.on ? await this.#registration : null;
      if (registration) await work(registration);
    };
    this.#last = this.#last.then(turn, turn);
    return this.#last;
  }

  badge(total) {
    return showBadge(total);
  }
}

// Browsers play nothing before the person has touched the page: the audio context is made at the first gesture.

const HERTZ = 880;
const SECONDS = 0.12;
const LOUDNESS = 0.06;

export class Sound {
  #context = null;

  constructor(unlocked) {
    for (const gesture of ["pointerdown", "keydown"]) {
      addEventListener(gesture, () => this.#unlock(unlocked), { once: true, passive: true });
    }
  }

  beep() {
    if (!this.#context) return;
    const now = this.#context.currentTime;
    const [tone, volume] = [this.#context.createOscillator(), this.#context.createGain()];
    tone.frequency.value = HERTZ;
    volume.gain.setValueAtTime(LOUDNESS, now);
    volume.gain.exponentialRampToValueAtTime(0.0001, now + SECONDS);
    tone.connect(volume).connect(this.#context.destination);
    tone.start(now);
    tone.stop(now + SECONDS);
  }

  #unlock(unlocked) {
    if (this.#context || !("AudioContext" in globalThis)) return;
    this.#context = new AudioContext();
    unlocked();
  }
}
