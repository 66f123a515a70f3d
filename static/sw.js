/**
 * One whole version of the page: it is fetched with the hash of every file, all or none, kept under the version's name, and from then
 * on answers before the network does. So the page opens without a network, and never mixes two versions. A newer one is installed
 * beside it, and takes over when the last tab is gone or the person says so. A relay's /v1 is never touched; messages live in IndexedDB.
 */
const VERSION = "ec1f87b75bd3fc9f";
const FILES = {
  "/app.js": "sha256-xKVrzFY2lbJ7scLSEIwJMouar8ufNMUwZs77n0BP/xc=",
  "/client.js": "sha256-I8UFtUlIk9naZVxSpeCLpYlnpYaZrmhe3m8O6b5sFz8=",
  "/device/notifications.js": "sha256-bLSj6pAANaZ4vAH37rWnwHCP8MG9yeGFMODEuLy5Hgo=",
  "/device/service-worker.js": "sha256-NMJAEAfiRf/sre7NW+jn2WYoBhhxBRsRCW2M68Tll34=",
  "/device/tabs.js": "sha256-DFoePodWGAiihWKpVEBMF067MqlrxveddQexXfM7a2s=",
  "/guest.js": "sha256-caUgFJY2Gd+6NC9E338iEUrEJNJJXEfPo8YgkUdwMbU=",
  "/icons/apple-touch-icon.png": "sha256-Cfnbt8EzfQgmgCbbEDm9GLBbDPULiOpRjLy9I1Fh2lY=",
  "/icons/icon-192.png": "sha256-6f322iQZR/QVcV0WlTu5RYx1vpjfNrSl8v9HTwWYcmY=",
  "/icons/icon-512.png": "sha256-qONdu8bKG7LMv5AdJt268NB6BJ7PE2RucF2M/fuEMAY=",
  "/icons/icon-maskable-512.png": "sha256-CplWW8HKDEaeJoQCmhRB929HWWx9fi6QEIDR3Bf5V24=",
  "/icons/icon-maskable.svg": "sha256-w/sz9wPOW///GdfCIqK4fQXO1DrFk0P9+6cH3uS5kfw=",
  "/icons/icon.svg": "sha256-vTkctUp3byJ25J0jvpJEkR441IAb379yjZw96awfca8=",
  "/index.html": "sha256-HoGT/zDtMywt+fjltWPPyodlCQoB0kpUT9MYbmc+f8E=",
  "/mail/changes.js": "sha256-w+r/EsZ82cGXN/W3PczHVqiUqud+T5DTIguT7MBoY/s=",
  "/mail/delivery.js": "sha256-bz59s+gpGXNd13A2KFyTnG/euBqvruPJRHpDNfV3/XM=",
  "/mail/erasure.js": "sha256-CE32lmkYEadoruetXrBcbv0WLfU71QehlNiufcHr+5U=",
  "/mail/files.js": "sha256-H/G783IFvx9vcWsG5Ime+9H3YoEQlCO0+SSrDAQNp0Y=",
  "/mail/inbox.js": "sha256-Zlxxo3B7N/zBq3zw+XHjyc/qqYMPhpRvlUdjpuqISC0=",
  "/mail/outbox.js": "sha256-o6gIbfAS5eRNUxtmpwbgJiD2cwU9ikFvB1n+TsdvpyY=",
  "/mail/page.js": "sha256-SFPildUerzialTo+DAsa7X0EJ4QDZdWDm8hw5cRiPtY=",
  "/mail/posts.js": "sha256-Lg7zM+gI42qBK1HGBj3DK0irqrvWye3TMMCHfn7mvG8=",
  "/mail/queue.js": "sha256-EscRmRqZ5A7nHGmnTt22+0EqWHQXOHRZJ4UmPfB5l/0=",
  "/mail/references.js": "sha256-8Cr/+AFoAy9IsOVqZk3ftStFtla/4sW1AQBTXHevaO4=",
  "/mail/sweeper.js": "sha256-8bIxres9V4BW2A0QdMLMwcRqpuuYdCItsTtE0iAfZU4=",
  "/mail/unsealing.js": "sha256-sbFBVPLrs1uB4DjTFOqVSbxmZoT1UGIj+f2YOCNgUsE=",
  "/manifest.webmanifest": "sha256-squvvN+0Knd8J/yjrt5nQa6fid4mqdIbNkUQYEU1Ygc=",
  "/protocol/address.js": "sha256-ZCWN/TQaCKY+NXK7YxS0UYKy/0akTxclF6H1tW+4l/E=",
  "/protocol/content.js": "sha256-fZANWtn1cfku+iPpniLbz9WmSmcq5Kf4Sq4IvF148Xs=",
  "/protocol/crypto.js": "sha256-Ah4dVUVzhQk+FkBPPx5se5seWXtJUCNFkeoCUV6QfTA=",
  "/protocol/devices.js": "sha256-rGHaqhbklFIZty9sfAwYqPoFepVMcFdQN9wjWlL0XBM=",
  "/protocol/encoding.js": "sha256-DWjHb7wIT84H+OLYoPP+SJ2rDFGbF+usZul9iIINx2c=",
  "/protocol/envelope.js": "sha256-8rwoPFcTSxiCHIGtME1EU6MCsb1p+98VKkSq08bqBi0=",
  "/protocol/envelope2.js": "sha256-6r3Zdmh3aO63AMDkNTmDKrBc7sZHiC6GPWSc3WbMP+E=",
  "/protocol/errors.js": "sha256-iPTk7ee1xVYEJbz9bbQqh62QwJDQxV1MQMl4dCVAkpY=",
  "/protocol/files.js": "sha256-j/Yef85Vpsv3DQ87Iw5paT+AmHYV253pDed1XGePNNA=",
  "/protocol/format.js": "sha256-a5hq1hBGU/6wHyDLvrXVTgXLC5s8Fnu39tkt3PZwt20=",
  "/protocol/kdf.js": "sha256-z+T0O73mlXlHjEvdh8kI3FnDtyTMj2DmPc8EqgLqCWY=",
  "/protocol/marks.js": "sha256-2OUBvx+yHKnsKGaEPeQtHwZsJSPr7QOvBidWCPdreOo=",
  "/protocol/text.js": "sha256-gM5zG51zsb7THMDjxo7avVOmQLLwlNFBgS0RFJdS0Og=",
  "/relay/api.js": "sha256-ibj0dXRCp0WrffcVaSSiixVz0QNw9F8XnGSFyH7nfl0=",
  "/relay/connection.js": "sha256-ale807BI5q4fahf5H95KRgMQA1e+IxPA2EHWm9luciA=",
  "/relay/contacts.js": "sha256-2cbQaPGij7ZZ8zgSDDI5Ia63JPHbOY+54AQSEVtqTf8=",
  "/relay/http.js": "sha256-UQ95NhFYMrg8tYjB35EqyfLL2SMx92C7seSSk+R7IIw=",
  "/relay/membership.js": "sha256-gxRqKy1+dosK9zlsg5tYaLFHnmINd+Vtx1rqK9b3SLU=",
  "/relay/relays.js": "sha256-8NW2os7pZMzvCZg3aRt3L4k7+pjovCRQkCfM6ih6Uh4=",
  "/relay/session.js": "sha256-j8m7tT5+p4fR3Wi6ozXpxZ7VK44jIeqxxXyUSUfuA+w=",
  "/relay/tokens.js": "sha256-ZBbPhNhm/01KId6dr5hAXDLPbN8pvN0S7CUDM6Uncdc=",
  "/start.js": "sha256-2o0Cd39tsCi/pF7F8yYxnV5oye8GiyN1dWJ47H7MrJw=",
  "/store/backup-content.js": "sha256-8avLyiZryS9rSnl/SbsVXDo/CZ+piUAw0tP+o2K485w=",
  "/store/backup-shape.js": "sha256-HwQFjd33XX7HXsQMhDlXtCbsir1e3qM/zgUYYdjqg3A=",
  "/store/backup.js": "sha256-rtG+4hOLPYr5Nq3WdtyyIuMLmTheg5nRU6l7oM1+lUo=",
  "/store/browser.js": "sha256-O4D9N2S3qoqga+Xm806N+W6/cJbswrjM5b1OJJC0jfM=",
  "/store/contacts.js": "sha256-eb3obKm5BKdDyEziWeWZBsXpnVcRNwOtLKcDCSNhuaI=",
  "/store/database.js": "sha256-5bE0Anh/fM+F89DTxfd5nLfXHXSRZiYKUVsGLsrx1i4=",
  "/store/history.js": "sha256-c83kLINfoiOBwC6kG80j79R1Q3xGW8b727amcwtoIkE=",
  "/store/identity.js": "sha256-iNQWz6tqCI+9UnGLaVy8iJi/cj7YV4/MtwdFYZXwOnQ=",
  "/store/indexed-db.js": "sha256-CM+V/ifhw0j9kGIEumFvhrLdjIsf1hZ3vh1m+MNalJI=",
  "/store/messages.js": "sha256-M0zRtmlfNlOtc0ybvRfipBUX56PpJoGzOwP4/9fRfd0=",
  "/store/person.js": "sha256-bZrK74aRTYO5q23Nv07e41rj1+0dQnDZGFcy/6yNki4=",
  "/store/store.js": "sha256-Bdx5ZPgKAqdUML41ylBryrKDCwzoLJirkmNLXdYO9oY=",
  "/style.css": "sha256-aJTwX0svy2MfGB12zEmij92WSQTuJjoro/R5HSiasF4=",
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
  "/views/answering.js": "sha256-GHk6dLAKV1DepxSm36xpc/sytZCKCbtI17M3hrRa1OI=",
  "/views/attaching.js": "sha256-9H/Ts46DAB+DxVyHXdV6H+ei60fyQHrfbLZJUm87TVA=",
  "/views/bubble.js": "sha256-7DNDVpv0/AM6eGqVrMioYEACeJC9asj+Ymgn9n9CMm4=",
  "/views/chat-search.js": "sha256-7JW6IEA4BW7Sil4xlN5uHrMje5TLuqO7TBDmThmapg4=",
  "/views/chats-view.js": "sha256-QIpZMO1gpWSwc53YUKXozxdYesys7icXXiWnTPHOZ+o=",
  "/views/composer-view.js": "sha256-o5+Oinh+cVcZ17rMKFzBrbmVHH0KBfnFcORjh2Q/v2I=",
  "/views/contact-view.js": "sha256-yvKHGGTZr+C7tWqre2DeBic2pOmDwqX38GCnkDQe8uQ=",
  "/views/dialogs.js": "sha256-LsA4WbRF2rrk2jEdGx96K2AImfQpBZdeiU0WLC4N2ak=",
  "/views/dom.js": "sha256-TtksApsNVx3xTqmfy6UsDRbu5K4VM2jYb+14/DYoyoI=",
  "/views/export-view.js": "sha256-snUFEnyWJ1DC2n7XKehLsb5mfzdXTNiU5g83ref+XpQ=",
  "/views/files.js": "sha256-2JW0iUXe2Md/6BeRcf7beShk+dXgQHShiB2OFvkgKlM=",
  "/views/keyboard.js": "sha256-vjGyX/gvexKSASkSuPwuYb5EAuZ6ZeUdKhlYsqimgpM=",
  "/views/keys-view.js": "sha256-X+zTCmjQECIbfjO0LqyM3WZv2CCuAs9IEPg2WITNyn0=",
  "/views/library-view.js": "sha256-Miy/uS4kxO4Y1N/VD4HK9QaxXqXwE9hwvxTzR3d/dpU=",
  "/views/media.js": "sha256-XTTa4OafevPFc+iTqzw72vYfvAnBgbhdoxUIdUXCUGc=",
  "/views/message-actions.js": "sha256-dyKyJGHiwM/DVoeWYNewRLrEk93pnuvXR0T7rXsuk6k=",
  "/views/message-extras.js": "sha256-5xro9LN8D8bZw+F/cbtmQOowC9+6Oq5NEGfpLi5zLKY=",
  "/views/message-menu.js": "sha256-V+yor4726oAaIryj8nslDcIwF3ZOf7mHY/Y9uzcNwp0=",
  "/views/message-row.js": "sha256-SI1BxYBHGuoX5eo1MD4KJ6/u4VIxxEaIWlhZ1tEBuJk=",
  "/views/message-window.js": "sha256-yDzUPUb9CVx80U4W3kt6xJCdkQvIKHHSVlcrpA7cKdA=",
  "/views/newchat-view.js": "sha256-WVgh/zVpimBQ+cwHca0SAl8r4wUQgS5KHpujFb+e100=",
  "/views/pages.css": "sha256-dP3+texhsshNPJExOB1/JFEr2isamhcod16qINBFnKQ=",
  "/views/router.js": "sha256-/IvMCbmGVFRJaJOn65oC7pCYEXvjn1sqVJCn30ntUlw=",
  "/views/server-view.js": "sha256-f+DvGhXI26sGsy/LimBPlKtslveTkyQRgqjlsfYvptM=",
  "/views/settings-view.js": "sha256-/yaNGJf8OQLkyogZl34kdEepM+wBsCG9wHq8HzgAvXQ=",
  "/views/status-view.js": "sha256-KBAvkoh00IzGMP3xcqVQyoLbGMdWAbUEi5QabkMHEbI=",
  "/views/thread-row.js": "sha256-oC5CVeUoGIUoc9PA0hlAd19EtPrjnuAX1iblQHhl2xQ=",
  "/views/thread-rows.js": "sha256-W4iGf+Ra1TQzR94RidsRnC1CKgkDIGd0iX4HpdBk2HY=",
  "/views/thread-view.js": "sha256-xDSxS9G9phqObRfFgNzIufKbNTPMZ3AnV45uPEGWmNo=",
  "/views/thread.css": "sha256-XTLtgd4ASCvqtFb04T21HltHypwsVAZEgS8AmL6S3CE=",
  "/views/threads-view.js": "sha256-gCQJdH5w6aMWO1QAB68zcmOxF3a2lH8E01N5gCiJ1Ec=",
  "/views/voice.js": "sha256-ylMG2U75uBemUDext+DpiZvz0TJPstRHEJT9eWV7guU=",
  "/worker.js": "sha256-JpZ6ZcI+IUVQxq96N3wLu43mLYl3TddsISX4E5K3kQ4="
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
