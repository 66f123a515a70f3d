/** After the browser threw the database away: what the person can do before any new key is made. */
import { openBackup } from "./backup.js";
import { lostAddress, restoreIdentity } from "./identity.js";
import { clearMark, localItems } from "./web-storage.js";
import { Store } from "./store.js";

export async function findLost(db) {
  const short = await lostAddress(db, localItems());
  return short && new Lost(new Store(db), short);
}

export class Lost {
  #store;
  #identity;

  /** `short`: the address whose keys were stored. `identity`: the keys, where the page has them still. */
  constructor(store, short, identity = null) {
    this.#store = store;
    this.short = short;
    this.#identity = identity;
  }

  get hasKeys() {
    return this.#identity !== null;
  }

  /** See store/backup.js; the store emits "reset" once it is restored. */
  openBackup(file, passphrase, options) {
    return openBackup(this.#store, file, passphrase, options);
  }

  /** Stores the keys again. Contacts and history are gone. */
  async keepKeys() {
    await restoreIdentity(this.#store, this.#identity);
    this.#store.emit("reset");
  }

  /** The next load of the page makes new keys. */
  async startAnew() {
    await clearMark(localItems());
    this.#store.emit("reset");
  }

  onReset(listener) {
    this.#store.addEventListener("reset", listener);
  }
}
