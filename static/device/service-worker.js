/**
 * The service worker, which keeps one whole version of the page, and its updates. Registered under the page's Trusted Types: one
 * policy, which knows one URL. Emits "update-ready" when a newer version is installed and waits, and "updated" when another version
 * than this page's has taken over.
 */
const POLICY = "io3233-sw";
const SCRIPT = "/sw.js";
const LONGEST_IDLE_WAIT_MS = 2000;
const LOOK_EVERY_MS = 3_600_000;

export class ServiceWorkerUpdates extends EventTarget {
  #version = document.querySelector('meta[name="version"]').content;
  #waiting = null;
  #looked_at = performance.now();

  /**
   * The registration once it is active, or null where the browser offers none (plain http) or refuses it. It fetches every file of
   * the page, so it waits until the page is idle.
   */
  async register() {
    if (!("serviceWorker" in navigator)) return null;
    try {
      await idle();
      const registration = await navigator.serviceWorker.register(scriptUrl());
      this.#follow(registration);
      return await navigator.serviceWorker.ready;
    } catch (error) {
      console.warn("No service worker, so no notifications and no offline start:", error);
      return null;
    }
  }

  /** The waiting version takes over; every tab then reloads, when it has kept what is typed in it. */
  apply() {
    this.#waiting?.postMessage({ type: "take-over" });
  }

  #follow(registration) {
    navigator.serviceWorker.addEventListener("controllerchange", () => this.#ask(navigator.serviceWorker.controller));
    navigator.serviceWorker.addEventListener("message", ({ data, source }) => data.type === "version" && this.#judge(data.version, source));
    registration.addEventListener("updatefound", () => this.#watch(registration.installing));
    if (registration.waiting) this.#ask(registration.waiting);
    document.addEventListener("visibilitychange", () => this.#look(registration));
    setInterval(() => this.#look(registration), LOOK_EVERY_MS);
  }

  #watch(worker) {
    worker.addEventListener("statechange", () => worker.state === "installed" && this.#ask(worker));
  }

  #ask(worker) {
    worker.postMessage({ type: "version" });
  }

  /** A page that came by the network may be of the waiting version already: then nobody has to be asked. */
  #judge(version, worker) {
    const same = version === this.#version;
    if (worker === navigator.serviceWorker.controller) return void (same || this.#tell("updated"));
    this.#waiting = worker;
    if (same) this.apply();
    else this.#tell("update-ready");
  }

  #look(registration) {
    if (document.visibilityState === "hidden" || performance.now() - this.#looked_at < LOOK_EVERY_MS) return;
    this.#looked_at = performance.now();
    registration.update().catch((error) => console.debug("No newer version could be looked for:", error.message));
  }

  #tell(type) {
    this.dispatchEvent(new Event(type));
  }
}

function idle() {
  if (!("requestIdleCallback" in globalThis)) return undefined;
  return new Promise((resolve) => requestIdleCallback(resolve, { timeout: LONGEST_IDLE_WAIT_MS }));
}

function scriptUrl() {
  if (!globalThis.trustedTypes) return SCRIPT;
  return trustedTypes.createPolicy(POLICY, { createScriptURL: () => SCRIPT }).createScriptURL("");
}
