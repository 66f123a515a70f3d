/** Contact records: how they are kept, with the session of each; who is called like somebody else; how much room strangers have; how they go. */
import { newSession, prepared, wantsOldForm } from "../protocol/devices.js";
import { shortForm } from "../protocol/encoding.js";
import { newReceivingKey } from "../protocol/envelope2.js";
import { NAMELESS } from "../protocol/format.js";
import { likenesses } from "../protocol/text.js";
import { result } from "./database.js";
import { answersKey } from "./indexed-db.js";
import { deleteParts, everythingOf } from "./messages.js";

/** A contact's record as it is stored; the store adds `short` on the way out. */
export const newContact = (fingerprint, fields) => ({
  fingerprint, name: "", their_name: "", relay: "", public_key: null, verified: false, muted: false, blocked: false, pinned: false, open: true,
  request: false, unread: 0, last_seq: 0, last_at: 0, last_text: "", last_direction: "", last_state: "", failed: [], refused: 0, added_at: Date.now(),
  devices: 0, asks_again: 0, asks_old_form: false, lasts: 0, ...fields,
});

export const toContact = (record) => ({ ...record, short: shortForm(record.fingerprint) });

// The sessions (protocol/devices.js) where they are kept: one record a contact, read and written in the transactions of the mail that
// changes them. What people are shown of a session is on the contact's own record.

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

// Whoever calls themselves like somebody else here. Each contact's record says so (`namesake`), for what a contact is called must be
// known wherever one is: in a list, a notification, a worker without a page. A record that says nothing counts as one.

const NAMED_BY = ["name", "their_name", "request", "blocked"]; // fields that decide how a contact, or another, is called
const MINE = "You"; // stands before my own words

/** Writes, in a transaction over `contacts` and `kv`, who is a namesake now. Returns the records that changed. */
export async function reviewNames({ contacts, kv }) {
  const [all, settings] = await Promise.all([result(contacts.getAll()), result(kv.get("settings"))]);
  const taken = takenBy(all, [settings?.name, MINE].filter(Boolean));
  const reviewed = all.map((contact) => ({ ...contact, namesake: isNamesake(contact, taken) }));
  const changed = reviewed.filter(({ namesake }, index) => namesake !== all[index].namesake);
  for (const record of changed) contacts.put(record);
  return changed;
}

/** Puts a contact's record of which the fields of `changed` are new; none: all are. Returns it as it is then, and the others that changed by it. */
export async function putNamed(stores, record, changed) {
  stores.contacts.put(record);
  const fields = Object.keys(changed);
  const reviewed = fields.length === 0 || NAMED_BY.some((field) => fields.includes(field)) ? await reviewNames(stores) : [];
  const isIt = ({ fingerprint }) => fingerprint === record.fingerprint;
  return [reviewed.find(isIt) ?? record, ...reviewed.filter((each) => !isIt(each))];
}

const calledOf = ({ name, their_name }) => name || their_name || NAMELESS;

/** What a person chose outweighs what others say of themselves, and a stranger's word weighs least: none of them takes a name from a friend. */
const weightOf = ({ name, request, blocked }) => (name ? 3 : blocked ? 0 : request ? 1 : 2);

/** likeness → whom it is of: `{fingerprint, weight}`, the weightiest two, for one of them may be the one who asks. */
function takenBy(contacts, mine) {
  const taken = new Map();
  const take = (called, owner) => {
    for (const likeness of likenesses(called)) {
      const owners = [...(taken.get(likeness) ?? []), owner].sort((a, b) => b.weight - a.weight);
      taken.set(likeness, owners.slice(0, 2));
    }
  };
  for (const called of mine) take(called, { fingerprint: "", weight: Infinity });
  for (const contact of contacts) take(calledOf(contact), { fingerprint: contact.fingerprint, weight: weightOf(contact) });
  return taken;
}

function isNamesake(contact, taken) {
  const outweighs = ({ fingerprint, weight }) => fingerprint !== contact.fingerprint && weight >= weightOf(contact);
  return !contact.name && [...likenesses(calledOf(contact))].some((likeness) => taken.get(likeness).some(outweighs));
}

// People who write without having been written to: requests. A key costs nothing, so a relay could invent people without end, and
// anybody could fill this device: a relay has room for its newest 20 requests, and each request for so much. The rest is only counted.

const MOST_REQUESTS = 20;
const MOST_CHARACTERS = 262_144; // the longest message that relays usually take
const LEAST_COUNTED = 256; // an empty message takes room, too

/** What a message takes of its request's room, with the picture in a file's header and the words that it answers. */
const sizeOf = ({ text, file, re }) => text.length + (file?.preview?.length ?? 0) + (re?.quote.length ?? 0) + LEAST_COUNTED;

export const fits = (contact, message) => !contact.request || (contact.request_size ?? 0) + sizeOf(message) <= MOST_CHARACTERS;

/** The contact with this message counted. */
export const counting = (contact, message) =>
  contact.request ? { ...contact, request_size: (contact.request_size ?? 0) + sizeOf(message) } : contact;

/**
 * Drops the relay's requests over the newest 20, with their messages and the record that these were seen; not those that a person has
 * touched or, `reading`, looks at. Returns their fingerprints.
 */
export async function dropSurplus(stores, origin, reading) {
  const requests = (await result(stores.contacts.getAll())).filter((contact) => contact.request && contact.relay === origin);
  const older = requests.sort((a, b) => b.last_seq - a.last_seq).slice(MOST_REQUESTS);
  const dropped = [];
  for (const { fingerprint, name, verified } of older) {
    const touched = name || verified || reading.has(fingerprint) || (await result(stores.drafts.count(fingerprint)));
    if (!touched) dropped.push(fingerprint);
  }
  for (const fingerprint of dropped) await drop(stores, fingerprint);
  return dropped;
}

async function drop({ contacts, messages, seen, sessions }, fingerprint) {
  contacts.delete(fingerprint);
  sessions.delete(fingerprint);
  seen.delete(IDBKeyRange.bound(`${fingerprint} `, `${fingerprint}!`));
  await deleteThread(messages, fingerprint);
}

// How a contact goes, with all that is kept of them.

/** Deletes, in a transaction, a contact with draft and history. Returns the contacts who are called otherwise without them. */
export async function removeEverything(stores, fingerprint) {
  for (const name of ["contacts", "drafts"]) stores[name].delete(fingerprint);
  stores.drafts.delete(answersKey(fingerprint));
  await forgetThread(stores, fingerprint);
  for (const seq of await result(stores.messages.index("file").getAllKeys(everythingOf(fingerprint)))) deleteParts(stores, seq);
  await deleteThread(stores.messages, fingerprint);
  return reviewNames(stores);
}

async function deleteThread(messages, fingerprint) {
  for (const seq of await result(messages.index("thread").getAllKeys(everythingOf(fingerprint)))) messages.delete(seq);
}

/**
 * What waits for them and their messages goes, too. Their devices stay known and my keys for them stay, or we would
 * fall back to v1 when they come back.
 */
async function forgetThread({ posts, references, sessions }, fingerprint) {
  for (const [store, index] of [[posts, "sent"], [references, "of"]]) {
    for (const key of await result(store.index(index).getAllKeys(everythingOf(fingerprint)))) store.delete(key);
  }
  const session = await result(sessions.get(fingerprint));
  if (session) sessions.put({ ...session, unopened: [], wanted: undefined, receipted: { delivered: 0, read: 0 } });
}
