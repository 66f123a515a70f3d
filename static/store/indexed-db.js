/** The schema, promises around requests and transactions, and what can be wrong. */

// A change of the schema raises VERSION, and PROTOCOL.md says what a backup holds of it.

export const NAME = "io3233";
export const VERSION = 3;

/**
 * kv          the identity, this device's id, settings  key: name
 * contacts    one record a contact             key: fingerprint
 * drafts      unsent text                      key: the contact's fingerprint; and what it answers or edits, as JSON: answersKey
 * messages    both directions, all contacts    key: seq (order of arrival here)
 *             index thread [contact, seq]; queued: contact, of messages still to be sent only; envelope [contact, envelope id];
 *             gone: when a message with a timer goes; file [contact, direction, file id]; moving: "to <fingerprint>" while parts of a
 *             file wait to be sent, "from <time>" while some are missing: when they are asked for
 * parts       the octets of files, 64 KiB each  key: [seq of the message, n]; index id: of an own part's envelope
 * seen        (sender, envelope id) of all that ever arrived, kept after a thread is removed so that no replay returns it
 * relays      cursor, token and pinned key     key: origin
 * sessions    of protocol/devices.js  key: the contact's fingerprint
 * posts       what goes out beside messages    key: n
 *             index queued: contact, of what is still to be sent; sent [contact, envelope id], for who could not open it
 * references  edits, deletions and reactions that came before their message  key: n; index of [contact, envelope id]
 */
export function upgrade(db, transaction, old_version) {
  if (old_version < 1) createFirst(db);
  if (old_version < 2) createSecond(db, transaction.objectStore("messages"));
  if (old_version < 3) createThird(db, transaction.objectStore("messages"));
}

function createFirst(db) {
  for (const name of ["kv", "drafts", "seen"]) db.createObjectStore(name);
  db.createObjectStore("contacts", { keyPath: "fingerprint" });
  db.createObjectStore("relays", { keyPath: "origin" });
  const messages = db.createObjectStore("messages", { keyPath: "seq", autoIncrement: true });
  messages.createIndex("thread", ["contact", "seq"]);
  messages.createIndex("queued", "queued_for");
}

function createSecond(db, messages) {
  messages.createIndex("envelope", ["contact", "envelope_id"]);
  messages.createIndex("gone", "gone_at");
  db.createObjectStore("sessions", { keyPath: "contact" });
  const posts = db.createObjectStore("posts", { keyPath: "n", autoIncrement: true });
  posts.createIndex("queued", "queued_for");
  posts.createIndex("sent", ["contact", "id"]);
  db.createObjectStore("references", { keyPath: "n", autoIncrement: true }).createIndex("of", ["contact", "of"]);
}

function createThird(db, messages) {
  messages.createIndex("file", ["contact", "direction", "file.id"]);
  messages.createIndex("moving", "moving");
  db.createObjectStore("parts", { keyPath: ["seq", "n"] }).createIndex("id", "id");
}

export const ALL_STORES = ["kv", "contacts", "drafts", "messages", "seen", "relays", "sessions", "posts", "references", "parts"];

/**
 * Writing transactions ask for this store, too, so that they come one after the other in all tabs. A Chromium that is killed while two are
 * under way, as phones do in the background, can't undo both at its next start: it calls the database corrupt, and deletes it (156.0, each
 * time it was tried).
 */
export const ONE_WRITER = "seen";

export const answersKey = (fingerprint) => `answers ${fingerprint}`;

export const result = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function settled(transaction, names, work) {
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "AbortError"));
  });
  const stores = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
  const working = (async () => work(stores))();
  const [value] = await Promise.all([working, ended]);
  return value;
}

/**
 * Calls `slow()` where an open database does not read within so many ms; resolves once it does, or fails, as the next readings will tell.
 * WebKit holds one for ever where a page went away amid transactions (its bug 324094).
 */
export async function firstReading(db, ms, slow) {
  const late = setTimeout(slow, ms);
  try {
    await result(db.transaction("kv").objectStore("kv").count());
  } catch (error) {
    console.debug("The first reading failed:", error.message);
  } finally {
    clearTimeout(late);
  }
}

export function abortIfActive(transaction) {
  try {
    transaction.abort();
  } catch (error) {
    if (error.name !== "InvalidStateError") throw error; // it had already ended
  }
}

export const SENTENCES = {
  forbidden:
    "This browser does not let the page store anything here, so keys and messages can't be kept. Allow site data for this page, or leave private browsing, and reload it.",
  slow: "The browser does not open what is stored here yet. Close this page in other tabs; if that does not help, close the browser and open it again. Nothing is lost.",
  lost: "The browser closed this page's storage. It is opened again by itself; what you type is kept meanwhile.",
  stuck: "The browser does not open this page's storage. It is tried on by itself, but often only a reload helps, or free space on the disk. What you typed is kept.",
  full: "This device has no room left: free some space, and all goes on by itself. What is stored stays, and what you type is kept.",
  outdated: "This page is open in another tab in a newer version: reload this one. What you typed is kept.",
  dropped: "The browser deleted what was stored here.",
};

export const FINAL = ["forbidden", "outdated", "dropped"];

// Asked before a database is opened: Chromium deletes one that it fails to open on a full disk.

const BYTES = 256 * 1024;
const PATIENCE_MS = 3000;
const CACHE = "room-of-io3233";

/** No private file system: older, over plain http, or none for this page. */
const NOT_HERE = ["TypeError", "SecurityError", "NotAllowedError"];

/** True also where it can't be found out soon: the page must not wait. */
export const hasRoom = () => Promise.race([tryIt(), pause(PATIENCE_MS).then(() => true)]);

async function tryIt() {
  try {
    const folder = await navigator.storage.getDirectory();
    await tryWriting(folder, `room-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`); // other tabs ask, too
    return true;
  } catch (error) {
    console.debug("No test of the disk's room:", error.message);
    return NOT_HERE.includes(error.name) || (error.name !== "QuotaExceededError" && cacheTakesIt());
  }
}

/** A disk that was full before the first private file fails otherwise. */
async function cacheTakesIt() {
  try {
    const cache = await caches.open(CACHE);
    await cache.put("/room", new Response(new Uint8Array(BYTES)));
    return await cache.delete("/room");
  } catch (error) {
    console.debug("No room in the cache either:", error.message);
    return false;
  }
}

async function tryWriting(folder, name) {
  const file = await folder.getFileHandle(name, { create: true });
  try {
    const stream = await file.createWritable();
    await stream.write(new Uint8Array(BYTES));
    await stream.close();
  } finally {
    await folder.removeEntry(name);
  }
}
