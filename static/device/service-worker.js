/** The page's side of sw.js: registration and updates, what another app shared, the hashes of all files. */
import { sha256 } from "../protocol/crypto.js";
import { toHex, utf8 } from "../protocol/encoding.js";
import { BadAnswerError, NetworkError } from "../protocol/errors.js";

// Trusted Types: one policy, which knows its two URLs.

const POLICY = "io3233-sw";
const SCRIPTS = ["/worker.js", "/sw.js"]; // both keep the version; the module reads mail, too
const LONGEST_IDLE_WAIT_MS = 2000;
const LOOK_EVERY_MS = 3_600_000;

export class ServiceWorkerUpdates extends EventTarget {
  #version = document.querySelector('meta[name="version"]').content;
  #waiting = null;
  #looked_at = performance.now();

  /** Once it is active; null where the browser offers none (plain http) or refuses it. It fetches every file, so it waits until the page is idle. */
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

  get reads() {
    return new URL(navigator.serviceWorker?.controller?.scriptURL ?? SCRIPTS[1], location.href).pathname === SCRIPTS[0];
  }

  /** Every tab then reloads, when it has kept what is typed in it. */
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

  /** A page that came by the network may be of the waiting version: nobody has to be asked. */
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

const CACHE = "shared-with-io3233";
const MOST_FILES = 10;
const LONGEST_TEXT = 20_000;
const FORGET_AFTER_MS = 60_000;

/** `{files, text}`, once; or null. */
export async function takeShared() {
  const cache = await globalThis.caches?.open(CACHE); // none over plain http
  const kept = await cache?.match("/share");
  await cache?.delete("/share");
  const form = await kept?.formData().catch((error) => console.debug("What was shared can't be read:", error.message));
  if (!form) return null;
  const words = ["title", "text", "url"].map((name) => `${form.get(name) ?? ""}`.trim());
  const text = [...new Set(words.filter(Boolean))].join("\n").slice(0, LONGEST_TEXT);
  const files = form.getAll("files").filter((file) => file instanceof File && file.size > 0).slice(0, MOST_FILES);
  return { files, text };
}

/** Not at once: the page that it is for may just be starting. */
export async function forgetShared() {
  const cache = await globalThis.caches?.open(CACHE);
  const kept = await cache?.match("/share");
  if (kept && !(Date.now() - Date.parse(kept.headers.get("Date")) < FORGET_AFTER_MS)) await cache.delete("/share");
}

// As this relay serves them, for people who compare them with another source.

const WORKER = "sw.js";

/** `{combined, files: [{path, sha256, bytes}]}` by path. `combined`: of the lines "<sha256>  <path>\n", as the relay prints at its start. */
export async function clientHashes() {
  const names = [...shellFiles(new TextDecoder().decode(await fetchFile(WORKER))), WORKER].sort();
  const files = await Promise.all(names.map(hashFile));
  const listing = files.map((file) => `${file.sha256}  ${file.path}\n`).join("");
  return { combined: toHex(sha256(utf8(listing))), files };
}

function shellFiles(source) {
  const [, list] = /const FILES = (\{[^}]*\});/.exec(source) ?? [];
  if (!list) throw new BadAnswerError("sw.js does not list the client's files.", { origin: location.origin });
  return Object.keys(JSON.parse(list)).map((path) => path.slice(1));
}

async function hashFile(path) {
  const bytes = await fetchFile(path);
  return { path, sha256: toHex(sha256(bytes)), bytes: bytes.length };
}

async function fetchFile(path) {
  const response = await fetch(`/${path}`).catch((cause) => {
    throw new NetworkError("The client's files can't be fetched now. Try again when the server is reachable.", { origin: location.origin, cause });
  });
  if (!response.ok) throw new BadAnswerError(`/${path} is missing on this server (${response.status}).`, { origin: location.origin, status: response.status });
  return new Uint8Array(await response.arrayBuffer());
}
