/**
 * Erases mail on its relay: all that is stored here, where the person wants that, and blocked contacts' always, or somebody blocked
 * could fill this mailbox. The latter beside the fetches and slowly: it never holds up anybody else's mail, and leaves most of what
 * the relay grants a person to it.
 */
import { result } from "../store/database.js";
import { deleteMessage, deleteMessages } from "../relay/api.js";
import { ClientError, NotFoundError, RejectedError } from "../protocol/errors.js";

const EVERY_MS = 250;

export class Erasure {
  #origin;
  #store;
  #relays;
  #running = null;

  constructor({ origin, store, relays }) {
    this.#origin = origin;
    this.#store = store;
    this.#relays = relays;
  }

  /** Erases what is stored: only after storing, for `cursor` is read back from the database. */
  async throughCursor() {
    const { cursor, erased_through } = await this.#record();
    if (cursor <= erased_through) return;
    await this.#discard((token) => deleteMessages(this.#origin, token, cursor));
    await this.#change(({ erase_ids = [] }) => ({ erased_through: cursor, erase_ids: erase_ids.filter((id) => id > cursor) }));
  }

  /** Erases blocked mail, one by one. Goes on where it was stopped: the list is in the relay's record. */
  run() {
    this.#running ??= this.#eraseBlocked().finally(() => (this.#running = null));
  }

  async #eraseBlocked() {
    try {
      for (let [next] = await this.#blocked(); next; [next] = await this.#blocked()) {
        const possible = await this.#discard((token) => deleteMessage(this.#origin, token, next));
        await this.#change(({ erase_ids }) => ({ erase_ids: possible ? erase_ids.filter((id) => id !== next) : [] }));
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      }
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      console.debug("Blocked mail is erased later:", error.message); // the next fetch starts it again
    }
  }

  async #blocked() {
    return (await this.#record()).erase_ids ?? [];
  }

  /**
   * What is gone already is as good. False for an old relay, which can't delete. Not tried again with a new token: a relay that refuses
   * its own may have lost its database, and the same id would be another message's.
   */
  async #discard(call) {
    const { token } = await this.#relays.pass(this.#origin);
    try {
      await call(token);
    } catch (error) {
      if (!(error instanceof NotFoundError || error instanceof RejectedError)) throw error;
      return error instanceof NotFoundError;
    }
    return true;
  }

  #change(change) {
    return this.#store.db.write(["relays"], async ({ relays }) => {
      const record = await result(relays.get(this.#origin));
      if (record) relays.put({ ...record, ...change(record) });
    });
  }

  #record() {
    return this.#relays.record(this.#origin);
  }
}
