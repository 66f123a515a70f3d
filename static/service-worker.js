/** Registers sw.js under the page's Trusted Types: one policy, which knows one URL. */

const POLICY = "io3233-sw";
const SCRIPT = "/sw.js";
const LONGEST_WAIT_MS = 2000;

/**
 * The registration once it is active, or null where the browser offers none (plain http) or refuses it. It fetches every file of
 * the page, so it waits until the page is idle.
 */
export async function registerServiceWorker() {
  if (!("serviceWorker" in navigator)) return null;
  try {
    await idle();
    await navigator.serviceWorker.register(scriptUrl());
    return await navigator.serviceWorker.ready;
  } catch (error) {
    console.warn("No service worker, so no notifications and no offline start:", error);
    return null;
  }
}

function idle() {
  if (!("requestIdleCallback" in globalThis)) return undefined;
  return new Promise((resolve) => requestIdleCallback(resolve, { timeout: LONGEST_WAIT_MS }));
}

function scriptUrl() {
  if (!globalThis.trustedTypes) return SCRIPT;
  return trustedTypes.createPolicy(POLICY, { createScriptURL: () => SCRIPT }).createScriptURL("");
}
