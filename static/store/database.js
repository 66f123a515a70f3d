/**
 * The connection to IndexedDB, opened again when the browser closes it: on a full disk, when its storage process ends, when site data is
 * cleared. Emits "state" in this tab.
 */
import { StorageError } from "../protocol/errors.js";
import { isMarked, localItems } from "./browser.js";
import { FINAL, NAME, ONE_WRITER, SENTENCES, VERSION, abortIfActive, firstReading, hasRoom, pause, result, settled, upgrade } from "./indexed-db.js";

export { ALL_STORES, result } from "./indexed-db.js";

const SLOW_MS = 8000; // an opening, or first reading, that somebody holds up
const PATIENCE_MS = 10_000;
const PROBE_MS = 5000;
const MOMENT_MS = 50;
const RETRY_MS = [0, 250, 500, 1000, 2000, 5000, 10_000];
const RELOAD_AFTER = 5; // attempts: in some browsers a closed storage stays closed for the page that had it

export class Database extends EventTarget {
  #db = null;
  #connecting = null; // rejects where there never will be one again
  #state = "opening";
  #was_open = false;

  static shared = new Database();

  /** Throws StorageError where this page can't have one. */
  static async open() {
    await Database.shared.#connect();
    return Database.shared;
  }

  /**
   * "open", or what is wrong: "slow", "lost", "stuck", "full" go by themselves; "forbidden", "outdated" (a newer page wants the database) and
   * "dropped" (deleted under the page, and empty now) do not.
   */
  get state() {
    return this.#state;
  }

  get message() {
    return SENTENCES[this.#state] ?? "";
  }

  get connected() {
    return this.#db !== null;
  }

  read(names, read) {
    return this.#transact(names, "readonly", read);
  }

  /** One transaction: all of it is on disk when this resolves, or none if it throws. */
  write(names, write) {
    return this.#transact([...names, ONE_WRITER], "readwrite", write);
  }

  /** Without waiting for the disk, for what only a power cut could undo and nobody would miss. */
  note(names, write) {
    return this.#transact([...names, ONE_WRITER], "readwrite", write, "relaxed");
  }

  // Begins within the call where there is a connection: a page that goes away can still store something. What a connection's end aborts is
  // done again, so `work` may run twice.
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

  /** Transactions are aborted a moment before it is told. */
  async #endsSoon(db) {
    await pause(MOMENT_MS);
    return this.#db !== db;
  }

  /** Null where it is gone; the browser may be about to say so. */
  #begin(names, mode, durability) {
    try {
      return this.#db?.transaction(names, mode, { durability }) ?? null;
    } catch (error) {
      if (error.name !== "InvalidStateError") throw error;
      this.#lose();
      return null;
    }
  }

  /** Chromium tells of a full disk as of a failure without a name, and then closes the connection. */
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

  /** Where storage is forbidden there may be no indexedDB at all. */
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

  #lose() {
    this.#db?.close();
    this.#db = null;
    if (this.#state === "outdated") return;
    this.#connecting = null;
    if (this.#state !== "full") this.#report("lost");
    this.#connect().catch((error) => console.debug(error.message)); // the state says it
  }

  /** A newer page waits for this connection to go. What is being written is written still. */
  #retire() {
    this.#report("outdated");
    this.#db.close();
    this.#db = null;
    this.#connecting = Promise.reject(this.#error());
    this.#connecting.catch((error) => console.debug(error.message));
  }

  #report(state) {
    if (state === this.#state || FINAL.includes(this.#state)) return false;
    this.#state = state;
    this.dispatchEvent(new Event("state"));
    return true;
  }
}

// Most of opening is outside this thread: index.html loads this module first, so that it is done when the others have arrived. An error is
// for who calls open(). The service worker seldom needs it.
if (globalThis.document) Database.open().catch((error) => console.debug(error.message));
