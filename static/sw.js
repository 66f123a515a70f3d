/**
 * The app shell, so that the page opens without a network, and notification clicks. It answers only for the page's own
 * files: a relay's /v1 is never touched, and messages live in IndexedDB.
 */
const CACHE = "io3233-shell";
const PAGE = "/index.html";
const VIEWS = ["/", "/newchat", "/chats", "/server", "/keys", "/library", "/about"];
const PATIENCE_MS = 4000;
const RETRY_NETWORK_MS = 10_000;

/** Every file of static/ but this one; a test holds the list to the folder. */
const SHELL = [
  "/about-view.js", "/address.js", "/announcer.js", "/api.js", "/app.js", "/arrivals.js", "/backoff.js",
  "/backup-content.js", "/backup-view.js", "/backup.js", "/bubble.js", "/chats-view.js", "/client.js",
  "/composer-view.js", "/connection.js", "/contact-view.js", "/contacts.js", "/crypto.js", "/database.js",
  "/delivery.js", "/dom.js", "/encoding.js", "/envelope.js", "/errors.js", "/excerpt.js", "/format.js", "/hashes.js",
  "/history.js", "/hold.js", "/http.js", "/icons/apple-touch-icon.png", "/icons/icon-192.png", "/icons/icon-512.png",
  "/icons/icon-maskable-512.png", "/icons/icon-maskable.svg", "/icons/icon.svg", "/identity-view.js", "/identity.js",
  "/inbox.js", "/index.html", "/invite.js", "/kdf.js", "/keys-view.js", "/legacy.js", "/library-view.js", "/links.js",
  "/manifest.webmanifest", "/message-row.js", "/message-window.js", "/messages.js", "/new-keys.js", "/newchat-view.js",
  "/notices.js", "/notifications.js", "/open-chat.js", "/outbox.js", "/pack-envelope.js", "/qr.js", "/questions.js",
  "/queue.js", "/registration.js", "/relay-questions.js", "/relays.js", "/router.js", "/safety.js", "/search.js",
  "/server-view.js", "/service-worker.js", "/session.js", "/settings-view.js", "/settings.js", "/shared-events.js",
  "/sound.js", "/status-view.js", "/store.js", "/style.css", "/tabs.js", "/theme.js", "/thread-view.js",
  "/threads-view.js", "/toast.js", "/tokens.js", "/vendor/LICENSE.fast-sha256", "/vendor/LICENSE.lean-qr",
  "/vendor/LICENSE.tweetnacl", "/vendor/README.md", "/vendor/lean-qr.mjs", "/vendor/nacl-fast.min.js",
  "/vendor/sha256.min.js", "/version.js", "/view-loader.js"
];

/** When the network failed last (ms): for a while after, the kept copy answers at once, or each file would wait anew. */
const network = { failed_at: -Infinity };

self.addEventListener("install", (event) => event.waitUntil(fillCache().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("fetch", (event) => {
  const path = shellPath(event.request);
  if (path) event.respondWith(networkFirst(path, event));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openThread(event.notification.data));
});

/** All files or none: the kept copy is always one whole version, whose integrity attributes fit its scripts. */
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
  if (request.mode === "navigate") return VIEWS.includes(url.pathname) ? PAGE : null;
  return SHELL.includes(url.pathname) ? url.pathname : null;
}

/** The network while it answers, so that an update arrives with the next load; else the kept copy. */
async function networkFirst(path, event) {
  const kept = await (await caches.open(CACHE)).match(path);
  if (kept && Date.now() - network.failed_at < RETRY_NETWORK_MS) return kept;
  try {
    const response = await fetchHead(path);
    if (path === PAGE && isNewer(response, kept)) event.waitUntil(fillCache());
    return response.ok || !kept ? response : kept;
  } catch (error) {
    network.failed_at = Date.now();
    if (kept) return kept;
    throw error;
  }
}

/** A response whose head came in time; its body may take longer, or a slow network would never bring an update. */
async function fetchHead(path) {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    return await fetch(path, { cache: "no-cache", signal: patience.signal });
  } finally {
    clearTimeout(timer);
  }
}

/** The page names each script's hash, so it changes with every one of them. */
const isNewer = (response, kept) => response.ok && response.headers.get("ETag") !== kept?.headers.get("ETag");

/** Opens the thread of a notification's latest message in a tab that is there, else in a new one. */
async function openThread({ counts }) {
  const fingerprint = Object.keys(counts).at(-1);
  const tabs = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const tab = tabs.find(({ focused }) => focused) ?? tabs[0];
  if (!tab) return self.clients.openWindow(`/chats#chat=${fingerprint}`);
  tab.postMessage({ type: "open-thread", fingerprint });
  return tab.focus();
}
