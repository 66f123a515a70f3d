/** Erasing on the relay what came here and is stored, or was sent and is taken back. */
import { ClientError, NotFoundError, RateLimitedError, RejectedError } from "../protocol/errors.js";
import { deleteMessage, deleteMessages } from "../relay/api.js";
import { result } from "../store/database.js";
import { pause } from "../store/indexed-db.js";
import { removeMessage, toMessage } from "../store/messages.js";

// All that is stored here, where the person wants that; a blocked contact's always, or they could fill this mailbox: that beside the fetches
// and slowly, so that it holds up nobody else's mail.

const EVERY_MS = 250; // what the relay grants a person is for words, too

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

  /** Only after storing, for `cursor` is read back from the database. */
  async throughCursor() {
    const { cursor, erased_through } = await this.#record();
    if (cursor <= erased_through) return;
    await this.#discard((token) => deleteMessages(this.#origin, token, cursor));
    await this.#change(({ erase_ids = [] }) => ({ erased_through: cursor, erase_ids: erase_ids.filter((id) => id > cursor) }));
  }

  /** One by one. Goes on where it was stopped: the list is in the relay's record. */
  run() {
    this.#running ??= this.#eraseBlocked().finally(() => (this.#running = null));
  }

  async #eraseBlocked() {
    try {
      for (let [next] = await this.#blocked(); next; [next] = await this.#blocked()) {
        const possible = await this.#discard((token) => deleteMessage(this.#origin, token, next));
        await this.#change(({ erase_ids }) => ({ erase_ids: possible ? erase_ids.filter((id) => id !== next) : [] }));
        await pause(EVERY_MS);
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
   * Gone already is as good. False for an old relay, which can't delete. Not tried with a new token: a relay that refuses its own may have
   * lost its database, and the id be another message's.
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

// The relay lets a sender delete a message (PROTOCOL.md, "Messages"), and does not tell whether it was fetched before: nobody can promise
// more than that no copy waits there.

const LONGEST_PAUSE_SECONDS = 30;

/** An original relay (no bound proof) can't delete. */
export function mayTakeBack({ direction, state, relay_id, expires_at, taken_back_at }, relay) {
  if (direction !== "out" || taken_back_at) return false;
  if (state === "queued") return true;
  const kept = !(Date.parse(expires_at) < Date.now());
  return state === "relayed" && relay_id !== null && kept && Boolean(relay) && relay.bound !== false;
}

/**
 * → `{outcome, record}`: "unsent" (was queued, and is removed; `record` puts it back), "in-flight" (the same, but it was being sent),
 * "taken-back" (the relay's copy is gone; the message stays here, marked) or "gone" (the relay has none). Throws the relay errors: nothing
 * has changed then. A refused token is not renewed, as above.
 */
export async function takeBack({ store, relays }, seq) {
  const record = await removeMessage(store, seq, ({ state }) => state === "queued");
  if (record) return { outcome: record.claimed_until > Date.now() ? "in-flight" : "unsent", record };
  const { relay, relay_id } = await store.message(seq);
  const { token } = await relays.pass(relay);
  try {
    await patiently(() => deleteMessage(relay, token, relay_id));
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return { outcome: "gone" };
  }
  await noteTaken(store, { seq, relay_id });
  return { outcome: "taken-back" };
}

/**
 * The last part first: whoever fetched one has those before it. Ends with the first that is gone. After the last one `taken()`: whoever has
 * not fetched it gets the whole no more.
 */
export async function takeBackParts({ relays }, relay, ids, taken = () => undefined) {
  const { token } = await relays.pass(relay);
  for (const id of ids.toReversed()) {
    await patiently(() => deleteMessage(relay, token, id));
    if (id === ids.at(-1)) await taken();
    await pause(EVERY_MS);
  }
}

/** Once more after a pause, which the relay may ask for while a file is sent. */
async function patiently(call) {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof RateLimitedError)) throw error;
    await pause(Math.min(error.retry_after_seconds, LONGEST_PAUSE_SECONDS) * 1000);
    await call();
  }
}

/** Should its deletion be refused, its row says so. */
export async function noteTaken(store, { seq, relay_id }) {
  const changed = await store.db.write(["messages"], async ({ messages }) => {
    const record = await result(messages.get(seq));
    if (record?.relay_id !== relay_id) return null; // a backup was restored, or it was deleted here
    const noted = { ...record, taken_back_at: Date.now() };
    messages.put(noted);
    return noted;
  });
  if (changed) store.emit("message", { message: toMessage(changed) });
}
