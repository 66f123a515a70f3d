/** Whether the disk takes anything. Asked before a database is opened: Chromium deletes one that it fails to open on a full disk. */
import { pause } from "./requests.js";

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
