/**
 * The sessions (protocol/devices.js) where they are kept: one record a contact, read and written in the transactions of the mail that
 * changes them. What people are shown of a session is on the contact's own record.
 */
import { newSession, prepared, wantsOldForm } from "../protocol/devices.js";
import { newReceivingKey } from "../protocol/envelope2.js";
import { result } from "./database.js";

/** A contact's session. One that begins sends no receipts for what was there before it. */
export async function readSession({ sessions }, { fingerprint, last_seq = 0 }) {
  const stored = await result(sessions.get(fingerprint));
  return stored ?? newSession(fingerprint, { receipted: { delivered: last_seq, read: last_seq } });
}

/** The contact's record with what is to be shown of the session: how many devices are known, and what the person is asked. */
export const withSession = (contact, session, now = Date.now()) => ({
  ...contact,
  devices: session.devices.length,
  asks_again: session.wanted?.ids.length ?? 0,
  asks_old_form: wantsOldForm(session, now),
});

/** Stores the changed session of a contact, and what is shown of it. Returns the contact's record. */
export function putSession({ contacts, sessions }, contact, session) {
  sessions.put(session);
  const shown = withSession(contact, session);
  contacts.put(shown);
  return shown;
}

/** The session to write from. A key that it needs is on disk before anybody hears of it. */
export function readyToWrite(store, contact, now = Date.now()) {
  return store.db.write(["sessions"], async (stores) => {
    const session = await readSession(stores, contact);
    const ready = prepared(session, now, newReceivingKey);
    if (ready !== session) stores.sessions.put(ready);
    return ready;
  });
}

/** Changes the session of a contact that is there, and tells every tab. */
export async function changeSession(store, fingerprint, change) {
  const changed = await store.db.write(["contacts", "sessions"], async (stores) => {
    const contact = await result(stores.contacts.get(fingerprint));
    return contact && putSession(stores, contact, change(await readSession(stores, contact)));
  });
  if (changed) store.emitContact(changed);
}

/**
 * A contact is removed: what waits for them and their messages goes. Their devices stay known and my keys for them stay, or we would
 * fall back to v1 when they come back.
 */
export async function forgetThread({ posts, references, sessions }, fingerprint) {
  const everything = IDBKeyRange.bound([fingerprint], [fingerprint, []]);
  for (const [store, index] of [[posts, "sent"], [references, "of"]]) {
    for (const key of await result(store.index(index).getAllKeys(everything))) store.delete(key);
  }
  const session = await result(sessions.get(fingerprint));
  if (session) sessions.put({ ...session, unopened: [], wanted: undefined, receipted: { delivered: 0, read: 0 } });
}
