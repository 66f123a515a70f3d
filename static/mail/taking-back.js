/**
 * Taking a message back that the relay still holds: the relay lets a sender delete it (PROTOCOL.md, "Messages"). It does not tell whether
 * the message was fetched before, so nobody can promise more than that no copy of it waits there any more.
 */
import { deleteMessage } from "../relay/api.js";
import { NotFoundError, RateLimitedError } from "../protocol/errors.js";
import { pause } from "../store/indexed-db.js";
import { result } from "../store/database.js";
import { toMessage } from "../store/messages.js";
import { removeMessage } from "../store/removal.js";

const LONGEST_PAUSE_SECONDS = 30;
const EVERY_MS = 250; // what the relay grants a person is for words, too

/** Whether there is anything to ask a relay for. One that offers no bound proof is an original one, which can't delete. */
export function mayTakeBack({ direction, state, relay_id, expires_at, taken_back_at }, relay) {
  if (direction !== "out" || taken_back_at) return false;
  if (state === "queued") return true;
  const kept = !(Date.parse(expires_at) < Date.now());
  return state === "relayed" && relay_id !== null && kept && Boolean(relay) && relay.bound !== false;
}

/**
 * Returns `{outcome, record}`, `outcome` being "unsent" (it was queued, and is removed; `record` puts it back), "in-flight" (the same, but
 * it was being sent at that moment), "taken-back" (the relay's copy is gone; the message stays here, marked) or "gone" (the relay has
 * none: fetched and erased, or expired). Throws the relay errors where it can't be asked: nothing has changed then. A refused token is
 * not renewed: a relay that refuses its own may have lost its database, and the same id would be another message's.
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
  await note(store, seq, relay_id);
  return { outcome: "taken-back" };
}

/** The parts of a file, the last ones first: whoever fetched one has those before it. Ends with the first that is not there any more. */
export async function takeBackParts({ relays }, relay, ids) {
  const { token } = await relays.pass(relay);
  for (const id of ids.toReversed()) {
    await patiently(() => deleteMessage(relay, token, id));
    await pause(EVERY_MS);
  }
}

/** Once more where the relay asks for a pause, as it may while a file is sent. */
async function patiently(call) {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof RateLimitedError)) throw error;
    await pause(Math.min(error.retry_after_seconds, LONGEST_PAUSE_SECONDS) * 1000);
    await call();
  }
}

async function note(store, seq, relay_id) {
  const changed = await store.db.write(["messages"], async ({ messages }) => {
    const record = await result(messages.get(seq));
    if (record?.relay_id !== relay_id) return null; // a backup was restored, or it was deleted here
    const noted = { ...record, taken_back_at: Date.now() };
    messages.put(noted);
    return noted;
  });
  if (changed) store.emit("message", { message: toMessage(changed) });
}
