/** What a backup holds: a snapshot of the stores, checked again field by field when it is read. */
import { ALL_STORES, result } from "./database.js";
import { KEY_BYTES, fingerprintOf, identityFrom } from "../protocol/crypto.js";
import { fromBase64, toBase64 } from "../protocol/encoding.js";
import { DamagedBackupError, EncodingError } from "../protocol/errors.js";
import { isFingerprint } from "../protocol/address.js";
import { throwIfAborted } from "../protocol/kdf.js";
import { UNREAD_RELAY, newContact } from "./store.js";

const BATCH = 500;
const DIRECTIONS = ["in", "out"];
const EMPTY_THREAD = { unread: 0, last_text: "", last_seq: 0 };
const KINDS = ["text", "refused", "unknown"];

/** The stores as JSON. Tokens stay behind; without `history` so do messages, and the relays are read from the start again. */
export function snapshot(store, { history }) {
  return store.db.read(ALL_STORES, async ({ kv, contacts, drafts, messages, seen, relays }) => {
    const content = {
      created_at: Date.now(), history,
      secret_key: (await result(kv.get("identity"))).secret_key,
      settings: (await result(kv.get("settings"))) ?? {},
      contacts: await result(contacts.getAll()),
      drafts: await entries(drafts),
      relays: (await result(relays.getAll())).map((relay) => ({ ...relay, token: null, erase_ids: [], ...(!history && UNREAD_RELAY) })),
      messages: history ? await result(messages.getAll()) : [],
      seen: history ? await result(seen.getAllKeys()) : [],
    };
    return JSON.stringify(content, (_, value) => (value instanceof Uint8Array ? { base64: toBase64(value) } : value));
  });
}

async function entries(store) {
  const [keys, values] = await Promise.all([result(store.getAllKeys()), result(store.getAll())]);
  return keys.map((key, index) => [key, values[index]]);
}

/** A snapshot's JSON to its content with `identity`. Throws DamagedBackupError. */
export function readBackup(text) {
  try {
    const content = JSON.parse(text, (_, value) => (typeof value?.base64 === "string" ? fromBase64(value.base64) : value));
    return check(content);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof EncodingError) {
      throw new DamagedBackupError("What is in this backup can't be read. Nothing was changed.", { cause: error });
    }
    throw error;
  }
}

/** A TypeError where a part is missing is the caller's to translate. */
function check({ secret_key, contacts, relays, messages, ...rest }) {
  const sound =
    secret_key?.length === KEY_BYTES && contacts.every(isContact) && messages.every(isMessage) &&
    relays.every(({ origin }) => URL.canParse(origin) && new URL(origin).origin === origin) &&
    rest.drafts.every(([fingerprint, draft]) => isFingerprint(fingerprint) && typeof draft === "string") &&
    rest.seen.every((key) => typeof key === "string") && Number.isFinite(rest.created_at);
  if (!sound) throw new DamagedBackupError("This backup breaks its own format. Nothing was changed.");
  return { ...rest, contacts, relays, messages, identity: identityFrom(secret_key) };
}

const isContact = ({ fingerprint, name, public_key }) =>
  isFingerprint(fingerprint) && typeof name === "string" && (public_key === null || fingerprintOf(public_key) === fingerprint);

const isMessage = ({ seq, contact, direction, kind, text, at, written_at = at }) =>
  Number.isSafeInteger(seq) && isFingerprint(contact) && DIRECTIONS.includes(direction) && KINDS.includes(kind) &&
  typeof text === "string" && Number.isFinite(at) && Number.isFinite(written_at);

/**
 * Puts the backup in place of everything here, in one transaction: all of it or, where the `signal` aborts, nothing. Then every tab
 * gets "reset".
 */
export async function replaceEverything(store, content, { onProgress, signal } = {}) {
  const { identity, settings, contacts, drafts, relays, messages, seen, history } = content;
  await store.db.write(ALL_STORES, async (stores) => {
    for (const name of ALL_STORES) stores[name].clear();
    stores.kv.put(identity, "identity");
    stores.kv.put(settings, "settings");
    for (const contact of contacts) {
      stores.contacts.put({ ...newContact(contact.fingerprint), ...contact, ...(!history && EMPTY_THREAD) });
    }
    for (const [fingerprint, text] of drafts) stores.drafts.put(text, fingerprint);
    for (const relay of relays) stores.relays.put(relay);
    for (const key of seen) stores.seen.put(1, key);
    await putAll(stores.messages, messages, { onProgress, signal });
  });
  onProgress?.(1);
  store.emit("reset");
}

async function putAll(store, rows, { onProgress, signal }) {
  for (let at = 0; at < rows.length; at += BATCH) {
    const puts = rows.slice(at, at + BATCH).map((row) => result(store.put(row)));
    await Promise.all(puts);
    throwIfAborted(signal);
    onProgress?.(at / rows.length);
  }
}
