/** What a browser has for a page beside IndexedDB. */

// localStorage and sessionStorage, or, where they are switched off, forbidden or full, something that keeps nothing: the page needs neither.

const NOTHING = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };

export const localItems = () => storageOf("localStorage");
export const sessionItems = () => storageOf("sessionStorage");

function storageOf(name) {
  try {
    return globalThis[name] ?? NOTHING;
  } catch (error) {
    console.debug(`No ${name}:`, error.message);
    return NOTHING;
  }
}

/** False where it was not kept. */
export function keepItem(items, name, text) {
  try {
    items.setItem(name, text);
    return true;
  } catch (error) {
    console.debug(`${name} is not kept:`, error.message);
    return false;
  }
}

// A mark that there are keys here, and for which address: in localStorage and in a cache entry, for a browser that throws one kind of storage
// away often leaves another. No secret, and not needed: it only tells a lost database from a new one.

const ITEM = "io3233_address";
const CACHE = "address-of-io3233"; // the service worker clears none of this name
const ENTRY = "/kept-address";
const SHORT = /^3233:[0-9a-f]{32}$/;

export async function setMark(items, short) {
  keepItem(items, ITEM, short);
  if ((await cachedMark()) !== short) await inCache((cache) => cache.put(ENTRY, new Response(short)));
}

export const isMarked = (items) => items.getItem(ITEM) !== null;

export async function readMark(items) {
  return [items.getItem(ITEM), await cachedMark()].find((text) => SHORT.test(text)) ?? null;
}

export async function clearMark(items) {
  items.removeItem(ITEM);
  await inCache((cache) => cache.delete(ENTRY));
}

const cachedMark = () => inCache(async (cache) => (await cache.match(ENTRY))?.text() ?? null);

/** Null over plain http, and where storage is forbidden or full. */
async function inCache(work) {
  if (!globalThis.caches) return null;
  try {
    return await work(await caches.open(CACHE));
  } catch (error) {
    console.debug("No cache entry:", error.message);
    return null;
  }
}

/** Its events reach every tab of this browser. Details must be structured-cloneable. */
export class SharedEventTarget extends EventTarget {
  #channel;

  constructor(channel_name) {
    super();
    this.#channel = new BroadcastChannel(channel_name);
    this.#channel.onmessage = ({ data }) => this.#dispatch(data.type, data.detail, true);
  }

  /** Here at once, in the other tabs as soon as they run. */
  emit(type, detail = {}) {
    this.#dispatch(type, detail, false);
    this.#channel.postMessage({ type, detail });
  }

  close() {
    this.#channel.close();
  }

  #dispatch(type, detail, remote) {
    this.dispatchEvent(Object.assign(new CustomEvent(type, { detail }), { remote }));
  }
}

/** Whether the browser may throw away what is stored here when space runs short. */
export class Persistence {
  /** Null where the browser does not say. */
  async granted() {
    return (await navigator.storage?.persisted?.()) ?? null;
  }

  async ask() {
    return (await navigator.storage?.persist?.()) ?? null;
  }
}
