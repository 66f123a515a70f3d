/**
 * What one message says of another (PROTOCOL.md, "Content"): applied in any order, and twice as well as once; kept for a while where it comes
 * before its message.
 */
import { result } from "../store/database.js";
import { deleteParts, everythingOf, lineOf, toMessage, withChanged } from "../store/messages.js";

const EDITABLE_MS = 24 * 60 * 60_000;
const KEPT_MS = 14 * 24 * 60 * 60_000;
const MOST_KEPT = 200; // a contact
const MOST_CHARACTERS = 524_288; // of these, a contact
const MOST_EDITS = 20;
const STAYS = ["seq", "contact", "relay", "direction", "at", "ts", "stored_at", "envelope_id", "state", "relay_id", "expires_at", "delivered_at", "read_at", "gone_at"];

const writtenAt = ({ ts, written_at, at }) => ts ?? written_at ?? at;
const isNewer = (a, b) => a.ts > b.ts || (a.ts === b.ts && a.id > b.id);

export const earlierWords = ({ edits = [] }) => edits.slice(0, -1).map(({ text, ts }) => ({ text, ts }));

/** `change`: `{type, id, ts, author, text?, emoji?}`. Null where nothing changes, or may change. */
const APPLY = {
  edit(record, { id, ts, text }) {
    const first = { id: "", ts: writtenAt(record), text: record.text };
    const { edits = [first] } = record;
    if (record.deleted_at || record.file || record.kind !== "text" || ts > edits[0].ts + EDITABLE_MS || edits.some((each) => each.id === id)) return null;
    const [original, ...later] = [...edits, { id, ts, text }].sort((a, b) => (isNewer(a, b) ? 1 : -1));
    const kept = [original, ...later.slice(1 - MOST_EDITS)];
    return { ...record, edits: kept, text: kept.at(-1).text, edited_at: kept.at(-1).ts };
  },
  delete(record) {
    if (record.deleted_at) return null;
    const stays = Object.fromEntries(STAYS.filter((name) => record[name] !== undefined).map((name) => [name, record[name]]));
    const sent = stays.state === "failed" && { state: "relayed" }; // of a stopped file: its beginning is there
    return { ...stays, ...sent, kind: "text", text: "", deleted_at: Date.now() };
  },
  react(record, { id, ts, author, emoji }) {
    const { reactions = [] } = record;
    const known = reactions.find(({ by }) => by === author);
    if (record.deleted_at || (known && !isNewer({ id, ts }, known))) return null;
    return { ...record, reactions: [...reactions.filter((each) => each !== known), { by: author, emoji, id, ts }] };
  },
};

export const mayEdit = (record, now = Date.now()) =>
  record.direction === "out" && record.kind === "text" && !record.file && !record.deleted_at && now <= writtenAt(record) + EDITABLE_MS;

export async function findMessage({ messages }, contact, id, mine) {
  const found = await result(messages.index("envelope").getAll([contact, id]));
  return found.find(({ direction }) => (direction === "out") === mine);
}

/**
 * To the message `of` that I (`mine`) or the contact wrote. → its record, stored; or null. Where it is not here, the change is kept for it if
 * `keep`.
 */
export async function applyChange(stores, change, { keep = true, now = Date.now() } = {}) {
  const record = await findMessage(stores, change.contact, change.of, change.mine);
  if (record) return putChanged(stores, APPLY[change.type](record, change));
  if (keep) await keepChange(stores.references, change, now);
  return null;
}

function putChanged({ messages, parts }, changed) {
  if (changed) messages.put(changed);
  if (changed?.deleted_at) deleteParts({ parts }, changed.seq);
  return changed;
}

async function keepChange(references, change, now) {
  const kept = await result(references.index("of").getAll(everythingOf(change.contact)));
  if (kept.some(({ id }) => id === change.id)) return;
  references.add({ ...change, kept_at: now });
  let characters = change.text?.length ?? 0;
  for (const [index, { n, text = "", kept_at }] of kept.sort((a, b) => b.n - a.n).entries()) {
    characters += text.length;
    if (index + 1 >= MOST_KEPT || characters > MOST_CHARACTERS || now - kept_at > KEPT_MS) references.delete(n);
  }
}

export async function applyKept(stores, record, mine) {
  const kept = (await result(stores.references.index("of").getAll([record.contact, record.envelope_id]))).filter((each) => each.mine === mine);
  let now = record;
  for (const change of kept) {
    now = putChanged(stores, APPLY[change.type](now, change)) ?? now;
    stores.references.delete(change.n);
  }
  return now;
}

export const tellChanged = (store, records) => records.forEach((record) => store.emit("message", { message: toMessage(record) }));

// A relay refused a change of mine for good: nobody will hear of it, so nobody here is to believe that they did.

/** Before my change, `{id, at, author, before}`; null where something newer stands there. */
const UNDO = {
  edit({ edits = [], edited_at, ...record }, { id }) {
    const kept = edits.filter((each) => each.id !== id);
    if (kept.length === edits.length) return null;
    const { text, ts } = kept.at(-1);
    return kept.length > 1 ? { ...record, edits: kept, text, edited_at: ts } : { ...record, text };
  },
  react(record, { id, author, before }) {
    const { reactions = [] } = record;
    if (!reactions.some((each) => each.by === author && each.id === id)) return null;
    return { ...record, reactions: [...reactions.filter(({ by }) => by !== author), ...(before ? [before] : [])] };
  },
  delete: ({ deleted_at, taken_back_at }, { before }) => (deleted_at && before ? { ...before, ...(taken_back_at && { taken_back_at }) } : null),
};

/**
 * The message is again what the others see of it, and a line says why: `reason`, a sentence. Nothing is said of what is sent again, or to my
 * own devices.
 */
export async function refuseChange(store, me, { n }, reason) {
  const told = await store.db.write(["contacts", "messages", "parts", "posts"], async (stores) => {
    const post = await result(stores.posts.get(n));
    stores.posts.delete(n);
    const contact = post && (await result(stores.contacts.get(post.contact)));
    return contact && !post.resent && tellRefused(stores, contact, { ...post, author: me, ...post.content }, reason);
  });
  if (!told) return;
  store.emitContact(told.contact);
  tellChanged(store, told.changed);
  store.emit("messages", { messages: [toMessage(told.line)], received: true });
}

async function tellRefused(stores, contact, change, reason) {
  const { type, of, by } = change;
  if (!(type in UNDO || type === "setting")) return null;
  const record = of && (await findMessage(stores, contact.fingerprint, of, !by));
  const changed = record && putChanged(stores, UNDO[type](record, change));
  if (type === "react") await forgetBefore(stores.posts, change);
  const line = lineOf(contact, { event: `${type} refused`, reason, at: Date.now() });
  const shown = asBefore(contact, change, changed);
  stores.contacts.put(shown);
  return { contact: shown, changed: changed ? [changed] : [], line: { ...line, seq: await result(stores.messages.add(line)) } };
}

function asBefore(contact, { type, at, before }, changed) {
  if (type === "setting") return contact.lasts_ts === at ? { ...contact, ...before } : contact;
  return changed ? withChanged(contact, changed) : contact;
}

/** A later reaction that is still to be sent does not come back to one that nobody saw. */
async function forgetBefore(posts, { contact, id, before }) {
  const later = (await result(posts.index("queued").getAll(contact))).filter((post) => post.before?.id === id);
  for (const post of later) posts.put({ ...post, before });
}
