/**
 * One whole version of the page: it is fetched with the hash of every file, all or none, kept under the version's name, and from then
 * on answers before the network does. So the page opens without a network, and never mixes two versions. A newer one is installed
 * beside it, and takes over when the last tab is gone or the person says so. A relay's /v1 is never touched; messages live in IndexedDB.
 */
const VERSION = "2ecc7ee003bf691f";
const FILES = {
  "/app.js": "sha256-cfWltuL1LuUGQnktIJBCI/h4DIFXQPZZm/MLFBQS3vE=",
  "/client.js": "sha256-/ed4xUq4jEUeGo40l1lyUjoo2JOOnKsh/+XRXK1/p70=",
  "/device/notifications.js": "sha256-ckWjtZOfLpque6whxTybDCbQRNPDu9KJ0tfh9W0Zu5w=",
  "/device/service-worker.js": "sha256-/exLLu9nLx6XG5yDSKAFTKHruDvXyft5nej8BWbuKdg=",
  "/device/tabs.js": "sha256-lN8q74NLf3dTP5NyaHYjJ8piv000kzI6/O9VsXLqatw=",
  "/guest.js": "sha256-nfZyVzOAVH2Fo9X1cD1+rAjHrZStC/+jHZx7NVRmj28=",
  "/icons/apple-touch-icon.png": "sha256-Cfnbt8EzfQgmgCbbEDm9GLBbDPULiOpRjLy9I1Fh2lY=",
  "/icons/icon-192.png": "sha256-6f322iQZR/QVcV0WlTu5RYx1vpjfNrSl8v9HTwWYcmY=",
  "/icons/icon-512.png": "sha256-qONdu8bKG7LMv5AdJt268NB6BJ7PE2RucF2M/fuEMAY=",
  "/icons/icon-maskable-512.png": "sha256-CplWW8HKDEaeJoQCmhRB929HWWx9fi6QEIDR3Bf5V24=",
  "/icons/icon-maskable.svg": "sha256-w/sz9wPOW///GdfCIqK4fQXO1DrFk0P9+6cH3uS5kfw=",
  "/icons/icon.svg": "sha256-vTkctUp3byJ25J0jvpJEkR441IAb379yjZw96awfca8=",
  "/index.html": "sha256-CpqdWzlcU8Kjj2qC6McThLqr3BiKNWhalN0MHeVLeJ0=",
  "/mail/changes.js": "sha256-N1hvxtU6PHenN/5Jo3mhMy62FQZvMUBpL4OtyKtqTI8=",
  "/mail/delivery.js": "sha256-09VHfs29TYZN5L7V4xBtkbRe8LzhQd1sSY6EsHWoipc=",
  "/mail/erasure.js": "sha256-Wkt6RKWkVwcpAZFD+EeceWiNDfpR5ac/vDMmjbkOwp4=",
  "/mail/files.js": "sha256-PGGLN+CLIRwtK5Aw/U3LeZiRdgE2/RnFU5ZCPMZZ2b4=",
  "/mail/inbox.js": "sha256-3+WlcprLr3aBs8B0HLQf7PZiFG+8ssCXY7zyBEG771o=",
  "/mail/outbox.js": "sha256-4OhuT5RBn0HUEWz7Bh6FNSB4DkrjKaT+mfR0Q+WStzA=",
  "/mail/page.js": "sha256-WTx6C11lpclAnzUanBMloZZqNEeCItG4QNb9OmzgM9A=",
  "/mail/posts.js": "sha256-Jpdo6PbFwVntdqnGMS4vG+J+iJiDM+LqfSgnROboN1Y=",
  "/mail/queue.js": "sha256-N3xzlqgMiaXlUjJNwpMFg+XkCEtw+TDPTrbhTtLsyNo=",
  "/mail/references.js": "sha256-8UVcp+sRcP9IgWTe2cFjyXn+39E8bf1c8CDVk3jFUE0=",
  "/mail/sweeper.js": "sha256-s1yM3wOYdg5JM2PkR5jgmQ9bQM9J5O8P0IkWjXYTAH4=",
  "/mail/unsealing.js": "sha256-khY8fjnb7Ij+DC81fAkaxBqiHXC0d/g8eN6HqsSNtVk=",
  "/manifest.webmanifest": "sha256-squvvN+0Knd8J/yjrt5nQa6fid4mqdIbNkUQYEU1Ygc=",
  "/protocol/address.js": "sha256-e5YEA/D0XO+Cr0BtVxoS5kiSi13hvpr/tGmiWPr4kB4=",
  "/protocol/content.js": "sha256-EBX04+PCDNWMtqOh4raKRNnGcuKAkOFjjuYJPzncLJo=",
  "/protocol/crypto.js": "sha256-eUUq4XHWmZ08SuAa0uoyuKNO+UrZMuk4+DolqglOmqo=",
  "/protocol/devices.js": "sha256-3JKHHd2/zQpW4oH7Pr4YmFdbH4MqMxXZ+Pvu21x1L2s=",
  "/protocol/encoding.js": "sha256-VWxwEx2/EU6NXpYCLenF49nfIM98b9oPAlBoWpKG7oA=",
  "/protocol/envelope.js": "sha256-ey36ZIzpxIQGFEF50KUUzt4Uo3EpvFVgWOLgvSljo68=",
  "/protocol/envelope2.js": "sha256-CCGu7vCMG7Mzf9jUSm7YjJd2yMKEQQEev+PmYNA/tUY=",
  "/protocol/errors.js": "sha256-xNmezYkR9aBNtf61gXy5EFe+2k//P4EtODMJB5ABlqU=",
  "/protocol/files.js": "sha256-rM5BkrRCSkr3TcbJZJEqQBFe8HgEuJxCBi+Mlm9BqGo=",
  "/protocol/format.js": "sha256-KIUVAxqF0Uqm+3inWCD5Qv10qQdk8B27Iwp5Habn6Ko=",
  "/protocol/kdf.js": "sha256-zXiHiHGsOx+g/n6IvcC5cmANCO1J/ySGnsiKWmb8K/4=",
  "/protocol/marks.js": "sha256-VMxbcCqg7MPZNGYOYsaw7PbObhoIfet7j2CUUmcRdkM=",
  "/protocol/text.js": "sha256-nTG7D7XoE52RjKbtF/Nk+yOZNxEW6Tt1+KnbeTWD9u0=",
  "/relay/api.js": "sha256-rQpu8RnU+4fwtQnEdwqzeug6Hne6qFx0Yy2Qhj/CUKI=",
  "/relay/connection.js": "sha256-Uy0owSJaw9y3bYcB1rdtCNYf/YgLqBG7fRm0m1GpBxA=",
  "/relay/contacts.js": "sha256-TCY7yPITeDLQHBB/TiwlU9OogpffUfuQSwirFyjm+pU=",
  "/relay/http.js": "sha256-OUXfYZSTvuuUyUV82YOjqWJ4m5Ec/7pBwgpyNJ07AEs=",
  "/relay/membership.js": "sha256-jU7FeqVXGiOcvOrCoSxCTPIYL6uVW0gCSyJk6ntEPhA=",
  "/relay/relays.js": "sha256-QBHWq++Fg0bcfREsZjk7Sab5Tu6+DmQzaFZfkfciJPg=",
  "/relay/session.js": "sha256-V3mjXzXZ5cp4xSYWWsnHWqN5dMPeq3t+DOr4zkK52LE=",
  "/relay/tokens.js": "sha256-Q8HxZZulWYqgWUWVFMt4Mr9lG/e/e/NDsZYjDQt4aBo=",
  "/start.js": "sha256-NwHJN13JMe2TJUNEF0dnRFIREimh1TMH65sf28AQCyo=",
  "/store/backup-content.js": "sha256-CW+GYwcXW1mt+R0oVnzg47IIMiBe2KjNOnDaIz4yROc=",
  "/store/backup-shape.js": "sha256-CPT1qcE9cmbX0BFyVK9khTzUKJH2M9hnlcEk/fafy64=",
  "/store/backup.js": "sha256-3tX+isH3SV1fz8CByjaufkT00yPuN+wUAB2qi4NMVWE=",
  "/store/browser.js": "sha256-gi8w495oKki1K9U8yKwDGC6gvpey7gi8ao5LusyeDFU=",
  "/store/contacts.js": "sha256-ZPSzcPp01w3KzMsUZeNKgs1v/+Diwsz2dOrBcCqi3WQ=",
  "/store/database.js": "sha256-PDcMc/LmfeNdxIMWLdeCkqfqfOvSakAxrrYJ9DNTB/M=",
  "/store/history.js": "sha256-S+EaYMM4iDfeS84xXatasAII/7QuQvYmE19/wCiP/0E=",
  "/store/identity.js": "sha256-oU3eXzInKxOGrx0eIn8WeofqO29nW+WWCdiqSBUXYK4=",
  "/store/indexed-db.js": "sha256-Dz43bFIQL+AN0z0uIBElmWCIfE3Jt5n6mkZjgOFttbY=",
  "/store/messages.js": "sha256-tmnA5B6EgWt0Evl/fv2QfHXdHOPpkGZMgxbK4m3+8M0=",
  "/store/person.js": "sha256-SCcga/tGgrwsBrNP+wLf3p6KNClvJhbGGjHh3YYSxTc=",
  "/store/store.js": "sha256-tsqs8b9QBtpDFDC28KbhzrLVGjeNXdXZKEQuCpkxTWY=",
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
  "/version.js": "sha256-f8vJ1U5k9TIXpyn5ufHDbilg34lA2essBIo06Ar/Q5A=",
  "/views/answering.js": "sha256-Jc6x/BP4HEOYGzc/6iEMjh1cG8ekhSBZFWVs0YOGCwQ=",
  "/views/attaching.js": "sha256-Y8/bnZwRvEW+9DcNeyom+cHKQ5xNsgj8ZTR4WiJ8PN0=",
  "/views/bubble.js": "sha256-rVa73rKBYHphmZqoTQ3Q4OmTB7tb0lfVvclQuohcOTc=",
  "/views/chat-search.js": "sha256-Bjkm8TkOes5AbGy3n2/qKCW7M9Lb0Bi6GgpEHwLuxNY=",
  "/views/chats-view.js": "sha256-pjOLlvSADS8IjYsk1zqLIf2S0tM2ePT7UOkMTo/X7Gk=",
  "/views/composer-view.js": "sha256-iBy2OIx6AM/iIOVwlXG7kNY783LBM5duMdS3qcPppKs=",
  "/views/contact-view.js": "sha256-xjy50nWmCg0ylFvMyEdXVgc8hPHHhBql6ecdP0T7eGM=",
  "/views/dialogs.js": "sha256-wI5wrU4nMpFvvWFG4ES1qaNWMZWFtoZhjxoEJEWwgJ4=",
  "/views/dom.js": "sha256-FgRSFxMijuIe4day/KDBoSH/u3ZIXj7Fs2Qr0ak8mq4=",
  "/views/export-view.js": "sha256-mpXuRlxLLSIGzZli0DcE/+NUN8zWVz7G0NFKvTsl0yY=",
  "/views/files.js": "sha256-+JJHi/kSkP0kG+ZyyIbdW4lqaSTXi7mEZUhMGEToNWo=",
  "/views/keyboard.js": "sha256-hfDMSkyR/2Kk51uGjCXcZA3ZHSNESyq9GhvlSjmQTr0=",
  "/views/keys-view.js": "sha256-TdIsSy7HDZG77knV2W8QoYD2R8vzzf2SCuCGvdvc4WI=",
  "/views/library-view.js": "sha256-KY14Rnc9rQSqxIPEOn7i8vTcZJ22tz8JnIbeAWSr4RE=",
  "/views/media.js": "sha256-zXU7TVdipci+a65LsLlSUVUWndwj0WgaHlXHcnIZe7M=",
  "/views/message-actions.js": "sha256-u01zzpf6e5fyYgCGit4SVZDvUQ7z5RCFhwSucikZgBE=",
  "/views/message-extras.js": "sha256-AX7aaQV0eHS1ljA++7VLyHoTrhOxKS4e8p3l+HSQSlY=",
  "/views/message-menu.js": "sha256-dKFqI7Y/FK8zJJw+lgOv9wegbKBJKnh8hpfCyeYNy2g=",
  "/views/message-row.js": "sha256-Do6RztSILP5Q6zlv0+SjoMnmdzBA6X7iMToGdMttVsw=",
  "/views/message-window.js": "sha256-sPm6tN0zDrPuewrpBkabIe0VUKy9v8cSWubNzAo2RaM=",
  "/views/newchat-view.js": "sha256-23Sb3rkS4ZO+NtG+ODNxbCAxVFVYhpCZiXKosiNcdlI=",
  "/views/pages.css": "sha256-dP3+texhsshNPJExOB1/JFEr2isamhcod16qINBFnKQ=",
  "/views/router.js": "sha256-7NQ3lT83RPeUe1ENCaofw23WowapFZDt417mlU4GA5Q=",
  "/views/server-view.js": "sha256-iK1Pp79dR7hsOiBaqK1FjV4uQ/ByZrAD6sRNylIztpg=",
  "/views/settings-view.js": "sha256-6MEkqxf5+jNKvZa4YXYPuuKRPa1DabMTPZpYl3b+Zvc=",
  "/views/status-view.js": "sha256-ZDezjEFkLTrB46oNCHc0TAZC1u/ommTOZgb8Y7ou0a0=",
  "/views/thread-row.js": "sha256-0/G46vz+YYqmq8sirBVk1R0J0+f5tno+ovORa6dthGA=",
  "/views/thread-rows.js": "sha256-F16dfdAEM6LA8YG0yUoZCiDABMIlLPLJNNRIFU1RXOM=",
  "/views/thread-view.js": "sha256-kH/FGCo3r/FDpxbmZYREDJwkmWun8nu5WuNEEVG/KtY=",
  "/views/thread.css": "sha256-XTLtgd4ASCvqtFb04T21HltHypwsVAZEgS8AmL6S3CE=",
  "/views/threads-view.js": "sha256-s4Fg5BZnLIReZCsbqanDUzvtC4dlFmUL8DSU5BLnZX8=",
  "/views/voice.js": "sha256-a4MpYJYDljztamvshTa7YFT/ckNoMxPyTjUvHOmYdn4=",
  "/worker.js": "sha256-AuooTCoStw/TRBgNcdKrILnx6qnFaOqX32Elkvs7uhU="
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
