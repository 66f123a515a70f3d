/** The person's choice about notifications, and the app badge. The service worker's registration shows them: they outlive the tab. */
import { clearNotices, showBadge, showNotices } from "./notices.js";

const HOME_SCREEN =
  "On an iPhone or iPad, notifications come only from the Home Screen. 1. Press Share, then Add to Home Screen. 2. Open io3233 there, and press the bell.";

export class Notifications {
  #settings;
  #registration;
  #last = Promise.resolve(); // one after the other: what is taken away must not be shown a moment later

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

  /** An iPhone or iPad that has this page in a tab: only there is `standalone` false. */
  get needsHomeScreen() {
    return !this.supported && navigator.standalone === false;
  }

  /** Why there are none: a sentence or two, or "". */
  get why() {
    if (this.needsHomeScreen) return HOME_SCREEN;
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

  /** Shows messages, `[{message, contact}]`, where the person wants that. */
  show(arrived) {
    if (arrived.length === 0) return this.#last;
    return this.#inTurn((registration) => showNotices(registration, arrived, { preview: this.#settings.get("preview") }));
  }

  /** Takes away what is shown for a thread that was read. */
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
