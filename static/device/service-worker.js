/**
 * The service worker, which keeps one whole version of the page, and its updates. Registered under the page's Trusted Types: one
 * policy, which knows its two URLs. Emits "update-ready" when a newer version is installed and waits, and "updated" when another version
 * than this page's has taken over.
 */
const POLICY = "io3233-sw";
const SCRIPTS = ["/worker.js", "/sw.js"]; // both keep the version; the first reads mail too, and is a module
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
      const registration = await registered();
      this.#follow(registration);
      return await navigator.serviceWorker.ready;
    } catch (error) {
      console.warn("No service worker, so no notifications and no offline start:", error);
      return null;
    }
  }

  /** Whether the worker reads mail while no tab is open, and not only says that there is some. */
  get reads() {
    return new URL(navigator.serviceWorker?.controller?.scriptURL ?? SCRIPTS[1], location.href).pathname === SCRIPTS[0];
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

/** Firefox before 147 knows no modules in a service worker. No file of it comes from a cache that has not asked. */
async function registered() {
  const [module, classic] = scriptUrls();
  try {
    return await navigator.serviceWorker.register(module, { type: "module", updateViaCache: "none" });
  } catch (error) {
    console.debug("No module as service worker:", error.message);
    return navigator.serviceWorker.register(classic, { updateViaCache: "none" });
  }
}

function scriptUrls() {
  if (!globalThis.trustedTypes) return SCRIPTS;
  const policy = trustedTypes.createPolicy(POLICY, { createScriptURL: (index) => SCRIPTS[index] });
  return [0, 1].map((index) => policy.createScriptURL(index));
}
