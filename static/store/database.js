/**
 * The connection to IndexedDB. It is opened again when the browser closes it: on a full disk, when its storage process ends, when
 * site data is cleared. Emits "state" in this tab, see `state`.
 */
import { StorageError } from "../protocol/errors.js";
import { isMarked, localItems } from "./browser.js";
import { FINAL, NAME, ONE_WRITER, SENTENCES, VERSION, abortIfActive, firstReading, hasRoom, pause, result, settled, upgrade } from "./indexed-db.js";

export { ALL_STORES, result } from "./indexed-db.js";

const SLOW_MS = 8000; // an opening, or a first reading, that takes so long is held up by somebody
const PATIENCE_MS = 10_000; // of whoever wants to read or write while there is no connection
const PROBE_MS = 5000;
const MOMENT_MS = 50;
const RETRY_MS = [0, 250, 500, 1000, 2000, 5000, 10_000];
const RELOAD_AFTER = 5; // attempts that failed: in some browsers a closed storage stays closed for the page that had it

export class Database extends EventTarget {
  #db = null; // while there is a connection
  #connecting = null; // resolves once there is one again; rejects where there never will be
  #state = "opening";
  #was_open = false;

  /** The one database of this page, opened or not. */
  static shared = new Database();

  /** The same once it is open. Throws StorageError where this page can't have one. */
  static async open() {
    await Database.shared.#connect();
    return Database.shared;
  }

  /**
   * "open", or what is wrong: "slow", "lost", "stuck", "full" go by themselves; "forbidden", "outdated" (a newer version of the page
   * wants the database) and "dropped" (it was deleted under the page, and is empty now) do not.
   */
  get state() {
    return this.#state;
  }

  /** What is wrong in a sentence, or "". */
  get message() {
    return SENTENCES[this.#state] ?? "";
  }

  /** Whether there is a connection to begin a transaction on. */
  get connected() {
    return this.#db !== null;
  }

  /** Runs `read(stores)` over object stores by name. */
  read(names, read) {
    return this.#transact(names, "readonly", read);
  }

  /** Runs `write(stores)` as one transaction: all of it is on disk when this resolves, or none of it if it throws. */
  write(names, write) {
    return this.#transact([...names, ONE_WRITER], "readwrite", write);
  }

  /** The same without waiting for the disk, for what only a power cut could undo and nobody would miss. */
  note(names, write) {
    return this.#transact([...names, ONE_WRITER], "readwrite", write, "relaxed");
  }

  // Begins within the call where there is a connection: a page that goes away can still store something. What the end of a connection
  // aborts is done again on the next one, so `work` may run twice.
  async #transact(names, mode, work, durability = "strict", again = true) {
    const begin = () => this.#begin(names, mode, durability);
    const transaction = begin() ?? (await this.#reachable(), begin());
    if (!transaction) throw this.#error();
    const { db } = transaction;
    try {
      const value = await settled(transaction, names, work);
      if (mode === "readwrite") this.#report("open");
      return value;
    } catch (error) {
      abortIfActive(transaction);
      if (!(error instanceof DOMException)) throw error;
      if (again && (await this.#endsSoon(db))) return this.#transact(names, mode, work, durability, false);
      throw this.#failed(error);
    }
  }

  /** A connection's transactions are aborted a moment before its end is told. */
  async #endsSoon(db) {
    await pause(MOMENT_MS);
    return this.#db !== db;
  }

  /** Null where the connection is gone; the browser may be about to say so. */
  #begin(names, mode, durability) {
    try {
      return this.#db?.transaction(names, mode, { durability }) ?? null;
    } catch (error) {
      if (error.name !== "InvalidStateError") throw error;
      this.#lose();
      return null;
    }
  }

  /** The reason may be any: Chromium tells of a full disk as of a failure without a name, and then closes the connection. */
  #failed(cause) {
    if (cause.name === "QuotaExceededError") this.#report("full");
    this.#watchRoom();
    const failed = "The browser's storage failed in the middle of it. Nothing was changed: try again.";
    return cause.name === "QuotaExceededError" ? this.#error(cause) : new StorageError(failed, { cause });
  }

  async #watchRoom() {
    await this.#untilRoom();
    if (this.#state === "full" && this.connected) this.#report("open");
  }

  async #untilRoom() {
    while (!(await hasRoom())) {
      this.#report("full");
      await pause(PROBE_MS);
    }
  }

  #error(cause) {
    return new StorageError(this.message || SENTENCES.lost, { cause });
  }

  /** Waits for the connection, not for ever. */
  #reachable() {
    const late = pause(PATIENCE_MS).then(() => {
      throw this.#error();
    });
    return Promise.race([this.#connect(), late]);
  }

  #connect() {
    return (this.#connecting ??= this.#connected());
  }

  async #connected() {
    for (let failures = 0; ; failures += 1) {
      if (this.#was_open || isMarked(localItems())) await this.#untilRoom();
      try {
        return this.#keep(await this.#request());
      } catch (error) {
        if (["VersionError", "SecurityError", "TypeError", "ReferenceError"].includes(error.name)) throw this.#giveUp(error);
        console.debug("The database does not open:", error.message);
        this.#report(this.#was_open && failures < RELOAD_AFTER ? "lost" : "stuck");
      }
      await pause(RETRY_MS[failures] ?? RETRY_MS.at(-1));
    }
  }

  #giveUp(error) {
    this.#report(error.name === "VersionError" ? "outdated" : "forbidden");
    return this.#error(error);
  }

  /** Throws where storage is forbidden, and there may be no indexedDB at all. */
  async #request() {
    const slow = setTimeout(() => this.#report("slow"), SLOW_MS);
    try {
      const request = indexedDB.open(NAME, VERSION);
      request.onblocked = () => this.#report("slow");
      request.onupgradeneeded = ({ oldVersion }) => this.#upgrade(request, oldVersion);
      return await result(request);
    } finally {
      clearTimeout(slow);
    }
  }

  /** There is an older one, none yet, or none any more. */
  #upgrade({ result: db, transaction }, old_version) {
    upgrade(db, transaction, old_version);
    if (old_version === 0 && this.#was_open) this.#report("dropped");
  }

  #keep(db) {
    this.#db = db;
    this.#was_open = true;
    db.onclose = () => this.#lose();
    db.onversionchange = ({ newVersion }) => (newVersion === null ? this.#lose() : this.#retire());
    this.#report("open");
    firstReading(db, SLOW_MS, () => this.#report("slow")).then(() => this.#state === "slow" && this.#report("open"));
  }

  /** The browser closed the connection, or wants to delete the database. */
  #lose() {
    this.#db?.close();
    this.#db = null;
    if (this.#state === "outdated") return;
    this.#connecting = null;
    if (this.#state !== "full") this.#report("lost");
    this.#connect().catch((error) => console.debug(error.message)); // the state says it
  }

  /** A newer version of this page waits for this connection to go. What is being written is written still. */
  #retire() {
    this.#report("outdated");
    this.#db.close();
    this.#db = null;
    this.#connecting = Promise.reject(this.#error());
    this.#connecting.catch((error) => console.debug(error.message));
  }

  /** False where it was so before. */
  #report(state) {
    if (state === this.#state || FINAL.includes(this.#state)) return false;
    this.#state = state;
    this.dispatchEvent(new Event("state"));
    return true;
  }
}

// Most of opening happens outside this thread: index.html loads this module ahead of the others, so that it is done by the time
// they have arrived. An error is for those who call open(). The service worker, which starts with every page, seldom needs it.
if (globalThis.document) Database.open().catch((error) => console.debug(error.message));
