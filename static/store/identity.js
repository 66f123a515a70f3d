/** This device's key pair: made on the first visit, or taken over from an earlier client. */
import { identityFrom, newIdentity } from "../protocol/crypto.js";
import { shortForm } from "../protocol/encoding.js";
import { newDeviceId } from "../protocol/envelope.js";
import { readMark, setMark } from "./browser.js";
import { newContact } from "./contacts.js";
import { result } from "./database.js";
import { clearLegacy, noteTakenOver, readLegacy, seqOfLine } from "./legacy.js";
import { withChanged, withLatest } from "./messages.js";
import { UNREAD_RELAY } from "./store.js";

/** Of a file on its way when the keys became others: its readers would drop the other parts, as a stranger's. */
const STOPPED = { state: "failed", error: "Your keys are new since it was begun: delete it, and send it again.", retriable: false };

/** The short address whose keys were here, where neither they nor an earlier client's are any more; else null. */
export async function lostAddress(db, storage) {
  const stored = await db.read(["kv"], ({ kv }) => result(kv.count("identity")));
  return stored || readLegacy(storage).identity ? null : readMark(storage);
}

/**
 * `{fingerprint, short, public_key, secret_key, device}`; two tabs that start at once agree on one. Where the keys came from elsewhere (a
 * backup, an earlier version), other devices may have them, and do not know of this one: it is noted that it has to say hello.
 */
export async function loadIdentity(store, storage, home) {
  const legacy = readLegacy(storage);
  const identity = await store.db.write(["kv", "contacts", "messages"], async (stores) => {
    const [stored, device] = await Promise.all([result(stores.kv.get("identity")), result(stores.kv.get("device"))]);
    const mine = stored ?? legacy.identity ?? newIdentity();
    const id = device ?? newDeviceId();
    if (!device) stores.kv.put(id, "device");
    if (!device && (stored || legacy.identity)) stores.kv.put(true, "hello_due");
    if (stored) return { ...stored, device: id };
    stores.kv.put(mine, "identity");
    await takeOver(stores, legacy, home);
    return { ...mine, device: id };
  });
  if (legacy.identity?.fingerprint === identity.fingerprint) await clearLegacy(storage);
  const short = shortForm(identity.fingerprint);
  await setMark(storage, short);
  return { ...identity, short };
}

/** Puts keys into a database that has none. */
export function restoreIdentity(store, { fingerprint, public_key, secret_key }) {
  return store.db.write(["kv"], ({ kv }) => result(kv.put({ fingerprint, public_key, secret_key }, "identity")));
}

/**
 * Replaces the keys. Tokens, cursors and sessions belong to the old ones: to the contacts this is somebody new. History, contacts and
 * pinned relay keys stay.
 */
export async function replaceIdentity(store, secret_key) {
  const identity = secret_key ? identityFrom(secret_key) : newIdentity();
  await store.db.write(["contacts", "kv", "messages", "relays", "sessions", "posts", "references"], async ({ contacts, kv, messages, relays, ...theirs }) => {
    kv.put(identity, "identity");
    kv.put(newDeviceId(), "device");
    kv.delete("hello_due"); // of the goodbye before: these keys are nobody's yet
    for (const each of Object.values(theirs)) each.clear();
    const stopped = (await result(messages.index("moving").getAll(IDBKeyRange.bound("to ", "to!")))).map(stop);
    for (const message of stopped) messages.put(message);
    for (const contact of await result(contacts.getAll())) {
      const known = stopped.filter((message) => message.contact === contact.fingerprint).reduce(withChanged, contact);
      contacts.put({ ...known, devices: 0, asks_again: 0, asks_old_form: false });
    }
    for (const relay of await result(relays.getAll())) relays.put({ ...relay, token: null, ...UNREAD_RELAY });
    for (const { moving, ...record } of await result(messages.index("moving").getAll())) messages.put(record); // those that come
  });
}

const stop = ({ moving, ...record }) => ({ ...record, ...STOPPED });

async function takeOver({ kv, contacts, messages }, legacy, default_home) {
  const home = legacy.home ?? default_home;
  if (legacy.home) kv.put({ ...(await result(kv.get("settings"))), home }, "settings");
  if (legacy.identity) noteTakenOver(kv, home, legacy);
  const people = new Map(legacy.chats.map((fingerprint) => [fingerprint, newContact(fingerprint, { relay: home })]));
  for (const [index, { contact, text, at }] of legacy.sent.entries()) {
    const record = { seq: seqOfLine(index), contact, relay: home, direction: "out", kind: "text", text, at, state: "relayed" };
    messages.add(record);
    people.set(contact, withLatest(people.get(contact) ?? newContact(contact, { relay: home }), record));
  }
  for (const person of people.values()) contacts.put(person);
}
