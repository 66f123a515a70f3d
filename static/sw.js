/**
 * The app shell, so that the page opens without a network, and notification clicks. It answers only for the page's own
 * files: a relay's /v1 is never touched, and messages live in IndexedDB.
 */
const CACHE = "io3233-shell";
const NETWORK_FIRST_MS = 4000;

/** Every file of static/ but this one; a test holds the list to the folder. */
const SHELL = [
  "/about-view.js", "/api.js", "/app.js", "/arrivals.js", "/backoff.js", "/backup-content.js", "/backup-view.js",
  "/backup.js", "/chats-view.js", "/client.js", "/composer-view.js", "/connection.js", "/contact-view.js",
  "/contacts.js", "/crypto.js", "/database.js", "/dialogs.js", "/dom.js", "/encoding.js", "/envelope.js", "/errors.js",
  "/format.js", "/hashes.js", "/history.js", "/http.js", "/icons/apple-touch-icon.png", "/icons/icon-192.png",
  "/icons/icon-512.png", "/icons/icon-maskable-512.png", "/icons/icon-maskable.svg", "/icons/icon.svg", "/identity.js",
  "/inbox.js", "/index.html", "/invite.js", "/kdf.js", "/keys-view.js", "/legacy.js", "/library-view.js",
  "/manifest.webmanifest", "/message-row.js", "/message-window.js", "/messages.js", "/newchat-view.js",
  "/notifications.js", "/open-chat.js", "/outbox.js", "/qr.js", "/queue.js", "/registration.js", "/relay-questions.js",
  "/relays.js", "/router.js", "/safety.js", "/server-view.js", "/service-worker.js", "/session.js", "/settings-view.js",
  "/settings.js", "/shared-events.js", "/sound.js", "/status-view.js", "/store.js", "/style.css", "/tabs.js",
  "/theme.js", "/thread-view.js", "/threads-view.js", "/tokens.js", "/vendor/LICENSE.fast-sha256",
  "/vendor/LICENSE.lean-qr", "/vendor/LICENSE.tweetnacl", "/vendor/README.md", "/vendor/lean-qr.mjs",
  "/vendor/nacl-fast.min.js", "/vendor/sha256.min.js", "/version.js"
];

self.addEventListener("install", (event) => event.waitUntil(fillCache().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("fetch", (event) => {
  const path = shellPath(event.request);
  if (path) event.respondWith(networkFirst(event.request, path));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openThread(event.notification.data?.fingerprint ?? ""));
});

async function fillCache() {
  const cache = await caches.open(CACHE);
  await cache.addAll(SHELL.map((path) => new Request(path, { cache: "no-cache" })));
}

/** Drops what an earlier version kept and this one does not know. */
async function takeOver() {
  const cache = await caches.open(CACHE);
  for (const request of await cache.keys()) {
    if (!SHELL.includes(new URL(request.url).pathname)) await cache.delete(request);
  }
  await self.clients.claim();
}

/** The shell file that answers a request, or null for what is none of ours. Every view is index.html. */
function shellPath(request) {
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return null;
  if (request.mode === "navigate" && !url.pathname.startsWith("/v1/")) return "/index.html";
  return SHELL.includes(url.pathname) ? url.pathname : null;
}

/** The network while it answers, so that an update arrives with the next load; else the kept copy. */
async function networkFirst(request, path) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(path, { cache: "no-cache", signal: AbortSignal.timeout(NETWORK_FIRST_MS) });
    if (response.ok) await cache.put(path, response.clone());
    if (response.ok || !(await cache.match(path))) return response;
  } catch (error) {
    if (!(await cache.match(path))) throw error;
  }
  return cache.match(path);
}

async function openThread(fingerprint) {
  const tabs = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const tab = tabs.find(({ focused }) => focused) ?? tabs[0];
  if (!tab) return self.clients.openWindow(`/chats${fingerprint ? `#chat=${fingerprint}` : ""}`);
  tab.postMessage({ type: "open-thread", fingerprint });
  return tab.focus();
}
