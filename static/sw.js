/**
 * One whole version of the page: it is fetched with the hash of every file, all or none, kept under the version's name, and from then
 * on answers before the network does. So the page opens without a network, and never mixes two versions. A newer one is installed
 * beside it, and takes over when the last tab is gone or the person says so. A relay's /v1 is never touched; messages live in IndexedDB.
 */
const VERSION = "2e45687133db00be";
const FILES = {
  "/app.js": "sha256-xKVrzFY2lbJ7scLSEIwJMouar8ufNMUwZs77n0BP/xc=",
  "/client.js": "sha256-Eer9SPNqY4pBaWt711kcGY0B5UOYPtJFkdja+LHUGec=",
  "/device/notifications.js": "sha256-GGIGdnuUNkSpjqMEhgP2LFVu6+EijppHX8IbJ/LlxXk=",
  "/device/service-worker.js": "sha256-3gG8zHqUssSI9mvkphv1tzYTr2VGdEzN2C7ATyNxZwk=",
  "/device/tabs.js": "sha256-Xpj4MXs00T4gxp+XhGhCibjk/Rl4l9/N0dlVpbIdNi4=",
  "/guest.js": "sha256-Sv1Hod8jNm16gTieVS/7FML50A/JjS5rvwp+nRsbPHs=",
  "/icons/apple-touch-icon.png": "sha256-Cfnbt8EzfQgmgCbbEDm9GLBbDPULiOpRjLy9I1Fh2lY=",
  "/icons/icon-192.png": "sha256-6f322iQZR/QVcV0WlTu5RYx1vpjfNrSl8v9HTwWYcmY=",
  "/icons/icon-512.png": "sha256-qONdu8bKG7LMv5AdJt268NB6BJ7PE2RucF2M/fuEMAY=",
  "/icons/icon-maskable-512.png": "sha256-CplWW8HKDEaeJoQCmhRB929HWWx9fi6QEIDR3Bf5V24=",
  "/icons/icon-maskable.svg": "sha256-w/sz9wPOW///GdfCIqK4fQXO1DrFk0P9+6cH3uS5kfw=",
  "/icons/icon.svg": "sha256-vTkctUp3byJ25J0jvpJEkR441IAb379yjZw96awfca8=",
  "/index.html": "sha256-EnpggAY+0IwN96dKlDMNPZwm0AK86GEPFfaBHCglLoc=",
  "/mail/changes.js": "sha256-/6ayp/ohvLfXihBLX9/FqkK0ETU+oKX2c4qWHPiDMcg=",
  "/mail/delivery.js": "sha256-Nw4aznOoUHyDElsYjkjLsg68lMu6bCpeuvg+wZGEmjE=",
  "/mail/erasure.js": "sha256-CE32lmkYEadoruetXrBcbv0WLfU71QehlNiufcHr+5U=",
  "/mail/files.js": "sha256-FO8LA+dCfbnPfjVyDKLUMUwvONLXWmn/eWlRHNY1ZO4=",
  "/mail/inbox.js": "sha256-Zlxxo3B7N/zBq3zw+XHjyc/qqYMPhpRvlUdjpuqISC0=",
  "/mail/outbox.js": "sha256-3lYcgKIfKd3tFy9AWwSXiUNlJvOYumywPYTpDtjHP+w=",
  "/mail/page.js": "sha256-jfBGi4aBae0gGvVA4N64bwgxNmn5sVr+6OcYpO1tibY=",
  "/mail/posts.js": "sha256-e3QfV+mlL4F354BT1b3Mk/lH5S/aML+/01+6l60mPn8=",
  "/mail/queue.js": "sha256-v0SGlDd7jt/BCaNSt6H2z7Oc2PJkUndQcd0jn38ov+8=",
  "/mail/references.js": "sha256-HhlW/HV7nI0sO7or8ME3/W+FAZHjlOFmi+rDZYZ3ZiE=",
  "/mail/sweeper.js": "sha256-dq6neG7V+CdH32uuIDDSwWdN/Av25/1/5pRs4EOopEk=",
  "/mail/unsealing.js": "sha256-qEV4VoasbVIz0ojTirmFVx0BnGSEQvrSjjz7LpwmbFk=",
  "/manifest.webmanifest": "sha256-squvvN+0Knd8J/yjrt5nQa6fid4mqdIbNkUQYEU1Ygc=",
  "/protocol/address.js": "sha256-SIWDEFMIC4aHvHJux9i/s07nWE5/a69I1EPW3t0lkXQ=",
  "/protocol/content.js": "sha256-fZANWtn1cfku+iPpniLbz9WmSmcq5Kf4Sq4IvF148Xs=",
  "/protocol/crypto.js": "sha256-Ah4dVUVzhQk+FkBPPx5se5seWXtJUCNFkeoCUV6QfTA=",
  "/protocol/devices.js": "sha256-bhJ+bir3fAPUTh8l2v6zOdxO7nvzVIkkIflFeigR61A=",
  "/protocol/encoding.js": "sha256-DWjHb7wIT84H+OLYoPP+SJ2rDFGbF+usZul9iIINx2c=",
  "/protocol/envelope.js": "sha256-92JYhz5o570x5+pv6SJuJAfxItDD9c8W+8dhlAr8wCU=",
  "/protocol/envelope2.js": "sha256-9yT9QZ4mAcDQbz2sJ3J06toZr651XvsmXBAl52ZIja4=",
  "/protocol/errors.js": "sha256-8FJ8JWd25iIoyNl6NTlhXAgNIx2xGnYBTASHNmRears=",
  "/protocol/files.js": "sha256-oKT5Fsm8NamF7hmP+NQ1ebP44hQpvyRdzxb+BdKy7DY=",
  "/protocol/format.js": "sha256-QqJ/7JuaSE+RZ7YVq18nMpVOkaLJj8tAvlgse9atepE=",
  "/protocol/kdf.js": "sha256-RjN/SyCu0B3maJO1fGlfrx7UxXueE29xBTrNRE3Wltg=",
  "/protocol/marks.js": "sha256-OOcXKhD+vTXZmCrubsKVjvLPirjnVWRQb2L12G0kk/s=",
  "/protocol/text.js": "sha256-pCymbQS3haI8zR4D9OI3DU/vhMs1CTvQ/twbz7DdJYw=",
  "/relay/api.js": "sha256-eN/J+HwrGPuUkUiP6wCIY+NUZm7/Ycf1bIWTqmVSqB4=",
  "/relay/connection.js": "sha256-/YTowDVza2MxZQX7M7z8G95X0UUKft4vX2I2EQzBN7o=",
  "/relay/contacts.js": "sha256-EsQDSiGSWo81/ZYoq2YU20XWcL8ZUbI4nIcoQmfXIlk=",
  "/relay/http.js": "sha256-eF2dttwVNw8qqmnwtVQ+JFL0/h4Zr+lvYopL4x5/vq0=",
  "/relay/membership.js": "sha256-issGyG/abyyXh7QfzVtbgId2ubz53CTKKjRp4X25U64=",
  "/relay/relays.js": "sha256-/ryR/U0kYG3Cl+RaLEQEWZM3elEnVscDy7fuGupWiUo=",
  "/relay/session.js": "sha256-kogW3v0uw2vxWzFrDgCDcIJ9d8FquqCtxB9jGZK596Q=",
  "/relay/tokens.js": "sha256-Gf3ng38v6lbiNV17KVojL0UodQ7FBUfqxd8umpz6EgI=",
  "/start.js": "sha256-B52sHAQafF3cn7Fd+XwMpzG/PEJ4U+Sfpwgcu14OIwI=",
  "/store/backup-content.js": "sha256-du636cS3I0Z8Q0HOCEZ7PbY2bxF5ibS4Q7yJ8c1NKAw=",
  "/store/backup-shape.js": "sha256-3oZ3zfN43FOm4huT+MiOLGFC2ZZzz7Pb73TZBsb2OvM=",
  "/store/backup.js": "sha256-9AGR/C2IqNCcQdel00mvaF0oNfmyS5IdRxJkOxXH2Xo=",
  "/store/browser.js": "sha256-KF5OK0nslZlnJQzJRB2cA5sS/LwXDIuwiMUgDKfeXZM=",
  "/store/contacts.js": "sha256-71aMc70pm+VMl60gJZemH56VgJgY5GtCyraxo1V8eI4=",
  "/store/database.js": "sha256-axiIAoDZySs1OxDkWMdEeBN5mVefP0mLwVJPbj/Kavg=",
  "/store/history.js": "sha256-EeFfS4C5lxjfUOQp+JkdFI9/oGg6QUTHd0tNC4l+tD4=",
  "/store/identity.js": "sha256-X72wFL64ZC+7QJ1WuwkyOASb8QrXx0baZHtcfx7tsec=",
  "/store/indexed-db.js": "sha256-+RawvZz8AizvR856SyzYR83tN92uQjkfRSlDuJ0JR9w=",
  "/store/messages.js": "sha256-43/5tqYt/HS+LSGO3QmyGyGDz5u9n2XuSjNek3OKHys=",
  "/store/person.js": "sha256-iWvRJCZC6r2h0eyqVtQOen5obp2hRYcoDz+1FjjJp0E=",
  "/store/store.js": "sha256-FA7uqCrpuZ3gKRn+l7oOb2t/yWoQG8RwkDtGCyObEk4=",
  "/style.css": "sha256-JZTlQKUgyE2GOQ2gg0jfR6rMjuQ1drLGlkohfWPrY/4=",
  "/vendor/LICENSE.js-sha256": "sha256-IVO9KXh5N0j74OuPg4rirhnwP51O5Uc90WKKDAeQ5Ks=",
  "/vendor/LICENSE.lean-qr": "sha256-3Gcrgp4FTWwQLah3bTJ/JvJ+3B+IdAwYeKfKW5902nM=",
  "/vendor/LICENSE.noble-hashes": "sha256-TyIa7m4HIzZwDECMaKs7lqP8Cfauvm9I8b2Z5e8T+uw=",
  "/vendor/LICENSE.scure-bip39": "sha256-FWXv0OxFgL+qlsfuqqmvN5G6ocxWLDveYtCgVZELnsc=",
  "/vendor/LICENSE.tweetnacl": "sha256-iNm062BXnBkew5HKBMFhMFctfu3EqG2qWL8oxuFMm80=",
  "/vendor/README.md": "sha256-lDn9IaDYbZ7bxYVbDkrP8JctUNMw7IYmiB0oWHHc0ho=",
  "/vendor/bip39-english.js": "sha256-2HpS67CU0WZxdpHmJK6jobzUXdBObHdI6O23rhDzxFg=",
  "/vendor/js-sha256.min.mjs": "sha256-d8b8S2hcAil3MHmYs1w6ni++t289WdPGiYR1KDHjXZE=",
  "/vendor/lean-qr.mjs": "sha256-DOQc1vkswjzwV6Hffhs4dnZ9Z4Zl3WWvTh0itPrZZ9w=",
  "/vendor/nacl-fast.min.js": "sha256-PsU1wASu6yJXhdjpP7M7+Z9S45m9ffwBlptWKbrqUTE=",
  "/vendor/noble-hashes/_md.js": "sha256-YM8wEP2onj5NPw5/8c4knpxGfzS0/UG2/WEB2fab52M=",
  "/vendor/noble-hashes/_u64.js": "sha256-sJ2owH/oGHwHZJSUzbfNC88T35C1BqlHPRnk1fjC4QI=",
  "/vendor/noble-hashes/hmac.js": "sha256-/sn4867aeF6i3pHMTAWdVO+YGWJhwCbEP0g0EAeuUsk=",
  "/vendor/noble-hashes/pbkdf2.js": "sha256-YrdbVGWomvBSqAvevn4Dg7oBZIsS9kh3zihaLpiWxxM=",
  "/vendor/noble-hashes/scrypt.js": "sha256-o4oCBiB3b6XFfADxUb3BAzwZKCfJ2EGZbarykSLqgsE=",
  "/vendor/noble-hashes/sha2.js": "sha256-RxdGu6bsTGI4ykE1jR07QLb/Mc8zY/C01VDGScGo6Ds=",
  "/vendor/noble-hashes/utils.js": "sha256-A3rUmtt4FotraZWY/TP4X3h3RWsdKLTQMuKhoWgHlHw=",
  "/version.js": "sha256-xAs1//FAFDwHVO2gWG6xnxjTp9eDYF01SxfIhRQ3Sa4=",
  "/views/answering.js": "sha256-rIPx6bdCGSxd4Qohtt2xPxKYOUlQzavpRNyxgsqvhn4=",
  "/views/attaching.js": "sha256-qj5ng/jh4jSBbAZOlBzNjBMyKf78u51PAFBnOlYneFE=",
  "/views/bubble.js": "sha256-7DNDVpv0/AM6eGqVrMioYEACeJC9asj+Ymgn9n9CMm4=",
  "/views/chat-search.js": "sha256-eSL7FAFdI8yy2rIAGPc+T+pA5fK2pqcbOn2lruR4au4=",
  "/views/chats-view.js": "sha256-d65pidLOfex/Z/Du+M5iFUK4LZDK8zhUT42gsZFX8TI=",
  "/views/composer-view.js": "sha256-V2RQrC4AgjjePeoqY0bUMgHCu3+j/E3KkMEWGtBFA9A=",
  "/views/contact-view.js": "sha256-tyG/vWx2nKNZNDAllFFCororBrUBoERToMX25m9Hcqs=",
  "/views/dialogs.js": "sha256-51c7plt4ndW36CLSxpsp6FGn2TD+CG5zrA/C5VeAwt0=",
  "/views/dom.js": "sha256-3eaiNVaYCOStWXpb6w7oeCvmlT9GTvLrmsdHDzIbnqs=",
  "/views/export-view.js": "sha256-rtIO/ya+55g1AoYb0pqdpEmmjEcGVDft4yDCvN650Po=",
  "/views/files.js": "sha256-j8Vxu9TVoXVrvVCcam1kP78IQ3AubNqwWYCy5ZA9XYk=",
  "/views/keyboard.js": "sha256-OLUs6gNQc8oYh+WcRXBk8NOYiu2D42pBwfja/hRGoWA=",
  "/views/keys-view.js": "sha256-Jw6rERCWkYXzkT/pyOkbBcUDuSZu8DpP/EXeHwRiCV0=",
  "/views/library-view.js": "sha256-P+F2wD8zkn9wM0rukk/GrH1HOq99SnX5xaoY8828/nc=",
  "/views/media.js": "sha256-7KhIKWNDuikRtfOrrXQtYEeu7CC8KalV5a3PMaGt43w=",
  "/views/message-actions.js": "sha256-XT/LTL3Mm5/Sv4HmhHdOf9K/eAM5Px4jt81YvPF8j68=",
  "/views/message-extras.js": "sha256-H+Un7gt+r4cxDp7wsOF0cyD7yriPjCvehwBjMKM97l0=",
  "/views/message-menu.js": "sha256-VFVpXsGi8TCaVGuLnL6IK6c/moMMA2EWC9eZMUPiW7g=",
  "/views/message-row.js": "sha256-oLXOA/ToGPuhVCZsSf8521mFJsRxuUBx7pDqvYafQ0s=",
  "/views/message-window.js": "sha256-MngPtVRNxAHS6bXgLT79faIh+E+pnKlUOH7Nv34KzNg=",
  "/views/newchat-view.js": "sha256-OfCW8iEiYw38KcQkLuN3fxGJX1AUY4gPoO36kxkcxbA=",
  "/views/router.js": "sha256-RLLyt/JE6qIeWZoX5LbuuL2AJs1czGmY6kohMJ2tmRs=",
  "/views/server-view.js": "sha256-wFM1pb/2Z8mU0JCeKGePU5FlWGfpji9L7jNclUzTGz0=",
  "/views/settings-view.js": "sha256-JbRgZnSGLpD3r8siDVraWC1W+vFQ4eOQT96zJDimQRw=",
  "/views/status-view.js": "sha256-Em9QxRSH9eyA0zZSjg4cClK87ddZY3MzdOjEtVEpIVw=",
  "/views/thread-row.js": "sha256-28qek3erWcTslZnDXInrNq26h1nAfrZPAUjoFPJXicI=",
  "/views/thread-rows.js": "sha256-FZdYjwJZtnkygYWueR+KfZAapyGyx+P81/MvwhBbBE4=",
  "/views/thread-view.js": "sha256-qLiJIak7toxgyhrZHhe6d6dpFeJJ1urHT4ppZm8ENbI=",
  "/views/threads-view.js": "sha256-iJnZof6bA9WDHuR9cqBoq0Pu2K0/UcV9wumUwNoxKRo=",
  "/views/views.css": "sha256-Ogd7rq5PrHNfBvmcg8YMn0/rRmIZBH0xcenBQwj1ceE=",
  "/views/voice.js": "sha256-Eg4hOnTkz43v7a7/0wmAawDxC+8nkuzgL/vVMM9hDFU=",
  "/worker.js": "sha256-73gy0hQeHaSjJk81wNzadZc1LOn5xXuMmhKF21a4FsM="
};

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

/** All files or none: `integrity` refuses what a proxy altered or put in their place, and an error ends the installation. */
async function keepAll() {
  const cache = await caches.open(CACHE);
  const known = new Set((await cache.keys()).map(({ url }) => new URL(url).pathname));
  const answers = await Promise.all(Object.entries(FILES).filter(([path]) => !known.has(path)).map(fetchFile));
  await Promise.all(answers.map(([path, answer]) => cache.put(path, answer)));
  const page = await cache.match(PAGE);
  await Promise.all(VIEWS.map((view) => cache.put(view, page.clone())));
}

/**
 * With `integrity` it resolves when the whole file is here and is the right one. On a first visit the browser's own cache has what the page
 * has just loaded; later it gives what has not changed.
 */
async function fetchFile([path, integrity]) {
  const fresh = () => fetch(path, { integrity, cache: "no-cache" });
  return [path, await (self.registration.active ? fresh() : fetch(path, { integrity, cache: "force-cache" }).catch(fresh))];
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
