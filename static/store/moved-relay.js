/** A relay that goes by another address from now on: what belongs to it follows in one transaction. */
import { result } from "./database.js";

/**
 * Puts `record` (whose `origin` is the new address) in place of the relay at `from`. Its contacts come along, and so does `home`, the
 * relay that invites name, where it was this one. Returns `{record, contacts}` as they are stored now.
 */
export function moveRelay(store, from, record, home) {
  return store.db.write(["kv", "contacts", "relays"], async ({ kv, contacts, relays }) => {
    const known = await result(relays.get(record.origin));
    const moved = { ...known, ...record, cursor: Math.max(known?.cursor ?? 0, record.cursor) }; // one mailbox, so one count of ids
    relays.delete(from);
    relays.put(moved);
    if (home === from) kv.put({ ...(await result(kv.get("settings"))), home: record.origin }, "settings");
    const theirs = (await result(contacts.getAll())).filter(({ relay }) => relay === from);
    const changed = theirs.map((contact) => ({ ...contact, relay: record.origin }));
    for (const contact of changed) contacts.put(contact);
    return { record: moved, contacts: changed };
  });
}
