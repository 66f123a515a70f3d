/**
 * Opens and writes what an inbox fetched. Messages, the record that they were seen, their contacts and the relay's cursor go in one
 * transaction: power loss leaves either all of a page or none of it, and the cursor never runs ahead of the mail.
 */
import { ALL_STORES, result } from "../store/database.js";
import { openMail } from "../protocol/envelope2.js";
import { OutdatedTabError } from "../protocol/errors.js";
import { takenOver } from "../store/legacy.js";
import { Page } from "./page.js";
import { findMessage, tellChanged } from "./references.js";

const BLOCKED_KEPT = 10_000; // ids that still are to be erased, as many as a mailbox holds

/**
 * `rows`: what getMessages gave after `after_id`. `reading`: fingerprints of threads on screen, which gain no unread mark. `receipts`:
 * whether the person gives and sees receipts of what was read; `home`: my home relay. Returns
 * `{genuine, counted}`: the row ids that opened, and how many rows had no thread to go to and are only counted in the relay's record;
 * or `{rewound: true}` when the stored cursor went back meanwhile (a restored backup): the page is dropped, or the mail between would
 * be skipped. Throws OutdatedTabError when the keys were replaced or the relay was left meanwhile. Nothing is written then.
 */
export async function storeArrivals(store, { identity, sharedKeys, origin, rows, after_id, ...options }) {
  const mail = rows.map((row) => open(row, identity, sharedKeys));
  const kept = await store.db.write(ALL_STORES, async (stores) => {
    const [relay, device] = [await currentRelay(stores, identity, origin), await result(stores.kv.get("device"))];
    if (relay.cursor < after_id) return null;
    const page = new Page(stores, { me: identity.fingerprint, device, origin, ...options, taken_over: await takenOver(stores.kv, origin) });
    for (const message of mail) await page.add(message);
    const finished = await page.finish();
    stores.relays.put({ ...relay, cursor: rows.at(-1).id, ...countedBy(relay, finished) });
    return relay.cursor > after_id ? withUnheard(stores, finished, mail) : finished;
  });
  if (!kept) return { rewound: true };
  await tell(store, kept);
  const genuine = mail.filter(({ kind }) => kind !== "refused").map(({ row_id }) => row_id);
  return { genuine, counted: kept.refused + kept.requests_dropped };
}

/** The relay's counts, and its list of blocked mail: that is erased later, or a fetch would have to wait for it. */
const countedBy = ({ refused, requests_dropped = 0, erase_ids = [] }, kept) => ({
  refused: refused + kept.refused,
  requests_dropped: requests_dropped + kept.requests_dropped,
  erase_ids: [...erase_ids, ...kept.blocked].slice(-BLOCKED_KEPT),
});

/** The mail was stored before: the answer of that commit may never have come here, or the tab that had it is gone, so it is told of again. */
async function withUnheard(stores, finished, mail) {
  const stored = (await Promise.all(mail.map(({ from, id }) => id && findMessage(stores, from, id, false)))).filter(Boolean);
  const senders = [...new Set(stored.map(({ contact }) => contact))].map((fingerprint) => result(stores.contacts.get(fingerprint)));
  return { ...finished, changed: [...finished.changed, ...stored], contacts: [...finished.contacts, ...(await Promise.all(senders)).filter(Boolean)] };
}

async function tell(store, { added, changed, contacts, dropped }) {
  for (const fingerprint of dropped) store.emit("contact-removed", { fingerprint });
  for (const contact of contacts) store.emitContact(contact);
  if (added.length > 0) store.emit("messages", { messages: added, received: true });
  tellChanged(store, changed);
  store.emit("posts");
  if (contacts.length > 0) await store.emitUnread();
}

/** What openMail gave, with the row's id, the time to show (no later than now) and the sender's key. */
function open(row, identity, sharedKeys) {
  if (row.malformed) return { from: "", id: "", kind: "refused", row_id: row.id };
  const message = openMail(row, identity, sharedKeys);
  return { ...message, row_id: row.id, at: Math.min(row.created_at ?? Date.now(), Date.now()), public_key: row.sender_public_key };
}

async function currentRelay({ kv, relays }, identity, origin) {
  const [mine, relay] = await Promise.all([result(kv.get("identity")), result(relays.get(origin))]);
  if (mine?.fingerprint !== identity.fingerprint) throw new OutdatedTabError("The keys were replaced in another tab: reload this page.");
  if (!relay) throw new OutdatedTabError("This server was left in another tab.");
  return relay;
}
