/**
 * One whole version of the page: it is fetched with the hash of every file, all or none, kept under the version's name, and from then
 * on answers before the network does. So the page opens without a network, and never mixes two versions. A newer one is installed
 * beside it, and takes over when the last tab is gone or the person says so. A relay's /v1 is never touched; messages live in IndexedDB.
 */
const VERSION = "4a350e4c0c3e2f04";
const FILES = {
  "/app.js": null,
  "/client.js": null,
  "/device/notifications.js": null,
  "/device/service-worker.js": null,
  "/device/tabs.js": null,
  "/guest.js": null,
  "/icons/apple-touch-icon.png": "sha256-Cfnbt8EzfQgmgCbbEDm9GLBbDPULiOpRjLy9I1Fh2lY=",
  "/icons/icon-192.png": "sha256-6f322iQZR/QVcV0WlTu5RYx1vpjfNrSl8v9HTwWYcmY=",
  "/icons/icon-512.png": "sha256-qONdu8bKG7LMv5AdJt268NB6BJ7PE2RucF2M/fuEMAY=",
  "/icons/icon-maskable-512.png": "sha256-CplWW8HKDEaeJoQCmhRB929HWWx9fi6QEIDR3Bf5V24=",
  "/icons/icon-maskable.svg": "sha256-w/sz9wPOW///GdfCIqK4fQXO1DrFk0P9+6cH3uS5kfw=",
  "/icons/icon.svg": "sha256-vTkctUp3byJ25J0jvpJEkR441IAb379yjZw96awfca8=",
  "/index.html": "sha256-JJahsC3dBe6ln7nez6ioun3UUH8JsHZtls5M+rhRx5g=",
  "/mail/changes.js": null,
  "/mail/delivery.js": null,
  "/mail/erasure.js": null,
  "/mail/files.js": null,
  "/mail/inbox.js": null,
  "/mail/outbox.js": null,
  "/mail/page.js": null,
  "/mail/posts.js": null,
  "/mail/queue.js": null,
  "/mail/references.js": null,
  "/mail/sweeper.js": null,
  "/mail/unsealing.js": null,
  "/manifest.webmanifest": "sha256-squvvN+0Knd8J/yjrt5nQa6fid4mqdIbNkUQYEU1Ygc=",
  "/protocol/address.js": null,
  "/protocol/content.js": null,
  "/protocol/crypto.js": null,
  "/protocol/devices.js": null,
  "/protocol/encoding.js": null,
  "/protocol/envelope.js": null,
  "/protocol/envelope2.js": null,
  "/protocol/errors.js": null,
  "/protocol/files.js": null,
  "/protocol/format.js": null,
  "/protocol/kdf.js": null,
  "/protocol/marks.js": null,
  "/protocol/text.js": null,
  "/relay/api.js": null,
  "/relay/connection.js": null,
  "/relay/contacts.js": null,
  "/relay/http.js": null,
  "/relay/membership.js": null,
  "/relay/relays.js": null,
  "/relay/session.js": null,
  "/relay/tokens.js": null,
  "/start.js": null,
  "/store/backup-content.js": null,
  "/store/backup-shape.js": null,
  "/store/backup.js": null,
  "/store/browser.js": null,
  "/store/contacts.js": null,
  "/store/database.js": null,
  "/store/history.js": null,
  "/store/identity.js": null,
  "/store/indexed-db.js": null,
  "/store/messages.js": null,
  "/store/person.js": null,
  "/store/store.js": null,
  "/style.css": null,
  "/vendor/LICENSE.js-sha256": "sha256-IVO9KXh5N0j74OuPg4rirhnwP51O5Uc90WKKDAeQ5Ks=",
  "/vendor/LICENSE.lean-qr": "sha256-3Gcrgp4FTWwQLah3bTJ/JvJ+3B+IdAwYeKfKW5902nM=",
  "/vendor/LICENSE.noble-hashes": "sha256-TyIa7m4HIzZwDECMaKs7lqP8Cfauvm9I8b2Z5e8T+uw=",
  "/vendor/LICENSE.scure-bip39": "sha256-FWXv0OxFgL+qlsfuqqmvN5G6ocxWLDveYtCgVZELnsc=",
  "/vendor/LICENSE.tweetnacl": "sha256-iNm062BXnBkew5HKBMFhMFctfu3EqG2qWL8oxuFMm80=",
  "/vendor/README.md": "sha256-lDn9IaDYbZ7bxYVbDkrP8JctUNMw7IYmiB0oWHHc0ho=",
  "/vendor/bip39-english.js": "sha256-2HpS67CU0WZxdpHmJK6jobzUXdBObHdI6O23rhDzxFg=",
  "/vendor/js-sha256.min.mjs": null,
  "/vendor/lean-qr.mjs": "sha256-DOQc1vkswjzwV6Hffhs4dnZ9Z4Zl3WWvTh0itPrZZ9w=",
  "/vendor/nacl-fast.min.js": null,
  "/vendor/noble-hashes/_md.js": "sha256-YM8wEP2onj5NPw5/8c4knpxGfzS0/UG2/WEB2fab52M=",
  "/vendor/noble-hashes/_u64.js": "sha256-sJ2owH/oGHwHZJSUzbfNC88T35C1BqlHPRnk1fjC4QI=",
  "/vendor/noble-hashes/hmac.js": "sha256-/sn4867aeF6i3pHMTAWdVO+YGWJhwCbEP0g0EAeuUsk=",
  "/vendor/noble-hashes/pbkdf2.js": "sha256-YrdbVGWomvBSqAvevn4Dg7oBZIsS9kh3zihaLpiWxxM=",
  "/vendor/noble-hashes/scrypt.js": "sha256-o4oCBiB3b6XFfADxUb3BAzwZKCfJ2EGZbarykSLqgsE=",
  "/vendor/noble-hashes/sha2.js": "sha256-RxdGu6bsTGI4ykE1jR07QLb/Mc8zY/C01VDGScGo6Ds=",
  "/vendor/noble-hashes/utils.js": "sha256-A3rUmtt4FotraZWY/TP4X3h3RWsdKLTQMuKhoWgHlHw=",
  "/version.js": null,
  "/views/answering.js": null,
  "/views/attaching.js": null,
  "/views/bubble.js": null,
  "/views/chat-search.js": null,
  "/views/chats-view.js": null,
  "/views/composer-view.js": null,
  "/views/contact-view.js": null,
  "/views/dialogs.js": null,
  "/views/dom.js": null,
  "/views/export-view.js": null,
  "/views/files.js": null,
  "/views/keyboard.js": null,
  "/views/keys-view.js": null,
  "/views/library-view.js": null,
  "/views/media.js": null,
  "/views/message-actions.js": null,
  "/views/message-extras.js": null,
  "/views/message-menu.js": null,
  "/views/message-row.js": null,
  "/views/message-window.js": null,
  "/views/newchat-view.js": null,
  "/views/router.js": null,
  "/views/server-view.js": null,
  "/views/settings-view.js": null,
  "/views/status-view.js": null,
  "/views/thread-row.js": null,
  "/views/thread-rows.js": null,
  "/views/thread-view.js": null,
  "/views/threads-view.js": null,
  "/views/views.css": null,
  "/views/voice.js": null,
  "/worker.js": "sha256-1SrX5VH4BxuQLHl1nZoApBogZ4QyRPIEXrA3Ld5KO5U="
};

const PREFIX = "io3233-";
const CACHE = PREFIX + VERSION;
const PAGE = "/index.html";
const NAMED = /(?:href|src)="([^"]+)" integrity="([^"]+)"/g;
const VIEWS = ["/", "/newchat", "/chats", "/server", "/keys", "/library", "/about", "/me"];
/** What version 1.0.0 kept. Its pages fetch modules late and know no update: one that is still open gets them until it is reloaded. */
const FIRST_CACHE = "io3233-shell";
const FIRST_MODULE = /^\/[a-z-]+\.js$/;
const ANSWER_WITHIN_MS = 500;
/** What another app shares with this one: one at a time, until a page has it (device/service-worker.js). */
const SHARED = { path: "/share", cache: "shared-with-io3233", most_bytes: 128 * 1024 * 1024 };
/** What a browser that knows such rules answers as `kept` does, without this worker: no start waits until it runs, and no call of its relay. */
const FROM_CACHE = { cacheName: CACHE };
const ROUTES = [
  { condition: { urlPattern: { pathname: "/v1/*" } }, source: "network" },
  ...VIEWS.map((pathname) => ({ condition: { urlPattern: { pathname, search: "" }, requestMode: "navigate" }, source: FROM_CACHE })),
  { condition: { requestMode: "navigate" }, source: "fetch-event" },
  ...Object.keys(FILES).map((pathname) => ({ condition: { urlPattern: { pathname, search: "" } }, source: FROM_CACHE })),
];
const asked = new Set(); // ids of the pages that know of updates

self.addEventListener("install", (event) => {
  event.waitUntil(keepAll());
  event.addRoutes?.(ROUTES).catch((error) => console.debug("No static routes:", error.message));
});
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

/**
 * All files or none: `integrity` refuses what a proxy altered or put in their place, and an error ends the installation. FILES has null for
 * those that index.html names with their hash.
 */
async function keepAll() {
  const cache = await caches.open(CACHE);
  const page = (await cache.match(PAGE)) ?? (await fetchFile(PAGE, FILES[PAGE]));
  const hashes = { ...FILES, ...hashesIn(await page.clone().text()) };
  const known = new Set((await cache.keys()).map(({ url }) => new URL(url).pathname));
  const missing = Object.keys(FILES).filter((path) => path !== PAGE && !known.has(path));
  if (missing.some((path) => !hashes[path])) throw new TypeError("A file has no hash: see .ci/integrity.py.");
  const answers = await Promise.all(missing.map((path) => fetchFile(path, hashes[path])));
  await Promise.all(missing.map((path, index) => cache.put(path, answers[index])));
  await Promise.all([PAGE, ...VIEWS].map((path) => cache.put(path, page.clone())));
}

const hashesIn = (html) => Object.fromEntries([...html.matchAll(NAMED)].map(([, path, integrity]) => [path, integrity]));

/**
 * With `integrity` it resolves when the whole file is here and is the right one. On a first visit the browser's own cache has what the page
 * has just loaded; later it gives what has not changed.
 */
async function fetchFile(path, integrity) {
  const fresh = () => fetch(path, { integrity, cache: "no-cache" });
  return self.registration.active ? fresh() : fetch(path, { integrity, cache: "force-cache" }).catch(fresh);
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
