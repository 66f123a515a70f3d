/** Registers sw.js under the page's Trusted Types: one policy, which knows one URL. */

const POLICY = "io3233-sw";
const SCRIPT = "/sw.js";

/** The registration once it is active, or null where the browser offers none (plain http) or refuses it. */
export async function registerServiceWorker() {
  if (!("serviceWorker" in navigator)) return null;
  try {
    await navigator.serviceWorker.register(scriptUrl());
    return await navigator.serviceWorker.ready;
  } catch (error) {
    console.warn("No service worker, so no notifications and no offline start:", error);
    return null;
  }
}

function scriptUrl() {
  if (!globalThis.trustedTypes) return SCRIPT;
  return trustedTypes.createPolicy(POLICY, { createScriptURL: () => SCRIPT }).createScriptURL("");
}
