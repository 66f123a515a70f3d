/**
 * What goes out beside messages: edits, deletions, reactions, receipts, greetings, what is sent again, copies for my other devices. It lies
 * in `posts` until a relay has it, queued in the transaction of what it follows from. What a reader may ask for again is kept for two weeks.
 */
import { MOST_IDS, contentOf } from "../protocol/content.js";
import { RESEND_MS, asking } from "../protocol/devices.js";
import { isEnvelopeId, newEnvelopeId } from "../protocol/envelope.js";
import { putSession, readSession } from "../store/contacts.js";
import { result } from "../store/database.js";
import { everythingOf, withTimer } from "../store/messages.js";

const KEPT = ["edit", "delete", "react", "setting", "hello", "goodbye"];
const KEPT_FOR_MINE = ["text", "file"]; // to others they are in the history
const MOST_KEPT = 200; // a contact

/**
 * `id`: its envelope's, the same in every retry. `copied`: my other devices get it, too. `before`: what it takes the place of, until a relay
 * takes it. `device`: in whose name, if not this one's. `seq`: the message whose file it has octets of.
 */
const newPost = (contact, content, { id = newEnvelopeId(), at = Date.now(), after = 0, copied = false, before, device, seq } = {}) => ({
  contact, queued_for: contact, id, at, after, content, copied, before, device, ...(seq && { seq }),
});

export const queuePost = ({ posts }, contact, content, options) => posts.add(newPost(contact, content, options));

/** Receipts and resends join what waits until `after`. `lists`: of ids, by field. */
async function gather({ posts }, contact, type, lists, after, now = Date.now()) {
  const queued = (await result(posts.index("queued").getAll(contact))).filter(({ content }) => content.type === type);
  const open = queued.find(({ content, after }) => after > now && countIds(content) + countIds(lists) <= MOST_IDS);
  if (open) return posts.put({ ...open, content: { type, ...joined(open.content, lists) } });
  return posts.add(newPost(contact, { type, ...lists }, { after, at: now }));
}

const countIds = (fields) => Object.values(fields).filter(Array.isArray).reduce((sum, ids) => sum + ids.length, 0);
const joined = (content, lists) => Object.fromEntries(Object.entries(lists).map(([name, ids]) => [name, [...new Set([...content[name], ...ids])]]));

/** The same id, and whose thread it belongs to. */
export async function copyToMine(stores, me, { id, at, content, contact, seq }) {
  const mine = contact === me ? null : await result(stores.sessions.get(me));
  if (mine?.devices.length > 0) queuePost(stores, me, { ...content, chat: contact }, { id, at, seq });
}

/** Of what may be asked for again the newest are kept. */
export async function settlePost(store, me, { n }) {
  await store.db.write(["posts", "sessions"], async (stores) => {
    const post = await result(stores.posts.get(n));
    if (!post) return; // its message was deleted
    const { queued_for, before, ...sent } = post;
    if (KEPT.includes(post.content.type) || (post.contact === me && KEPT_FOR_MINE.includes(post.content.type))) stores.posts.put({ sent_at: Date.now(), ...sent });
    else stores.posts.delete(n);
    if (post.copied) await copyToMine(stores, me, post);
    await prune(stores.posts, queued_for);
  });
}

async function prune(posts, contact, now = Date.now()) {
  const kept = await result(posts.index("sent").getAll(everythingOf(contact)));
  const sent = kept.filter(({ queued_for }) => queued_for === undefined).sort((a, b) => b.n - a.n);
  for (const [index, { n, sent_at }] of sent.entries()) if (index >= MOST_KEPT || now - sent_at > RESEND_MS) posts.delete(n);
}

export const sentPost = ({ posts }, contact, id) => result(posts.index("sent").get([contact, id]));

export function queueAgain(stores, sent, contact, id) {
  const resent = (sent.resent ?? 0) + 1;
  if (sent.part) stores.parts.put({ ...sent.part, resent });
  if (sent.part) return queuePost(stores, contact, sent.content, { id, at: sent.at, seq: sent.part.seq });
  if (sent.content) return stores.posts.put({ ...sent, resent, queued_for: contact, copied: false });
  stores.messages.put({ ...sent, resent });
  return queuePost(stores, contact, contentOf(sent), { id, at: sent.at, ...(sent.file && { seq: sent.seq }) });
}

export async function forgetWords({ posts }, contacts, id) {
  for (const contact of contacts) {
    for (const { before, ...post } of await result(posts.index("sent").getAll(everythingOf(contact)))) {
      if (post.id === id || (post.content.of === id && post.content.type === "edit")) posts.delete(post.n);
      else if (before && post.content.of === id) posts.put(post);
    }
  }
}

// Receipts and questions go to contacts that the person accepted, or anybody could find out when somebody is there. What was confirmed is
// told by two seqs in the session: nothing twice, nothing forgotten.

const GATHERED_MS = 2000;
const ASK_AFTER_MS = 1000;
const ASK_EVERY_MS = 10_000;

export const mayConfirm = ({ request, blocked }, { devices }) => !request && !blocked && devices.length > 0;

/**
 * And starts the timers of what is read. `reading`: on screen; `shows`: the person lets others see what they have read. Returns the session
 * in which it is done.
 */
async function confirmed(stores, contact, session, { reading, shows }, now = Date.now()) {
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

/** A file's timer waits until it is here, or a slow one would be gone before anybody saw it. */
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

/** For messages that did not open. Returns the session in which it is asked. */
async function asked(stores, session, ids, now = Date.now()) {
  const [wanted, next] = asking(session, ids);
  return wanted.length === 0 ? session : askAgain(stores, next, wanted, now);
}

export async function askAgain(stores, session, ids, now) {
  const after = Math.max(now + ASK_AFTER_MS, session.ask_from ?? 0);
  await gather(stores, session.contact, "resend", { ids }, after, now);
  return { ...session, ask_from: after + ASK_EVERY_MS };
}

/** Without a contact for my other devices: they are asked, and need no receipts. */
export async function answeredTo(stores, contact, session, { missed, ...shown }) {
  const next = contact ? await confirmed(stores, contact, session, shown) : session;
  return !contact || mayConfirm(contact, next) ? asked(stores, next, missed) : next;
}

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
