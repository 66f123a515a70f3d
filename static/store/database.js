/** The IndexedDB schema, and promises around its requests. */
import { StorageError } from "../protocol/errors.js";

const VERSION = 1;
const NAME = "io3233";
const NO_STORAGE =
  "This browser does not let the page store anything here, so keys and messages can't be kept. Allow site data for this page, leave private browsing, or free some space.";
const NEWER_DATA = "What is stored here was written by a newer version of this page: reload it. Nothing is lost.";

/**
 * kv        the identity, settings           key: name
 * contacts  one record a contact             key: fingerprint
 * drafts    unsent text                      key: the contact's fingerprint
 * messages  both directions, all contacts    key: seq (order of arrival here)
 *           index thread [contact, seq]; index queued: contact, of messages still to be sent only
 * seen      (sender, envelope id) of all that ever arrived, kept after a thread is removed so that no replay returns it
 * relays    cursor, token and pinned key     key: origin
 */
function createStores(db) {
  for (const name of ["kv", "drafts", "seen"]) db.createObjectStore(name);
  db.createObjectStore("contacts", { keyPath: "fingerprint" });
  db.createObjectStore("relays", { keyPath: "origin" });
  const messages = db.createObjectStore("messages", { keyPath: "seq", autoIncrement: true });
  messages.createIndex("thread", ["contact", "seq"]);
  messages.createIndex("queued", "queued_for");
}

export const ALL_STORES = ["kv", "contacts", "drafts", "messages", "seen", "relays"];

/** One request's result. */
export const result = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export class Database {
  #db;

  static #opening = null;

  /** The one connection of this page. Throws StorageError. */
  static open() {
    return (Database.#opening ??= Database.#connect());
  }

  static async #connect() {
    try {
      const request = indexedDB.open(NAME, VERSION); // throws where storage is forbidden, and there may be no indexedDB at all
      request.onupgradeneeded = () => createStores(request.result);
      return new Database(await result(request));
    } catch (error) {
      throw new StorageError(error.name === "VersionError" ? NEWER_DATA : NO_STORAGE, { cause: error });
    }
  }

  constructor(db) {
    this.#db = db;
    // A newer version of this page in another tab waits for this connection to go.
    db.onversionchange = () => db.close();
  }

  /** Runs `read(stores)` over object stores by name. */
  read(names, read) {
    return this.#transact(names, "readonly", read);
  }

  /** Runs `write(stores)` as one transaction: all of it is on disk when this resolves, or none of it if it throws. */
  write(names, write) {
    return this.#transact(names, "readwrite", write);
  }

  /** The same without waiting for the disk, for what only a power cut could undo and nobody would miss. */
  note(names, write) {
    return this.#transact(names, "readwrite", write, "relaxed");
  }

  async #transact(names, mode, work, durability = "strict") {
    const transaction = this.#begin(names, mode, durability);
    const ended = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "AbortError"));
    });
    const stores = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
    const working = (async () => work(stores))();
    try {
      const [value] = await Promise.all([working, ended]);
      return value;
    } catch (error) {
      abortIfActive(transaction);
      throw error instanceof DOMException ? storageError(error) : error;
    }
  }

  #begin(names, mode, durability) {
    try {
      return this.#db.transaction(names, mode, { durability });
    } catch (error) {
      throw new StorageError("The page's storage was closed, probably by a newer version in another tab: reload this page.", { cause: error });
    }
  }
}

function abortIfActive(transaction) {
  try {
    transaction.abort();
  } catch (error) {
    if (error.name !== "InvalidStateError") throw error; // it had already ended
  }
}

function storageError(cause) {
  const full = cause.name === "QuotaExceededError";
  const message = full ? "This device has no room left for messages: free some space. Nothing that was stored is lost." : "The page's storage failed: reload this page.";
  return new StorageError(message, { cause });
}

// Most of opening happens outside this thread: index.html loads this module ahead of the others, so that it is done by the time
// they have arrived. An error is for those who call open().
Database.open().catch((error) => console.debug(error.message));
