/**
 * What goes out beside messages: edits, deletions, reactions, receipts, greetings, what is sent again, and copies for my other devices.
 * Each lies in the store `posts` until a relay has it, and is queued in the transaction of what it follows from. What a reader may ask
 * for again, because it did not open, is kept for two weeks.
 */
import { MOST_IDS } from "../protocol/content.js";
import { RESEND_MS } from "../protocol/devices.js";
import { newEnvelopeId } from "../protocol/envelope.js";
import { result } from "../store/database.js";

const KEPT = ["edit", "delete", "react", "setting", "hello", "goodbye"];
const KEPT_FOR_MINE = ["text", "file"]; // to others they are in the history
const MOST_KEPT = 200; // a contact

/**
 * A content as it is queued: `id` is its envelope's, the same in every retry. `copied`: my other devices get it, too. `before`: what a
 * reaction, a setting or a deletion takes the place of, in case that no relay takes it: until one does. `device`: the one that it is said in the name of, where that is
 * not this one. `seq`: the message whose file it has octets of.
 */
export const newPost = (contact, content, { id = newEnvelopeId(), at = Date.now(), after = 0, copied = false, before, device, seq } = {}) => ({
  contact, queued_for: contact, id, at, after, content, copied, before, device, ...(seq && { seq }),
});

export const queuePost = ({ posts }, contact, content, options) => posts.add(newPost(contact, content, options));

/** Queues a receipt or a resend: with what waits already, or for the time `after`, until which others may join it. `lists`: of ids, by field. */
export async function gather({ posts }, contact, type, lists, after, now = Date.now()) {
  const queued = (await result(posts.index("queued").getAll(contact))).filter(({ content }) => content.type === type);
  const open = queued.find(({ content, after }) => after > now && countIds(content) + countIds(lists) <= MOST_IDS);
  if (open) return posts.put({ ...open, content: { type, ...joined(open.content, lists) } });
  return posts.add(newPost(contact, { type, ...lists }, { after, at: now }));
}

const countIds = (fields) => Object.values(fields).filter(Array.isArray).reduce((sum, ids) => sum + ids.length, 0);
const joined = (content, lists) => Object.fromEntries(Object.entries(lists).map(([name, ids]) => [name, [...new Set([...content[name], ...ids])]]));

/** A content for my other devices: the same id, and whose thread it belongs to. None where there are none. */
export async function copyToMine(stores, me, { id, at, content, contact, seq }) {
  const mine = contact === me ? null : await result(stores.sessions.get(me));
  if (mine?.devices.length > 0) queuePost(stores, me, { ...content, chat: contact }, { id, at, seq });
}

/** The relay has it. Of what may be asked for again the newest are kept. */
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
  const kept = await result(posts.index("sent").getAll(IDBKeyRange.bound([contact], [contact, []])));
  const sent = kept.filter(({ queued_for }) => queued_for === undefined).sort((a, b) => b.n - a.n);
  for (const [index, { n, sent_at }] of sent.entries()) if (index >= MOST_KEPT || now - sent_at > RESEND_MS) posts.delete(n);
}

/** What was sent under this id to this contact, or undefined. */
export const sentPost = ({ posts }, contact, id) => result(posts.index("sent").get([contact, id]));

/** Forgets the words of a deleted message, wherever they wait or are kept. */
export async function forgetWords({ posts }, contacts, id) {
  for (const contact of contacts) {
    for (const { before, ...post } of await result(posts.index("sent").getAll(IDBKeyRange.bound([contact], [contact, []])))) {
      if (post.id === id || (post.content.of === id && post.content.type === "edit")) posts.delete(post.n);
      else if (before && post.content.of === id) posts.put(post);
    }
  }
}
