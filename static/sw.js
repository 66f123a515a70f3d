/**
 * One whole version of the page: it is fetched with the hash of every file, all or none, kept under the version's name, and from then
 * on answers before the network does. So the page opens without a network, and never mixes two versions. A newer one is installed
 * beside it, and takes over when the last tab is gone or the person says so. A relay's /v1 is never touched; messages live in IndexedDB.
 */
const VERSION = "";
const FILES = {};

const PREFIX = "io3233-";
const CACHE = PREFIX + VERSION;
const PAGE = "/index.html";
const VIEWS = ["/", "/newchat", "/chats", "/server", "/keys", "/library", "/about", "/me"];
/** What version 1.0.0 kept. Its pages fetch modules late and know no update: one that is still open gets them until it is reloaded. */
const FIRST_CACHE = "io3233-shell";
const FIRST_MODULE = /^\/[a-z-]+\.js$/;
const ANSWER_WITHIN_MS = 500;
/** What another app shares with this one: one at a time, until a page has it (device/service-worker.js). */
const SHARED = { path: "/share", cache: "shared-with-io3233", most_bytes: 128 * 1024 * 1024 };
const asked = new Set(); // ids of the pages that know of updates

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("fetch", (event) => {
  if (isShare(event.request)) return event.respondWith(takeShare(event.request));
  const path = pathOf(event.request);
  if (path) event.respondWith(kept(path, event.request));
});
self.addEventListener("message", ({ data, source }) => {
  if (data.type === "take-over") self.skipWaiting();
  if (data.type !== "version") return;
  asked.add(source.id);
  source.postMessage({ type: "version", version: VERSION });
});
self.addEventListener("push", (event) => event.waitUntil(receivePush()));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openThread(event.notification.data));
});

/** worker.js reads the mail. Where it can't, or the browser knows no modules here, this much is true. */
async function receivePush() {
  if (await self.readMail?.()) return;
  await self.registration.showNotification("io3233", { body: "You have new messages", tag: "unread", icon: "/icons/icon-192.png", data: { counts: {} } });
}

/** All files or none: `integrity` refuses what a proxy altered or put in their place, and an error ends the installation. */
async function keepAll() {
  const cache = await caches.open(CACHE);
  const known = new Set((await cache.keys()).map(({ url }) => new URL(url).pathname));
  const answers = await Promise.all(Object.entries(FILES).filter(([path]) => !known.has(path)).map(fetchFile));
  await Promise.all(answers.map(([path, answer]) => cache.put(path, answer)));
}

/** With `integrity` it resolves when the whole file is here and is the right one. The browser's own cache gives what has not changed. */
async function fetchFile([path, integrity]) {
  return [path, await fetch(path, { integrity, cache: "no-cache" })];
}

async function takeOver() {
  await self.clients.claim();
  const tabs = await self.clients.matchAll({ type: "window" });
  const needed = [CACHE, ...(tabs.every(({ id }) => asked.has(id)) ? [] : [FIRST_CACHE])];
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && !needed.includes(name)) await caches.delete(name);
}

function isShare({ method, destination, url }) {
  return method === "POST" && destination === "document" && new URL(url).pathname === SHARED.path;
}

/** The page that comes asks for whom it is; nothing goes anywhere before that. Any site can post here, and not only a form with files. */
async function takeShare(request) {
  try {
    const form = await request.blob();
    const cache = await caches.open(SHARED.cache);
    await cache.delete(SHARED.path);
    const type = request.headers.get("Content-Type") ?? "";
    const headers = { "Content-Type": type, Date: new Date().toUTCString() };
    if (type.startsWith("multipart/form-data") && form.size <= SHARED.most_bytes) await cache.put(SHARED.path, new Response(form, { headers }));
  } catch (error) {
    console.debug("What was shared has no room here:", error.message); // the page says so
  }
  return Response.redirect("/chats?shared", 303);
}

/** The kept file that answers a request, or null for what is none of ours. Every view is index.html. */
function pathOf(request) {
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return null;
  if (request.mode === "navigate") return VIEWS.includes(url.pathname) ? PAGE : null;
  return url.pathname in FILES || FIRST_MODULE.test(url.pathname) ? url.pathname : null;
}

/** From the network only where the browser threw the kept copy away; the page's own hashes then refuse a mixture. */
async function kept(path, request) {
  const cacheName = path in FILES ? CACHE : FIRST_CACHE;
  return (await caches.match(path, { cacheName })) ?? fetch(request);
}

/**
 * Opens the thread of a notification's latest message: in a tab that shows a view and answers, for one that still loads, or is frozen,
 * would lose it, and else in a new one. A click allows one window to be opened or to come to the front, and only soon after it.
 */
async function openThread({ counts }) {
  const fingerprint = Object.keys(counts).at(-1);
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const tabs = windows.filter(({ url }) => VIEWS.includes(new URL(url).pathname)).sort((a, b) => b.focused - a.focused);
  const answers = await Promise.all(tabs.map(isHere));
  const tab = tabs.find((_, index) => answers[index]);
  if (!tab) return self.clients.openWindow(fingerprint ? `/chats#chat=${fingerprint}` : "/chats");
  if (fingerprint) tab.postMessage({ type: "open-thread", fingerprint });
  return tab.focus();
}

function isHere(tab) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => resolve(true);
    setTimeout(resolve, ANSWER_WITHIN_MS, false);
    tab.postMessage({ type: "who-opens" }, [port2]);
  });
}
