/** Contact records, with their sessions; who is called like somebody else; how much room strangers have; how they go. */
import { newSession, prepared, wantsOldForm } from "../protocol/devices.js";
import { shortForm } from "../protocol/encoding.js";
import { newReceivingKey } from "../protocol/envelope2.js";
import { NAMELESS } from "../protocol/format.js";
import { likenesses } from "../protocol/text.js";
import { result } from "./database.js";
import { answersKey } from "./indexed-db.js";
import { deleteParts, everythingOf } from "./messages.js";

export const newContact = (fingerprint, fields) => ({
  fingerprint, name: "", their_name: "", relay: "", public_key: null, verified: false, muted: false, blocked: false, pinned: false, open: true,
  request: false, unread: 0, last_seq: 0, last_at: 0, last_text: "", last_direction: "", last_state: "", failed: [], refused: 0, added_at: Date.now(),
  devices: 0, asks_again: 0, asks_old_form: false, lasts: 0, ...fields,
});

export const toContact = (record) => ({ ...record, short: shortForm(record.fingerprint) });

// Sessions (protocol/devices.js), one record a contact, read and written in the transactions of the mail that changes them. What people are
// shown of one is on the contact's record.

/** One that begins sends no receipts for what was there before it. */
export async function readSession({ sessions }, { fingerprint, last_seq = 0 }) {
  const stored = await result(sessions.get(fingerprint));
  return stored ?? newSession(fingerprint, { receipted: { delivered: last_seq, read: last_seq } });
}

/** How many devices are known, and what the person is asked. */
export const withSession = (contact, session, now = Date.now()) => ({
  ...contact,
  devices: session.devices.length,
  asks_again: session.wanted?.ids.length ?? 0,
  asks_old_form: wantsOldForm(session, now),
});

export function putSession({ contacts, sessions }, contact, session) {
  sessions.put(session);
  const shown = withSession(contact, session);
  contacts.put(shown);
  return shown;
}

/** A key that it needs is on disk before anybody hears of it. */
export function readyToWrite(store, contact, now = Date.now()) {
  return store.db.write(["sessions"], async (stores) => {
    const session = await readSession(stores, contact);
    const ready = prepared(session, now, newReceivingKey);
    if (ready !== session) stores.sessions.put(ready);
    return ready;
  });
}

export async function changeSession(store, fingerprint, change) {
  const changed = await store.db.write(["contacts", "sessions"], async (stores) => {
    const contact = await result(stores.contacts.get(fingerprint));
    return contact && putSession(stores, contact, change(await readSession(stores, contact)));
  });
  if (changed) store.emitContact(changed);
}

// Each contact's record says whether they call themselves like somebody else here (`namesake`), for that must be known wherever one is named:
// in a worker without a page, too. A record that says nothing counts as one.

const NAMED_BY = ["name", "their_name", "request", "blocked"]; // what decides how a contact, or another, is called
const MINE = "You"; // stands before my own words

/** In a transaction over `contacts` and `kv`. Returns the records that changed. */
export async function reviewNames({ contacts, kv }) {
  const [all, settings] = await Promise.all([result(contacts.getAll()), result(kv.get("settings"))]);
  const taken = takenBy(all, [settings?.name, MINE].filter(Boolean));
  const reviewed = all.map((contact) => ({ ...contact, namesake: isNamesake(contact, taken) }));
  const changed = reviewed.filter(({ namesake }, index) => namesake !== all[index].namesake);
  for (const record of changed) contacts.put(record);
  return changed;
}

/** `changed`: the new fields; none: all are. Returns the record as it is then, and the others that changed by it. */
export async function putNamed(stores, record, changed) {
  stores.contacts.put(record);
  const fields = Object.keys(changed);
  const reviewed = fields.length === 0 || NAMED_BY.some((field) => fields.includes(field)) ? await reviewNames(stores) : [];
  const isIt = ({ fingerprint }) => fingerprint === record.fingerprint;
  return [reviewed.find(isIt) ?? record, ...reviewed.filter((each) => !isIt(each))];
}

const calledOf = ({ name, their_name }) => name || their_name || NAMELESS;

/** A person's choice outweighs what others say of themselves, and a stranger's word weighs least: nobody takes a name from a friend. */
const weightOf = ({ name, request, blocked }) => (name ? 3 : blocked ? 0 : request ? 1 : 2);

/** likeness → the weightiest two `{fingerprint, weight}`, for one may be who asks. */
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

// Requests are people who write unasked. A key costs nothing, so a relay could invent people without end and fill this device: it has room
// for its newest 20, and each of them for so much. The rest is only counted.

const MOST_REQUESTS = 20;
const MOST_CHARACTERS = 262_144; // the longest message that relays usually take
const LEAST_COUNTED = 256; // an empty message takes room, too

const sizeOf = ({ text, file, re }) => text.length + (file?.preview?.length ?? 0) + (re?.quote.length ?? 0) + LEAST_COUNTED;

export const fits = (contact, message) => !contact.request || (contact.request_size ?? 0) + sizeOf(message) <= MOST_CHARACTERS;

export const counting = (contact, message) =>
  contact.request ? { ...contact, request_size: (contact.request_size ?? 0) + sizeOf(message) } : contact;

/**
 * Drops requests over the newest 20, with messages and the record that these were seen; not those that a person has touched or, `reading`,
 * looks at. Returns fingerprints.
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

/** In a transaction. Returns the contacts who are called otherwise without them. */
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

/** Their devices and my keys for them stay, or we would fall back to v1 when they come back. */
async function forgetThread({ posts, references, sessions }, fingerprint) {
  for (const [store, index] of [[posts, "sent"], [references, "of"]]) {
    for (const key of await result(store.index(index).getAllKeys(everythingOf(fingerprint)))) store.delete(key);
  }
  const session = await result(sessions.get(fingerprint));
  if (session) sessions.put({ ...session, unopened: [], wanted: undefined, receipted: { delivered: 0, read: 0 } });
}
