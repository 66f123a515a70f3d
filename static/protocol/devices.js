/**
 * A session: what this device knows of one contact's devices, and the receiving keys that it made for them (PROTOCOL.md, "Envelope 2"). My
 * own address has one too. Pure functions, each from a session to the next: a message and its session are stored in one transaction, so a key
 * goes when what it opened is kept, and not before.
 */
const DAY_MS = 86_400_000;
const KEY_AGE_MS = 30 * DAY_MS; // of the newest, until there is a newer one; of the others from then on
const MOST_KEYS = 16;
const SILENT_MS = 45 * DAY_MS;
const MOST_DEVICES = 16;
const MOST_RECEIVERS = 8;
const MOST_UNOPENED = 200;
const MOST_PAST = 64;
const MOST_ASKED = 3;
export const RESEND_MS = 14 * DAY_MS;
const OLD_FORM_MS = 14 * DAY_MS;
const UNANSWERED_MS = DAY_MS;

/**
 * `devices`: `{device, key, since, heard_at, used}`, `used` being the number of my newest key that it used. `keys`: `{n, id, public_key,
 * secret_key, made_at, used}`, the newest last; `past`: ids of the last that went. `unopened`: `{id, at, asked, told}`. `sealed`: envelope 2
 * was used either way. `old_since`: from when on only v1's form came, or 0. `receipted`: seqs of the last messages with receipts.
 */
export const newSession = (contact, fields) => ({
  contact, devices: [], keys: [], past: [], made: 0, unopened: [], sealed: false, old_since: 0, receipted: { delivered: 0, read: 0 }, ...fields,
});

/** Fit to write from: no answer was sealed to its newest key yet. `make()` gives `{id, public_key, secret_key}`. */
export function prepared(session, now, make) {
  const newest = session.keys.at(-1);
  if (newest && !newest.used && now - newest.made_at <= KEY_AGE_MS) return session;
  const made = session.made + 1;
  return swept({ ...session, made, keys: [...session.keys, { n: made, ...make(), made_at: now, used: false }] }, now);
}

export const receivers = ({ devices }) => [...devices].sort((a, b) => b.heard_at - a.heard_at).slice(0, MOST_RECEIVERS);

export const isHeardOf = (session, device) => session.devices.some((each) => each.device === device);

export function heard(session, { device, key }, now) {
  const known = session.devices.find((each) => each.device === device);
  const others = session.devices.filter((each) => each !== known);
  const devices = [...others, { since: now, used: 0, ...known, device, key, heard_at: now }];
  return swept({ ...session, devices: devices.sort((a, b) => a.heard_at - b.heard_at).slice(-MOST_DEVICES) }, now);
}

/** Its message opened with the key `key_id` and is being stored. */
export function opened(session, { id, announced }, key_id, now) {
  const { n } = session.keys.find((key) => key.id === key_id);
  const learnt = heard(session, announced, now);
  const devices = learnt.devices.map((each) => (each.device === announced.device ? { ...each, used: Math.max(each.used, n) } : each));
  const keys = learnt.keys.map((key) => (key.n === n ? { ...key, used: true } : key));
  const unopened = learnt.unopened.filter((each) => each.id !== id);
  return swept({ ...learnt, devices, keys, unopened, sealed: true, old_since: 0 }, now);
}

/** No key here opens it. One that came before teaches nothing: a relay may send an old one again, with an old key. */
export function missed(session, { id, announced }, now) {
  if (session.unopened.some((each) => each.id === id)) return session;
  const learnt = heard(session, announced, now);
  const unopened = [...learnt.unopened, { id, at: now, asked: 0, told: false }].slice(-MOST_UNOPENED);
  return { ...learnt, unopened, sealed: true, old_since: 0 };
}

export function cameUnsealed(session, announced, now) {
  const learnt = announced ? heard(session, announced, now) : session;
  return learnt.devices.length > 0 ? { ...learnt, old_since: learnt.old_since || now } : learnt;
}

/** → `[ids to ask for again, session]` */
export function asking(session, wanted) {
  const ids = session.unopened.filter(({ id, asked }) => wanted.includes(id) && asked < MOST_ASKED).map(({ id }) => id);
  return [ids, { ...session, unopened: session.unopened.map((each) => (ids.includes(each.id) ? { ...each, asked: each.asked + 1 } : each)) }];
}

/** Whether a message is sealed to a key that this `device` never made: somebody with my identity key said it in its name. That shows nowhere else. */
export const isForged = ({ keys, past }, device, rows) =>
  rows.some((row) => row.device === device && !past.includes(row.key_id) && !keys.some(({ id }) => id === row.key_id));

/** A contact's last device stays, or we would fall back to v1. */
export function without(session, device) {
  const devices = session.devices.filter((each) => each.device !== device);
  return devices.length > 0 ? { ...session, devices } : session;
}

/** True, false, or "ask" the person where the device came later than the message, which was written `at` and first sealed about `sent_at`. */
export function mayResend(session, device, { at, sent_at = at, resent = 0 }, now) {
  const asker = session.devices.find((each) => each.device === device);
  if (!asker || now - at > RESEND_MS || resent >= MOST_ASKED) return false;
  return asker.since <= sent_at || "ask";
}

/** Whether only v1's form came for two weeks. */
export const wantsOldForm = ({ devices, old_since, old_form_asked }, now) =>
  devices.length > 0 && !old_form_asked && old_since > 0 && now - old_since > OLD_FORM_MS;

/** → `[how many wait too long for an answer, session]` */
export function unanswered(session, now) {
  const late = session.unopened.filter(({ at, told }) => !told && now - at > UNANSWERED_MS);
  return [late.length, { ...session, unopened: session.unopened.map((each) => (late.includes(each) ? { ...each, told: true } : each)) }];
}

export function swept(session, now) {
  const recent = session.devices.filter(({ heard_at }) => now - heard_at <= SILENT_MS);
  const devices = recent.length > 0 ? recent : session.devices.slice(-1);
  const keys = kept(session.keys, devices, now);
  const past = [...session.past, ...session.keys.filter((key) => !keys.includes(key)).map(({ id }) => id)].slice(-MOST_PAST);
  return { ...session, devices, keys, past, unopened: session.unopened.filter(({ at }) => now - at <= RESEND_MS) };
}

/** Mail is in order: once each device has used a key or a newer one, nothing sealed to an older one can still come. */
function kept(keys, devices, now) {
  const used = Math.min(...devices.map((each) => each.used), Infinity);
  const isLate = (index) => index < keys.length - 1 && now - keys[index + 1].made_at > KEY_AGE_MS;
  return keys.filter(({ n }, index) => (devices.length === 0 || n >= used) && !isLate(index)).slice(-MOST_KEYS);
}
