/**
 * Whoever calls themselves like somebody else here. Each contact's record says so (`namesake`), for what a contact is called must be
 * known wherever one is: in a list, a notification, a worker without a page. A record that says nothing counts as one.
 */
import { result } from "./database.js";
import { NAMELESS } from "../protocol/format.js";
import { likenesses } from "../protocol/names.js";

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
