/**
 * Receipts, and asking again for what did not open: to contacts that the person accepted, and to nobody else, or anybody could find out
 * when somebody is there. What was confirmed is told by two seqs in the session, so nothing is confirmed twice, and nothing forgotten.
 */
import { MOST_IDS } from "../protocol/content.js";
import { asking } from "../protocol/devices.js";
import { isEnvelopeId } from "../protocol/envelope.js";
import { result } from "../store/database.js";
import { withTimer } from "../store/messages.js";
import { putSession, readSession } from "../store/sessions.js";
import { gather } from "./posts.js";

const GATHERED_MS = 2000;
const ASK_AFTER_MS = 1000;
const ASK_EVERY_MS = 10_000;

export const mayConfirm = ({ request, blocked }, { devices }) => !request && !blocked && devices.length > 0;

/**
 * Queues receipts for what came since the last ones, and starts the timers of what is read. `reading`: the thread is on screen; `shows`:
 * the person lets others see what they have read. Returns the session in which it is done.
 */
export async function confirmed(stores, contact, session, { reading, shows }, now = Date.now()) {
  const { delivered, read } = session.receipted;
  const since = reading ? Math.min(delivered, read) : delivered;
  const thread = stores.messages.index("thread");
  const rows = await result(thread.getAll(IDBKeyRange.bound([session.contact, since], [session.contact, []], true)));
  const received = rows.filter(({ direction, envelope_id, kind }) => direction === "in" && kind !== "refused" && isEnvelopeId(envelope_id));
  const seen = reading ? received.filter(({ seq }) => seq > read) : [];
  for (const row of seen) if (row.lasts && !row.gone_at) stores.messages.put(begun(row, now));
  if (contact.request || contact.blocked) return session;
  const shown = shows ? seen : [];
  if (mayConfirm(contact, session)) await queue(stores, session.contact, received.filter((row) => row.seq > delivered && !shown.includes(row)), shown, now);
  const last = rows.at(-1)?.seq ?? 0;
  return { ...session, receipted: { delivered: Math.max(delivered, last), read: reading ? Math.max(read, last) : read } };
}

/** With its timer running. That of a file waits until it is here, or a slow one would be gone before anybody saw it. */
function begun(row, now) {
  const read = { ...row, was_read: true };
  return row.file?.state === "" ? read : withTimer(read, now);
}

async function queue(stores, contact, delivered, read, now) {
  const told = [...delivered.map(({ envelope_id }) => ["delivered", envelope_id]), ...read.map(({ envelope_id }) => ["read", envelope_id])];
  for (let at = 0; at < told.length; at += MOST_IDS) {
    const lists = { delivered: [], read: [] };
    for (const [list, id] of told.slice(at, at + MOST_IDS)) lists[list].push(id);
    await gather(stores, contact, "receipt", lists, now + GATHERED_MS, now);
  }
}

/** Queues the question for messages that did not open. Returns the session in which it is asked. */
export async function asked(stores, session, ids, now = Date.now()) {
  const [wanted, next] = asking(session, ids);
  return wanted.length === 0 ? session : askAgain(stores, next, wanted, now);
}

/** The same for what is not known to have come at all. */
export async function askAgain(stores, session, ids, now) {
  const after = Math.max(now + ASK_AFTER_MS, session.ask_from ?? 0);
  await gather(stores, session.contact, "resend", { ids }, after, now);
  return { ...session, ask_from: after + ASK_EVERY_MS };
}

/** Both, for what came of a contact. Without one, of my other devices: they are asked, and need no receipts. */
export async function answeredTo(stores, contact, session, { missed, ...shown }) {
  const next = contact ? await confirmed(stores, contact, session, shown) : session;
  return !contact || mayConfirm(contact, next) ? asked(stores, next, missed) : next;
}

/** The same for one contact whose thread is on screen, or who was accepted. */
export async function confirm(store, fingerprint, { reading, shows }) {
  const changed = await store.db.write(["contacts", "messages", "posts", "sessions"], async (stores) => {
    const contact = await result(stores.contacts.get(fingerprint));
    if (!contact) return null;
    const session = await readSession(stores, contact);
    const missed = session.unopened.filter(({ asked: times }) => times === 0).map(({ id }) => id);
    const after = await answeredTo(stores, contact, session, { reading, shows, missed });
    if (after !== session && (session.devices.length > 0 || session.keys.length > 0)) putSession(stores, contact, after);
    return after !== session;
  });
  if (changed) store.emit("posts");
}
