/** Notifications, shown by the service worker's registration so that they outlive the tab, and the app badge. */
import { shortForm } from "./encoding.js";

const MOST_SINGLE = 3; // on screen at once; more become one summary
const SUMMARY_TAG = "summary";
const ICON = "/icons/icon-192.png";

export class Notifications {
  #settings;
  #registration;

  /** `registration`: a promise of the ServiceWorkerRegistration, or of null where the browser has none. */
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

  /** Why there are none: a sentence, or "". */
  get why() {
    if (!this.supported) return "Notifications need a page opened over https (or on this computer itself).";
    return this.permission === "denied" ? "This browser blocks notifications for this page: allow them in its site settings." : "";
  }

  /** Asks the browser, so call it from a click. Returns the permission. */
  async enable() {
    if (this.permission === "default") await Notification.requestPermission();
    await this.#settings.set("notifications", this.permission === "granted");
    return this.permission;
  }

  disable() {
    return this.#settings.set("notifications", false);
  }

  /** Shows messages, `[{message, contact}]`: one each, or one summary when they are many. */
  async show(arrived) {
    const registration = this.on && arrived.length > 0 ? await this.#registration : null;
    if (!registration) return;
    const shown = await registration.getNotifications();
    const total = shown.reduce((sum, { data }) => sum + (data?.count ?? 1), 0) + arrived.length;
    if (total > MOST_SINGLE) await this.#summarize(registration, shown, total, arrived);
    else for (const one of arrived) await this.#showOne(registration, one);
  }

  /** Takes away what is shown for a thread that was read. */
  async clear(fingerprint) {
    const registration = this.supported ? await this.#registration : null;
    for (const shown of (await registration?.getNotifications()) ?? []) {
      if (shown.data?.fingerprint === fingerprint || shown.tag === SUMMARY_TAG) shown.close();
    }
  }

  /** The app icon's badge, where there is one. */
  async badge(total) {
    if (!navigator.setAppBadge) return;
    await navigator.setAppBadge(total).catch((error) => console.debug("No badge:", error.message)); // not installed
  }

  #showOne(registration, { message, contact }) {
    const name = contact.name || shortForm(contact.fingerprint).slice(0, 13);
    const body = this.#settings.get("preview") ? message.text || "New message" : "New message";
    const data = { fingerprint: contact.fingerprint, relay: contact.relay, count: 1 };
    return registration.showNotification(name, { body, tag: `message-${message.seq}`, icon: ICON, data });
  }

  /** Its one tag makes a later summary replace an earlier one. */
  #summarize(registration, shown, count, arrived) {
    for (const one of shown) one.close();
    const { fingerprint, relay } = arrived.at(-1).contact;
    const data = { fingerprint, relay, count };
    return registration.showNotification("io3233", { body: `${count} new messages`, tag: SUMMARY_TAG, icon: ICON, data });
  }
}
