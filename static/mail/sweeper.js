/**
 * What time does, in the tab that leads: timers run out, keys and silent devices get too old, what never came is told of, keys from elsewhere
 * greet those who know them. And what is said before keys go.
 */
import { swept, unanswered, wantsOldForm } from "../protocol/devices.js";
import { throwIfAborted } from "../protocol/kdf.js";
import { result } from "../store/database.js";
import { pause } from "../store/indexed-db.js";
import { lineOf, removeMessage, toMessage } from "../store/messages.js";
import { putSession } from "../store/contacts.js";
import { askForParts } from "./files.js";
import { forgetWords, queuePost } from "./posts.js";

const GONE_EVERY_MS = 5000;
const SESSIONS_EVERY_MS = 60 * 60_000;
const GOODBYE_MS = 5000; // a server that is away holds nobody's new keys up
const LOOK_MS = 50;

export class Sweeper {
  #store;
  #me;
  #timer = 0;
  #sessions_at = 0;

  constructor({ store, identity }) {
    this.#store = store;
    this.#me = identity.fingerprint;
  }

  start() {
    this.#timer ||= setInterval(() => this.#sweep(), GONE_EVERY_MS);
    this.#sweep();
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
  }

  async #sweep() {
    try {
      await removeGone(this.#store, this.#me);
      await askForParts(this.#store, this.#me);
      if (Date.now() - this.#sessions_at < SESSIONS_EVERY_MS) return;
      this.#sessions_at = Date.now();
      await greet(this.#store, this.#me);
      await sweepSessions(this.#store);
    } catch (error) {
      console.warn("What is past its time goes later:", error);
    }
  }
}

/**
 * A hello for everybody whose devices are known, and for other devices with these keys. Where a backup took the place of a device, its
 * goodbye follows: nobody is to seal for it any more, or to keep keys until it has used newer ones.
 */
export async function greet(store, me) {
  await store.db.write(["contacts", "kv", "posts", "sessions"], async ({ contacts, kv, posts, sessions }) => {
    if (!(await result(kv.get("hello_due")))) return;
    const [device, mine] = await Promise.all([result(kv.get("goodbye_due")), result(sessions.get(me))]);
    for (const name of ["hello_due", "goodbye_due"]) kv.delete(name);
    for (const contact of [me, ...(await acquaintances(contacts))]) {
      queuePost({ posts }, contact, { type: "hello" });
      if (device && (contact !== me || mine?.devices.length > 0)) queuePost({ posts }, contact, { type: "goodbye" }, { device });
    }
  });
  store.emit("posts");
}

/**
 * Tells all who seal for this device that it goes, while it has the keys to say so with (PROTOCOL.md, "Keys come and go"). Resolves when the
 * relays have it, or after a while; AbortError where the `signal` aborts. A hello is due until the keys are others: where they stay, it takes
 * the goodbye back.
 */
export async function sayGoodbye(store, me, { signal, most_ms = GOODBYE_MS } = {}) {
  throwIfAborted(signal);
  const said = await store.db.write(["contacts", "kv", "posts", "sessions"], async ({ contacts, kv, posts, sessions }) => {
    kv.put(true, "hello_due");
    const mine = (await result(sessions.get(me)))?.devices.length > 0 ? [me] : [];
    const adding = [...mine, ...(await acquaintances(contacts))].map((contact) => queuePost({ posts }, contact, { type: "goodbye" }));
    return Promise.all(adding.map(result));
  });
  store.emit("posts");
  for (const until = Date.now() + most_ms; !signal?.aborted && Date.now() < until && (await someQueued(store, said)); ) await pause(LOOK_MS);
  throwIfAborted(signal);
}

const acquaintances = async (contacts) =>
  (await result(contacts.getAll())).filter(({ devices, request, blocked }) => devices > 0 && !request && !blocked).map(({ fingerprint }) => fingerprint);

const someQueued = (store, numbers) =>
  store.db.read(["posts"], async ({ posts }) => (await result(posts.index("queued").getAllKeys())).some((n) => numbers.includes(n)));

/** Also says what was not answered for a day. */
async function sweepSessions(store, now = Date.now()) {
  const lines = await store.db.write(["contacts", "messages", "sessions"], async (stores) => {
    const told = [];
    for (const session of await result(stores.sessions.getAll())) {
      const contact = await result(stores.contacts.get(session.contact));
      const [late, next] = unanswered(swept(session, now), now);
      if (late === 0 && isAsShown(contact, session, next, now)) continue;
      if (contact) putSession(stores, contact, next);
      else stores.sessions.put(next);
      if (late > 0 && contact) told.push(await addLine(stores, contact, now));
    }
    return told;
  });
  if (lines.length > 0) store.emit("messages", { messages: lines.map(toMessage), received: true });
}

const isAsShown = (contact, before, after, now) =>
  ["devices", "keys", "unopened"].every((list) => before[list].length === after[list].length) &&
  (!contact || wantsOldForm(after, now) === Boolean(contact.asks_old_form));

async function addLine({ messages }, contact, at) {
  const line = lineOf(contact, { event: "unopened", at });
  return { ...line, seq: await result(messages.add(line)) };
}

/** Their words first, wherever they wait or are kept, or a tab that dies here leaves them. */
export async function removeGone(store, me, now = Date.now()) {
  const gone = await store.db.read(["messages"], ({ messages }) => result(messages.index("gone").getAll(IDBKeyRange.upperBound(now))));
  for (const { seq, contact, envelope_id } of gone) {
    await store.db.write(["posts"], (stores) => forgetWords(stores, [contact, me], envelope_id));
    await removeMessage(store, seq, ({ gone_at }) => gone_at <= now);
  }
}
