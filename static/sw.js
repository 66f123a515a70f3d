/**
 * One whole version of the page: it is fetched with the hash of every file, all or none, kept under the version's name, and from then
 * on answers before the network does. So the page opens without a network, and never mixes two versions. A newer one is installed
 * beside it, and takes over when the last tab is gone or the person says so. A relay's /v1 is never touched; messages live in IndexedDB.
 */
const VERSION = "7cebd1a071636beb";
const FILES = {
  "/app.js": "sha256-s5Zz56dsdV3YXBXy0G9Z1x4Aswx9ODKXYEbfpOr/oec=",
  "/client.js": "sha256-z3SVrJC3NL1SOlq7UBiVnES/yn5jvVdhOPDotqHADFM=",
  "/device/notifications.js": "sha256-MsjmFwULcfBmOt3yVYH+Uj+nZwyJI9Q/czHK/vc0LFQ=",
  "/device/service-worker.js": "sha256-/exLLu9nLx6XG5yDSKAFTKHruDvXyft5nej8BWbuKdg=",
  "/device/tabs.js": "sha256-lN8q74NLf3dTP5NyaHYjJ8piv000kzI6/O9VsXLqatw=",
  "/guest.js": "sha256-nCrNQ8mvcCrtCt96BapVewKO33q5K8Seibtp+xuYby0=",
  "/icons/apple-touch-icon.png": "sha256-Cfnbt8EzfQgmgCbbEDm9GLBbDPULiOpRjLy9I1Fh2lY=",
  "/icons/icon-192.png": "sha256-6f322iQZR/QVcV0WlTu5RYx1vpjfNrSl8v9HTwWYcmY=",
  "/icons/icon-512.png": "sha256-qONdu8bKG7LMv5AdJt268NB6BJ7PE2RucF2M/fuEMAY=",
  "/icons/icon-maskable-512.png": "sha256-CplWW8HKDEaeJoQCmhRB929HWWx9fi6QEIDR3Bf5V24=",
  "/icons/icon-maskable.svg": "sha256-w/sz9wPOW///GdfCIqK4fQXO1DrFk0P9+6cH3uS5kfw=",
  "/icons/icon.svg": "sha256-vTkctUp3byJ25J0jvpJEkR441IAb379yjZw96awfca8=",
  "/index.html": "sha256-ilT/4+WvLio48ATjssRKmzBVjFKgSEyPgdYG+0i+C90=",
  "/mail/changes.js": "sha256-N1hvxtU6PHenN/5Jo3mhMy62FQZvMUBpL4OtyKtqTI8=",
  "/mail/delivery.js": "sha256-09VHfs29TYZN5L7V4xBtkbRe8LzhQd1sSY6EsHWoipc=",
  "/mail/erasure.js": "sha256-Wkt6RKWkVwcpAZFD+EeceWiNDfpR5ac/vDMmjbkOwp4=",
  "/mail/files.js": "sha256-PGGLN+CLIRwtK5Aw/U3LeZiRdgE2/RnFU5ZCPMZZ2b4=",
  "/mail/inbox.js": "sha256-poXmq8G5EDInmT7CmLWWoQJmxqqraAEMeKrrLzqgw4s=",
  "/mail/outbox.js": "sha256-4OhuT5RBn0HUEWz7Bh6FNSB4DkrjKaT+mfR0Q+WStzA=",
  "/mail/page.js": "sha256-FsW7v0uidOF0hDy9dbMXuYAIeYmPr+g2cLSYeT94VHo=",
  "/mail/posts.js": "sha256-Jpdo6PbFwVntdqnGMS4vG+J+iJiDM+LqfSgnROboN1Y=",
  "/mail/queue.js": "sha256-N3xzlqgMiaXlUjJNwpMFg+XkCEtw+TDPTrbhTtLsyNo=",
  "/mail/references.js": "sha256-8UVcp+sRcP9IgWTe2cFjyXn+39E8bf1c8CDVk3jFUE0=",
  "/mail/sweeper.js": "sha256-s1yM3wOYdg5JM2PkR5jgmQ9bQM9J5O8P0IkWjXYTAH4=",
  "/mail/unsealing.js": "sha256-/HPUpM3dtc6/QpRjtajtRK0C4+C9SoRx5myeIYQ00yg=",
  "/manifest.webmanifest": "sha256-squvvN+0Knd8J/yjrt5nQa6fid4mqdIbNkUQYEU1Ygc=",
  "/protocol/address.js": "sha256-C5EixvLSsQaUXg3uvLVU9fNLYHq1BEdoKWR8vmBIphQ=",
  "/protocol/content.js": "sha256-EBX04+PCDNWMtqOh4raKRNnGcuKAkOFjjuYJPzncLJo=",
  "/protocol/crypto.js": "sha256-eUUq4XHWmZ08SuAa0uoyuKNO+UrZMuk4+DolqglOmqo=",
  "/protocol/devices.js": "sha256-3JKHHd2/zQpW4oH7Pr4YmFdbH4MqMxXZ+Pvu21x1L2s=",
  "/protocol/encoding.js": "sha256-VWxwEx2/EU6NXpYCLenF49nfIM98b9oPAlBoWpKG7oA=",
  "/protocol/envelope.js": "sha256-WN5qynrR/m0pAL/EqWnR4V1WQYwwkj1TSr0fnMLDWgs=",
  "/protocol/envelope2.js": "sha256-CCGu7vCMG7Mzf9jUSm7YjJd2yMKEQQEev+PmYNA/tUY=",
  "/protocol/errors.js": "sha256-xNmezYkR9aBNtf61gXy5EFe+2k//P4EtODMJB5ABlqU=",
  "/protocol/excerpt.js": "sha256-MYUZv5BnspTh2UgCtEdGgZZbartFE7tmNbACzSOZucM=",
  "/protocol/files.js": "sha256-tI/ng9fIROy4NROTZhOCfyRA4gMg5jSDbfb/zowvXdQ=",
  "/protocol/format.js": "sha256-KIUVAxqF0Uqm+3inWCD5Qv10qQdk8B27Iwp5Habn6Ko=",
  "/protocol/kdf.js": "sha256-zXiHiHGsOx+g/n6IvcC5cmANCO1J/ySGnsiKWmb8K/4=",
  "/protocol/links.js": "sha256-pdL5CmbwEOD6dlUfPebr0NT1TBeO2VnWfA6UoB/G8gg=",
  "/protocol/marks.js": "sha256-d+5TpYOXWIfM4NqQmfjVJXZlhJOYgrzqsjXtwyOPrjY=",
  "/protocol/names.js": "sha256-fVpHVRB6Iyx5GmVOtnyKc5Y7Zg6BXT3TCkqmnzvuE3A=",
  "/relay/api.js": "sha256-rQpu8RnU+4fwtQnEdwqzeug6Hne6qFx0Yy2Qhj/CUKI=",
  "/relay/connection.js": "sha256-j86LKNouv2idv8anSNVt5a/ltwHTDIlhDx9gJ/ntsKE=",
  "/relay/contacts.js": "sha256-TCY7yPITeDLQHBB/TiwlU9OogpffUfuQSwirFyjm+pU=",
  "/relay/doubt.js": "sha256-1/6Bf0MMyYCsrOst6PleMtkwxkk0nlK8aFK09t98r7E=",
  "/relay/http.js": "sha256-xyrEgeKBWiLDidbuekquw2kOwamz/2F76CofoT7XT/s=",
  "/relay/membership.js": "sha256-6ZHaiYXZLrhuGLs3BjJvIaR0A13AA4r6H4qgbMKcqa0=",
  "/relay/push.js": "sha256-C8XNeAm4cc0G3VD80CZ0o5jJ97uFafcSzgnGPBv3lG0=",
  "/relay/relays.js": "sha256-rw7XO1V3Ghz0FYBh8X1aLAUkHk+/twtQdWMizUqF+eM=",
  "/relay/session.js": "sha256-V3mjXzXZ5cp4xSYWWsnHWqN5dMPeq3t+DOr4zkK52LE=",
  "/relay/tokens.js": "sha256-Q8HxZZulWYqgWUWVFMt4Mr9lG/e/e/NDsZYjDQt4aBo=",
  "/store/backup-content.js": "sha256-FNAOxQiGh7nCXYpNBIdaJ9TaUYQyXvhl3ftxty0z57w=",
  "/store/backup-shape.js": "sha256-CPT1qcE9cmbX0BFyVK9khTzUKJH2M9hnlcEk/fafy64=",
  "/store/backup.js": "sha256-3tX+isH3SV1fz8CByjaufkT00yPuN+wUAB2qi4NMVWE=",
  "/store/browser.js": "sha256-gi8w495oKki1K9U8yKwDGC6gvpey7gi8ao5LusyeDFU=",
  "/store/contacts.js": "sha256-O/KvjHQmR867YgRj09rpVQCKGJTeNEKopEi2z+ea8pg=",
  "/store/database.js": "sha256-PDcMc/LmfeNdxIMWLdeCkqfqfOvSakAxrrYJ9DNTB/M=",
  "/store/drafts.js": "sha256-ZTvNF97SSV6empAgZ6MLy+CzIHQ6UZEMUnGRF8RcVWM=",
  "/store/history.js": "sha256-Hd4eZswn7Ozw6EQEyEwz2V2QAKe4Ga9rGH8IEVskHEI=",
  "/store/identity.js": "sha256-VmaSCB5fA/CNsW7TVrvOS9CzkI1DdTFRZOYP17Ea7iA=",
  "/store/indexed-db.js": "sha256-Dz43bFIQL+AN0z0uIBElmWCIfE3Jt5n6mkZjgOFttbY=",
  "/store/legacy.js": "sha256-m6bRWidrhHtUS7b+hC2ik83hcqx4tAWsJiq/pcTtWhE=",
  "/store/messages.js": "sha256-rE6p0vapH0w2cWSktwNl/6Q0xo79czXa0oBNGc8+jtk=",
  "/store/settings.js": "sha256-2avN3RJK2dgiQRVj9h/rBLJYNA5Byt4IcAxcqDBwyEk=",
  "/store/store.js": "sha256-tsqs8b9QBtpDFDC28KbhzrLVGjeNXdXZKEQuCpkxTWY=",
  "/style.css": "sha256-yMnpfTQa4A+HBoCEM49T6B00vY4gEwymwPtqdecK+zw=",
  "/theme.js": "sha256-UhCKos81Saq35Ypq8DNftXXwJify1nCuaR6VpH3Lf7U=",
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
  "/views/answering.js": "sha256-Dwjwv3fap6ytHtwb4YMFDIPJVjNgtw96D1RuKiKREyE=",
  "/views/attaching.js": "sha256-Y8/bnZwRvEW+9DcNeyom+cHKQ5xNsgj8ZTR4WiJ8PN0=",
  "/views/bubble.js": "sha256-o4u99Ogr9umGdkxeMzLfPXF+zU+zuxnSwszwVzL/CGQ=",
  "/views/chat-search.js": "sha256-qhK7aUFM6drAh++oTaHFjKT5yqCvcIzzxbZzJ5Y5K7w=",
  "/views/chats-view.js": "sha256-n8wohMNZz6axFuG7AxRJ1WVTLZnxWjlRoeCeTBt/GLY=",
  "/views/composer-view.js": "sha256-iBy2OIx6AM/iIOVwlXG7kNY783LBM5duMdS3qcPppKs=",
  "/views/contact-view.js": "sha256-hVua5mgcKcHeeF4e/dzHuC1p8ZcFwIDIlBwgTkQBcuA=",
  "/views/contact.css": "sha256-OYmy++SLJes0dWAS8LlESCQPe/QvUZBYY5ZCpiPvshA=",
  "/views/dialogs.js": "sha256-wI5wrU4nMpFvvWFG4ES1qaNWMZWFtoZhjxoEJEWwgJ4=",
  "/views/dom.js": "sha256-FgRSFxMijuIe4day/KDBoSH/u3ZIXj7Fs2Qr0ak8mq4=",
  "/views/export-view.js": "sha256-mpXuRlxLLSIGzZli0DcE/+NUN8zWVz7G0NFKvTsl0yY=",
  "/views/files.js": "sha256-+JJHi/kSkP0kG+ZyyIbdW4lqaSTXi7mEZUhMGEToNWo=",
  "/views/forward-view.js": "sha256-gbJlDxtPJco97a1XMCuVqxVW4X7StNfIoTvaHESHFqU=",
  "/views/guest-view.js": "sha256-vGwyO3Y0j/HLSm6SKxNG3ufFb1VRUBfedwbzQh9aNFw=",
  "/views/keyboard.js": "sha256-GqAdadMBVeLAP7a8yZZfAgFNst2P7WJ12+xAYs20IBc=",
  "/views/keys-view.js": "sha256-dXOIPuHEU0cQ7Ya2h7W08JlbDB6g5zP9jWudyy56lDo=",
  "/views/library-view.js": "sha256-+SgUavzkuv/h3PIXCifGrq2U5mjrZAwWGp/NwaX1ngw=",
  "/views/list.css": "sha256-TuFGPqP5rxTuRe6XhtZJqVqjPRc8b01n2Is5nKdKXIc=",
  "/views/media.js": "sha256-oUw3aFwucRRxRbUHkk1Z9xvEWzi/QbhA5LHU0pTlFks=",
  "/views/message-actions.js": "sha256-AJwNZxFRz25HmILPyI6nV3/jF/bYXHznxqJYYfqfCHo=",
  "/views/message-extras.js": "sha256-b2bu9M6d7hWkLjAQv8XSAqgH7rM6kw8ZLeF4v+GyZsU=",
  "/views/message-menu.js": "sha256-eLGNQK2IPDQmMkSkvfsYr0VbQCdJoCAlgEXE+zdBBCA=",
  "/views/message-row.js": "sha256-OqwgNo/g9hdabHEVvmxyYvr1SqmlM9ZYzjcv6blVRrk=",
  "/views/message-window.js": "sha256-sPm6tN0zDrPuewrpBkabIe0VUKy9v8cSWubNzAo2RaM=",
  "/views/newchat-view.js": "sha256-SqPG8ni9RIp3aeUnKu/DBmiaNmTnVwOY01bRuqd7hpo=",
  "/views/pages.css": "sha256-5Qpd/BjBZTAI5zCvckAvgnqrLXRICYSN3Sjd2tpoPgI=",
  "/views/qr.js": "sha256-6Qe24bzDj6HoRPrJcMt5fDmyLZgzdXW6vyeLdMqOFeU=",
  "/views/router.js": "sha256-8qNqPIvDNsKDjBsmrCxFN1P6ya1lCYNI1xV80Amz/bg=",
  "/views/server-view.js": "sha256-iK1Pp79dR7hsOiBaqK1FjV4uQ/ByZrAD6sRNylIztpg=",
  "/views/settings-view.js": "sha256-6MEkqxf5+jNKvZa4YXYPuuKRPa1DabMTPZpYl3b+Zvc=",
  "/views/shell-view.js": "sha256-Pwdn/hYoRzrzAX1bj9ybg7dpNaYzWb5kGrKP4PjId0w=",
  "/views/status-view.js": "sha256-ZKE5CseMVe8j2Zqe5pF/JucodydD5fvGoOT6B955IKQ=",
  "/views/thread-row.js": "sha256-1gx7dL91WW26tYtefwZDfc+DIfMfXKnH/hwmKtr1VBE=",
  "/views/thread-rows.js": "sha256-F16dfdAEM6LA8YG0yUoZCiDABMIlLPLJNNRIFU1RXOM=",
  "/views/thread-view.js": "sha256-kH/FGCo3r/FDpxbmZYREDJwkmWun8nu5WuNEEVG/KtY=",
  "/views/thread.css": "sha256-XTLtgd4ASCvqtFb04T21HltHypwsVAZEgS8AmL6S3CE=",
  "/views/threads-view.js": "sha256-s4Fg5BZnLIReZCsbqanDUzvtC4dlFmUL8DSU5BLnZX8=",
  "/views/voice.js": "sha256-a4MpYJYDljztamvshTa7YFT/ckNoMxPyTjUvHOmYdn4=",
  "/watch.js": "sha256-uzyvVyW8AgUET4Bdrg4zo1vMBoEAeWkIYG431u61ris=",
  "/worker.js": "sha256-+riZbe9Mmk+SUWWitnjZml89nuTdViD86BIG5M1RjqQ="
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
