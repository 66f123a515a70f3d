/** The IndexedDB schema. A change of it raises VERSION, and PROTOCOL.md says what a backup holds of it. */
export const NAME = "io3233";
export const VERSION = 1;

/**
 * kv        the identity, settings           key: name
 * contacts  one record a contact             key: fingerprint
 * drafts    unsent text                      key: the contact's fingerprint
 * messages  both directions, all contacts    key: seq (order of arrival here)
 *           index thread [contact, seq]; index queued: contact, of messages still to be sent only
 * seen      (sender, envelope id) of all that ever arrived, kept after a thread is removed so that no replay returns it
 * relays    cursor, token and pinned key     key: origin
 */
export function createStores(db) {
  for (const name of ["kv", "drafts", "seen"]) db.createObjectStore(name);
  db.createObjectStore("contacts", { keyPath: "fingerprint" });
  db.createObjectStore("relays", { keyPath: "origin" });
  const messages = db.createObjectStore("messages", { keyPath: "seq", autoIncrement: true });
  messages.createIndex("thread", ["contact", "seq"]);
  messages.createIndex("queued", "queued_for");
}

export const ALL_STORES = ["kv", "contacts", "drafts", "messages", "seen", "relays"];
