/**
 * Erases blocked contacts' mail on their relay, or somebody blocked could fill this mailbox. Beside the fetches and slowly: it never
 * holds up anybody else's mail, and leaves most of what the relay grants a person to it.
 */
import { result } from "../store/database.js";
import { deleteMessage } from "../relay/api.js";
import { ClientError, NotFoundError, RejectedError } from "../protocol/errors.js";

const EVERY_MS = 250;
const BATCH = 20;

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

  /** Goes on where it was stopped: the list is in the relay's record. */
  run() {
    this.#running ??= this.#eraseAll().finally(() => (this.#running = null));
  }

  async #eraseAll() {
    try {
      for (let ids = await this.#batch(); ids.length > 0; ids = await this.#batch()) {
        for (const id of ids) await this.#erase(id);
        await this.#forget(ids);
      }
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      console.debug("Blocked mail is erased later:", error.message); // the next fetch starts it again
    }
  }

  async #batch() {
    return ((await this.#relays.record(this.#origin)).erase_ids ?? []).slice(0, BATCH);
  }

  /** Old relays can't delete, and what is gone already is as good. */
  async #erase(id) {
    try {
      await this.#relays.authorized(this.#origin, (token) => deleteMessage(this.#origin, token, id));
    } catch (error) {
      if (!(error instanceof NotFoundError || error instanceof RejectedError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }

  #forget(ids) {
    return this.#store.db.write(["relays"], async ({ relays }) => {
      const record = await result(relays.get(this.#origin));
      if (record) relays.put({ ...record, erase_ids: record.erase_ids.filter((id) => !ids.includes(id)) });
    });
  }
}
