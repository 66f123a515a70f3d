/** Promises around IndexedDB's requests and transactions. */
/** One request's result. */
export const result = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What `work` gives, once the transaction is through. */
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
 * Calls `slow()` where a database that is open does not read within so many ms; resolves once it does, or fails, as the readings that
 * follow will and tell. WebKit holds one for ever where a page went away in the midst of transactions (its bug 324094).
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

/** What is wrong with the browser's storage, as the person reads it. */
export const SENTENCES = {
  forbidden:
    "This browser does not let the page store anything here, so keys and messages can't be kept. Allow site data for this page, or leave private browsing, and reload it.",
  slow: "The browser does not open what is stored here yet. Close this page where it is open in other tabs; if that does not help, close the browser and open it again. Nothing is lost.",
  lost: "The browser closed this page's storage. It is opened again by itself; what you type is kept meanwhile.",
  stuck: "The browser does not open this page's storage. It is tried on by itself, but often only a reload helps, or free space on the disk. What you typed is kept.",
  full: "This device has no room left: free some space, and all goes on by itself. What is stored stays, and what you type is kept.",
  outdated: "This page is open in another tab in a newer version: reload this one. What you typed is kept.",
  dropped: "The browser deleted what was stored here.",
};

/** States that no waiting ends. */
export const FINAL = ["forbidden", "outdated", "dropped"];

// Whether the disk takes anything. Asked before a database is opened: Chromium deletes one that it fails to open on a full disk.

const BYTES = 256 * 1024;
const PATIENCE_MS = 3000;
const CACHE = "room-of-io3233";

/** What a browser says that has no private file system (older, or over plain http), or none for this page. */
const NOT_HERE = ["TypeError", "SecurityError", "NotAllowedError"];

/** True also where it can't be found out, or not soon: the page must not wait for its start. */
export const hasRoom = () => Promise.race([tryIt(), pause(PATIENCE_MS).then(() => true)]);

async function tryIt() {
  try {
    const folder = await navigator.storage.getDirectory();
    await tryWriting(folder, `room-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`); // a name of its own: other tabs ask, too
    return true;
  } catch (error) {
    console.debug("No test of the disk's room:", error.message);
    return NOT_HERE.includes(error.name) || (error.name !== "QuotaExceededError" && cacheTakesIt());
  }
}

/** A disk that was full before the first private file has another error. */
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
