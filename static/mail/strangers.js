/**
 * People who write without having been written to: requests. A key costs nothing, so a relay could invent people without end, and
 * anybody could fill this device: a relay has room for its newest 20 requests, and each request for so much. The rest is only counted.
 */
import { result } from "../store/database.js";
import { everythingOf } from "../store/messages.js";

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
  for (const seq of await result(messages.index("thread").getAllKeys(everythingOf(fingerprint)))) messages.delete(seq);
}
