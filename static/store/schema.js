/** The IndexedDB schema. A change of it raises VERSION, and PROTOCOL.md says what a backup holds of it. */
export const NAME = "io3233";
export const VERSION = 3;

/**
 * kv          the identity, this device's id, settings  key: name
 * contacts    one record a contact             key: fingerprint
 * drafts      unsent text                      key: the contact's fingerprint; and what it answers or edits, as JSON: answersKey
 * messages    both directions, all contacts    key: seq (order of arrival here)
 *             index thread [contact, seq]; queued: contact, of messages still to be sent only; envelope [contact, envelope id];
 *             gone: when a message with a timer goes; file [contact, direction, file id]; moving: "to <fingerprint>" while parts of a
 *             file wait to be sent, "from <time>" while some are missing: when they are asked for
 * parts       the octets of files, 64 KiB each  key: [seq of the message, n]; index id: of an own part's envelope
 * seen        (sender, envelope id) of all that ever arrived, kept after a thread is removed so that no replay returns it
 * relays      cursor, token and pinned key     key: origin
 * sessions    a contact's devices and my receiving keys for them (protocol/devices.js)  key: the contact's fingerprint
 * posts       what goes out beside messages: edits, receipts, copies for my other devices…  key: n
 *             index queued: contact, of what is still to be sent; sent [contact, envelope id], for who could not open it
 * references  edits, deletions and reactions that came before their message  key: n; index of [contact, envelope id]
 */
export function upgrade(db, transaction, old_version) {
  if (old_version < 1) createFirst(db);
  if (old_version < 2) createSecond(db, transaction.objectStore("messages"));
  if (old_version < 3) createThird(db, transaction.objectStore("messages"));
}

function createFirst(db) {
  for (const name of ["kv", "drafts", "seen"]) db.createObjectStore(name);
  db.createObjectStore("contacts", { keyPath: "fingerprint" });
  db.createObjectStore("relays", { keyPath: "origin" });
  const messages = db.createObjectStore("messages", { keyPath: "seq", autoIncrement: true });
  messages.createIndex("thread", ["contact", "seq"]);
  messages.createIndex("queued", "queued_for");
}

function createSecond(db, messages) {
  messages.createIndex("envelope", ["contact", "envelope_id"]);
  messages.createIndex("gone", "gone_at");
  db.createObjectStore("sessions", { keyPath: "contact" });
  const posts = db.createObjectStore("posts", { keyPath: "n", autoIncrement: true });
  posts.createIndex("queued", "queued_for");
  posts.createIndex("sent", ["contact", "id"]);
  db.createObjectStore("references", { keyPath: "n", autoIncrement: true }).createIndex("of", ["contact", "of"]);
}

export const answersKey = (fingerprint) => `answers ${fingerprint}`;

function createThird(db, messages) {
  messages.createIndex("file", ["contact", "direction", "file.id"]);
  messages.createIndex("moving", "moving");
  db.createObjectStore("parts", { keyPath: ["seq", "n"] }).createIndex("id", "id");
}

export const ALL_STORES = ["kv", "contacts", "drafts", "messages", "seen", "relays", "sessions", "posts", "references", "parts"];

/**
 * A store that every writing transaction asks for, and no reading one, so that they come one after the other, whichever tab begins them.
 * A Chromium that is killed while two are under way, as phones do with what is in the background, can't undo both at its next start:
 * it calls the database corrupt, and deletes it (156.0, each time it was tried).
 */
export const ONE_WRITER = "seen";
