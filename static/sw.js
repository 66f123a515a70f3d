/**
 * One whole version of the page: it is fetched with the hash of every file, all or none, kept under the version's name, and from then
 * on answers before the network does. So the page opens without a network, and never mixes two versions. A newer one is installed
 * beside it, and takes over when the last tab is gone or the person says so. A relay's /v1 is never touched; messages live in IndexedDB.
 */
const VERSION = "f02b3bf5c8042faf";
const FILES = {
  "/app.js": "sha256-qH/GecHqho7aWHYGlkFgJrK69c1Zfz0yhuITHNrJNbo=",
  "/client.js": "sha256-ocaUnxWFkPe9DjJVj4oyELjP/2Nwj2Ciu2UqlnsYfVs=",
  "/device/hashes.js": "sha256-KpQq6QHMuY7UDuBnMeAM36WwwRaQpHN93rcL2MZJptE=",
  "/device/notices.js": "sha256-0cUkV1WIPVy8cyefu90ktDHmXkU+kNLzarcIhUxpBxw=",
  "/device/notifications.js": "sha256-zkhlrGyxDDsvVtgvGBoNMql/VGp/tGHDz68R4ELJ6BM=",
  "/device/service-worker.js": "sha256-fLPqPMrNd+usF5T+DcQSiQDhJwXjTP9m7lGeEHgX0DA=",
  "/device/sound.js": "sha256-BWAM5Ws7QztHxnoGtwMaNVoMCJls6dW95WzClibLZBM=",
  "/device/tabs.js": "sha256-p40n5YK6M/kqu/r5hOSklQhHrAoZX1FkttVUbWCq7JQ=",
  "/icons/apple-touch-icon.png": "sha256-Cfnbt8EzfQgmgCbbEDm9GLBbDPULiOpRjLy9I1Fh2lY=",
  "/icons/icon-192.png": "sha256-6f322iQZR/QVcV0WlTu5RYx1vpjfNrSl8v9HTwWYcmY=",
  "/icons/icon-512.png": "sha256-qONdu8bKG7LMv5AdJt268NB6BJ7PE2RucF2M/fuEMAY=",
  "/icons/icon-maskable-512.png": "sha256-CplWW8HKDEaeJoQCmhRB929HWWx9fi6QEIDR3Bf5V24=",
  "/icons/icon-maskable.svg": "sha256-w/sz9wPOW///GdfCIqK4fQXO1DrFk0P9+6cH3uS5kfw=",
  "/icons/icon.svg": "sha256-vTkctUp3byJ25J0jvpJEkR441IAb379yjZw96awfca8=",
  "/index.html": "sha256-uGkwfND4nRv+8edZV0uTTKhv1CFx6xPsvk2Y4LW6YcU=",
  "/mail/arrivals.js": "sha256-PTEYy3gnLBaEN0C13U9EP/BkH/iAgj5Ctw4kf27PpBc=",
  "/mail/delivery.js": "sha256-L3KHvfPl0mWjaYFc43WKHT/ea080hMBi+uHSNTSQP9c=",
  "/mail/inbox.js": "sha256-C1uS+UBqszWxxC98XigIWXLc4nqWqaXSwWH3LleNFE0=",
  "/mail/outbox.js": "sha256-bWaXtpEBaMAp8kClcL9r1EF7ESsVoEgHv0+mtc69kNM=",
  "/mail/queue.js": "sha256-37WSP1utlaoIW6tkMyZcORa0Hki4ZIAXnH9XkzkSKQM=",
  "/manifest.webmanifest": "sha256-6ruN2zIglmXbUIINQzvzO1VYWTFpuk9Z9lQbmPkijrw=",
  "/protocol/address.js": "sha256-V0edX7AlupzzzMRovpr1Iazl/ydjZbPssTm3kUEEC+s=",
  "/protocol/crypto.js": "sha256-cI/hjzWr45UtjxKAzn3qByQTVlLAVbHE2DogAXG7cig=",
  "/protocol/encoding.js": "sha256-Uu/YLRofo9uQN1ZTBrAw2jXLTo1VolL4FkhFZvCmMj8=",
  "/protocol/envelope.js": "sha256-G+mV0/WundwVhYSOMTMsSahv6tnASAvvLKflVlGMxnU=",
  "/protocol/errors.js": "sha256-qbI+iNRoSrY85xWI4HZWo29BS0o0zMAY+L55iDDN7n8=",
  "/protocol/excerpt.js": "sha256-dxpdahhQK58Aoq8BZcX9TSl59I7LV5sJTzaQDSrdCJY=",
  "/protocol/format.js": "sha256-kGqv2PZJEGM+t0drUpk2HRQVXb4UwDwQu2q8dmipCw0=",
  "/protocol/invite.js": "sha256-OWogozYzfq1Q0Qfk22FBr5xMM6CmJYC26r9b0xywWH4=",
  "/protocol/kdf.js": "sha256-Qh5LAVzgzdDcoghg4Yn++BWxvgkj4VcSoXkUUctlTmE=",
  "/protocol/links.js": "sha256-pdL5CmbwEOD6dlUfPebr0NT1TBeO2VnWfA6UoB/G8gg=",
  "/protocol/safety.js": "sha256-JFESLtEoyO74QTxlCGTIVdPAmRmw/ynjRk6NlQX0D1U=",
  "/relay/api.js": "sha256-vSmRHLpKnqmaknXXhhrUdgW3lmJlyOKcqrbZ1upnZk0=",
  "/relay/backoff.js": "sha256-6yNyyiYc74fh9279IUd2Gzwwj7X0Q5rBdEU17wpQl30=",
  "/relay/connection.js": "sha256-wdsND243+FdBtx3DJnLYuBHM6IMBfTi43sblRd0BWgA=",
  "/relay/contacts.js": "sha256-sJeHjASwu4fenI2zhpybuy87rIBxTILa/TGCXBBgukA=",
  "/relay/http.js": "sha256-oyqmXRo//sQKRXuDm9M78s9wv+bC0ajyVHKDjqhYT/A=",
  "/relay/registration.js": "sha256-u+fZLuDDZShCaMrXZWyMLmIWLdVEgFdErMLaTfEbyK0=",
  "/relay/relays.js": "sha256-Ppk4wvTboTuDstQub7JHLmPCITGOetZyPKSqEonfN5A=",
  "/relay/session.js": "sha256-yvQR6K0q887sj3dP6HGaAHVd+gSwgfJVRnZglOrL6pE=",
  "/relay/tokens.js": "sha256-zPMKDGeg+C3UPCxqRXAA27SVZmtudnSNUSH6HUWVuXc=",
  "/store/backup-content.js": "sha256-XaLg3eW2JLp9NOSBdEpIZNPGeQrKW/HffU3mbQy59kY=",
  "/store/backup.js": "sha256-FZJIaHu0SQPqEKdsefO8tVKlW51EYeAZlUakj95vSyk=",
  "/store/database.js": "sha256-mJ5h5W7e4xP10SNLvjRBgCY+AXJIcoYa45shxg+p70w=",
  "/store/drafts.js": "sha256-CvS0A64pzGaMggOETL420wAGbzJbV4WE0cMkPhJ5VkA=",
  "/store/history.js": "sha256-si5qegHLqC0saXO7ZRcq4IgU+KXpBeflwrh+DSmBJPM=",
  "/store/identity.js": "sha256-ENuG2qHz/OsnbytyZXSjgqlR8G2UVul6ug+2P95D7dc=",
  "/store/legacy.js": "sha256-DVm3fn4qSheCjRWlse3se19umM3LWyAAlhQrxyOauww=",
  "/store/messages.js": "sha256-SlXkBgGKfpd9ralx/Ycd4kSyc1aSgcIf9W7UwJ+pxDU=",
  "/store/search.js": "sha256-CYdvCfXh7NnGDL3hBYMe+gnkWBPySi2GU1CK0zUVKZE=",
  "/store/settings.js": "sha256-3prUrsgRPS4eImHxsktQZ3g0uVpUNHo9n8WNN/Fm4hI=",
  "/store/shared-events.js": "sha256-ASFmRXnakophV46rO+MD8UNN9jAs5jA10PWQgdvwYUA=",
  "/store/store.js": "sha256-3hXmSKO/QGufkrkRfWmncFB9u97AJR3y3m/kkOLUO78=",
  "/style.css": "sha256-r7WkfcZz+et1fDzefRLxvIOWFk2zmpqXCZphUXQMxhQ=",
  "/theme.js": "sha256-NKJoe9FZk4zdepP2/ZMGe7blGD1YJg8rYlIymrhKd2Q=",
  "/vendor/LICENSE.lean-qr": "sha256-3Gcrgp4FTWwQLah3bTJ/JvJ+3B+IdAwYeKfKW5902nM=",
  "/vendor/LICENSE.noble-hashes": "sha256-TyIa7m4HIzZwDECMaKs7lqP8Cfauvm9I8b2Z5e8T+uw=",
  "/vendor/LICENSE.tweetnacl": "sha256-iNm062BXnBkew5HKBMFhMFctfu3EqG2qWL8oxuFMm80=",
  "/vendor/README.md": "sha256-lohS5wNAMv1tpwBq5HwWwxUUCCvmkzHrklGCSf7Oqfg=",
  "/vendor/lean-qr.mjs": "sha256-DOQc1vkswjzwV6Hffhs4dnZ9Z4Zl3WWvTh0itPrZZ9w=",
  "/vendor/nacl-fast.min.js": "sha256-PsU1wASu6yJXhdjpP7M7+Z9S45m9ffwBlptWKbrqUTE=",
  "/vendor/noble-hashes/_md.js": "sha256-YM8wEP2onj5NPw5/8c4knpxGfzS0/UG2/WEB2fab52M=",
  "/vendor/noble-hashes/_u64.js": "sha256-sJ2owH/oGHwHZJSUzbfNC88T35C1BqlHPRnk1fjC4QI=",
  "/vendor/noble-hashes/hmac.js": "sha256-/sn4867aeF6i3pHMTAWdVO+YGWJhwCbEP0g0EAeuUsk=",
  "/vendor/noble-hashes/pbkdf2.js": "sha256-YrdbVGWomvBSqAvevn4Dg7oBZIsS9kh3zihaLpiWxxM=",
  "/vendor/noble-hashes/scrypt.js": "sha256-o4oCBiB3b6XFfADxUb3BAzwZKCfJ2EGZbarykSLqgsE=",
  "/vendor/noble-hashes/sha2.js": "sha256-RxdGu6bsTGI4ykE1jR07QLb/Mc8zY/C01VDGScGo6Ds=",
  "/vendor/noble-hashes/utils.js": "sha256-A3rUmtt4FotraZWY/TP4X3h3RWsdKLTQMuKhoWgHlHw=",
  "/version.js": "sha256-Zk1AUYReKztgk7JvdmVdkQzwrwn8xPEXc+mzSnyJZf4=",
  "/views/about-view.js": "sha256-8rToNIPfs0Wv3W9ac5tqtfDDcV0G32Zo1u+WHvVJPyw=",
  "/views/announcer.js": "sha256-5MdPUbM02ViqwaV46WYaIPDePF57X5t2AKn/UhB3dyA=",
  "/views/backup-view.js": "sha256-kQQa+euZzqktoOXOQGWbGQ4zffRT1zENeU0yGdipfrg=",
  "/views/bubble.js": "sha256-8TYi0aK85N0V50xDTpTt46B61sRkEz4qsitovgZxGCk=",
  "/views/chats-view.js": "sha256-WFlNc3NrdDMgSG50uzds5z+oL+sCof7aVi9n+w9be60=",
  "/views/composer-view.js": "sha256-s9+xMW6/13lAWcOFoB/bihr/pButHbKBBrmnSfi1XZc=",
  "/views/contact-view.js": "sha256-89vgblExNNJryvz4rssELzf0QtmEEyDd6BS0/3ihn9M=",
  "/views/dialogs.js": "sha256-GW/pYXXJ4LXEUZX/wyJlVBk2ShZTEfIHmqBGkK3We9I=",
  "/views/dom.js": "sha256-Tig3ISL3M4sox8u5EBkSKYhA3RFvjKburNNxLchkwb8=",
  "/views/identity-view.js": "sha256-90CAIlRWNthEGgNLvhlUwjBTzFYCocXoBt1UESRJpgw=",
  "/views/keys-view.js": "sha256-chHtv9w4wgjHYNky2WEe+y8700RjRSaYozf4Cd+ecvk=",
  "/views/library-view.js": "sha256-tnDdFE/GmU3rOlzGemPHPspJLPFkPDrnlOsMtqvvkkc=",
  "/views/message-row.js": "sha256-pGi395nFzfHlZMRSR/0CE7F14PYXRMLqNex68gfEjO8=",
  "/views/message-window.js": "sha256-hzePjJm3/uKSue24rBSFHN6AEtqxkXNa6MCkOjgdvbA=",
  "/views/newchat-view.js": "sha256-nIKis8GZpxdev8+v8Zc+eZbC4y7RtKKp8/2gB7cuRfI=",
  "/views/open-chat.js": "sha256-KHOxhhWesyFsHW3E3g3TkgxpTkwAJLVgwbD714RLzBQ=",
  "/views/qr.js": "sha256-yYdTS6Cp3tk8lYhVxKrRDnuh/igFCHNXX3wG3WiAZTg=",
  "/views/questions.js": "sha256-vdl5V8gCTDKZzGadqsZiQym6dDCLtw78vM674+YO2cw=",
  "/views/relay-questions.js": "sha256-G9wVSddcg+qpUiOvCvesSyuY7vd1mxlm08tUUKzcj7o=",
  "/views/router.js": "sha256-2NRCsaOhkjw88pT5pZ5NgQhP/C1Uiqdwws7byzeuZdA=",
  "/views/server-view.js": "sha256-CHJKHTL8WG3cuKotCCjXSZAXDeZdSJdN7o9KuwpCNeM=",
  "/views/settings-view.js": "sha256-fTkP1TDp6/xA3XjPpUHEOxE/LKGacv41GU02hr8CGjA=",
  "/views/status-view.js": "sha256-yMS6bcBlAKDXBTbd7KjiHBZYcud5KLq9GZv4RS++CXA=",
  "/views/thread-view.js": "sha256-NazBYgI70eFQOz2bc5d+5gI2Wd4/pGzXpVhs8cPySPM=",
  "/views/threads-view.js": "sha256-/5uil0ig3MRNreHJErNqWxWcKmhfCg4B7IG1g8YXtfc=",
  "/views/toast.js": "sha256-vqum77IfrB+9JavB3QCH5c1kqY7qo3CTMIUFalIZ4hI=",
  "/watch.js": "sha256-bSpcQ/iuNH4RfBZsF6tC/eozpHx13fH4rTFfwr5leLw="
};

const PREFIX = "io3233-";
const CACHE = PREFIX + VERSION;
const PAGE = "/index.html";
const VIEWS = ["/", "/newchat", "/chats", "/server", "/keys", "/library", "/about"];
/** What version 1.0.0 kept. Its pages fetch modules late and know no update: one that is still open gets them until it is reloaded. */
const FIRST_CACHE = "io3233-shell";
const FIRST_MODULE = /^\/[a-z-]+\.js$/;
const asked = new Set(); // ids of the pages that know of updates

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("fetch", (event) => {
  const path = pathOf(event.request);
  if (path) event.respondWith(kept(path, event.request));
});
self.addEventListener("message", ({ data, source }) => {
  if (data.type === "take-over") self.skipWaiting();
  if (data.type !== "version") return;
  asked.add(source.id);
  source.postMessage({ type: "version", version: VERSION });
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openThread(event.notification.data));
});

/** All files or none: `integrity` refuses what a proxy altered or put in their place, and an error ends the installation. */
async function keepAll() {
  const answers = await Promise.all(Object.entries(FILES).map(fetchFile));
  const cache = await caches.open(CACHE);
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

/** Opens the thread of a notification's latest message in a tab that is there, else in a new one. */
async function openThread({ counts }) {
  const fingerprint = Object.keys(counts).at(-1);
  const tabs = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const tab = tabs.find(({ focused }) => focused) ?? tabs[0];
  if (!tab) return self.clients.openWindow(`/chats#chat=${fingerprint}`);
  tab.postMessage({ type: "open-thread", fingerprint });
  return tab.focus();
}
