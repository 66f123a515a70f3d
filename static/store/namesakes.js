/**
 * Whoever calls themselves like somebody else here. Each contact's record says so (`namesake`), for what a contact is called must be
 * known wherever one is: in a list, a notification, a worker without a page. A record that says nothing counts as one.
 */
import { result } from "./database.js";
import { NAMELESS } from "../protocol/format.js";
import { likenesses } from "../protocol/names.js";

/** Fields of a contact that decide how it, or another, is called. */
export const NAMED_BY = ["name", "their_name", "request", "blocked"];
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
