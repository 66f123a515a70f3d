/**
 * Deleting one message on this device, and putting it back while the person may still want that. Its row, the contact's preview and its
 * count of unread ones change together or not at all. `seen` keeps the id: a copy that the relay delivers again stays away.
 */
import { result } from "./database.js";
import { forgetThread } from "./sessions.js";
import { everythingOf, failedWith, toMessage, withLatest } from "./messages.js";
import { reviewNames } from "./namesakes.js";
import { deleteParts, readParts } from "./parts.js";
import { answersKey } from "./indexed-db.js";

const NO_MESSAGE = { seq: 0, at: 0, text: "", direction: "" };

/** Deletes, in a transaction, a contact with draft and history. Returns the contacts who are called otherwise without them. */
export async function removeEverything(stores, fingerprint) {
  for (const name of ["contacts", "drafts"]) stores[name].delete(fingerprint);
  stores.drafts.delete(answersKey(fingerprint));
  await forgetThread(stores, fingerprint);
  for (const seq of await result(stores.messages.index("file").getAllKeys(everythingOf(fingerprint)))) deleteParts(stores, seq);
  const keys = await result(stores.messages.index("thread").getAllKeys(everythingOf(fingerprint)));
  for (const seq of keys) stores.messages.delete(seq);
  return reviewNames(stores);
}

/** Deletes the message `seq`, if it is there and `may(record)` says so. Returns its record for `restoreMessage`, with the `parts` of its file; or null. */
export async function removeMessage(store, seq, may = () => true) {
  const removed = await store.db.write(["contacts", "messages", "parts"], async ({ contacts, messages, parts }) => {
    const record = await result(messages.get(seq));
    if (!record || !may(record)) return null;
    const kept = record.file && { parts: await readParts({ parts }, seq) };
    deleteParts({ parts }, seq);
    const known = await result(contacts.get(record.contact));
    const unread = known && (await isUnread(messages, record, known.unread)) ? known.unread - 1 : known?.unread;
    messages.delete(seq);
    return { record: { ...record, ...kept }, contact: known && (await putLatest(contacts, messages, { ...known, unread, failed: failedWith(known, { seq }) })) };
  });
  if (!removed) return null;
  const { record, contact } = removed;
  store.emit("message-removed", { seq, contact: record.contact });
  if (contact) store.emitContact(contact);
  await store.emitUnread();
  return record;
}

/** Puts back what `removeMessage` took away, into the queue what was queued. False where its thread was removed or replaced meanwhile. */
export async function restoreMessage(store, { parts: octets = [], ...record }) {
  const contact = await store.db.write(["contacts", "messages", "parts"], async ({ contacts, messages, parts }) => {
    const known = await result(contacts.get(record.contact));
    if (!known || (await result(messages.count(record.seq)))) return null;
    messages.add(record.state === "queued" ? { ...record, claimed_until: 0 } : record);
    for (const part of octets) parts.put(part);
    return putLatest(contacts, messages, { ...known, failed: failedWith(known, record) });
  });
  if (!contact) return false;
  store.emit("message-restored", { message: toMessage(record) });
  store.emitContact(contact);
  return true;
}

/** Unread are a contact's newest ones, as many as are counted. */
async function isUnread(messages, { contact, seq, direction }, count) {
  if (direction !== "in") return false;
  const newer = messages.index("thread").openCursor(IDBKeyRange.bound([contact, seq], [contact, []], true), "prev");
  let received = 0;
  for (let cursor = await result(newer); cursor && received < count; cursor = await next(cursor, newer)) {
    if (cursor.value.direction === "in") received += 1;
  }
  return received < count;
}

function next(cursor, request) {
  cursor.continue();
  return result(request);
}

/** Stores the contact with its latest message as it is now. */
async function putLatest(contacts, messages, contact) {
  const latest = await result(messages.index("thread").openCursor(everythingOf(contact.fingerprint), "prev"));
  const changed = withLatest(contact, latest?.value ?? NO_MESSAGE);
  contacts.put(changed);
  return changed;
}
