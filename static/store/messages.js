/** Message records: how they are kept, and how they leave the store. */
import { oneLine } from "../protocol/excerpt.js";

const PREVIEW_CHARACTERS = 120;

/** The key range of one contact's messages in the index [contact, seq]. */
export const everythingOf = (fingerprint) => IDBKeyRange.bound([fingerprint], [fingerprint, []]);

/** A stored record as views get it: a copy, every field present. */
export const toMessage = (record) => ({
  seq: record.seq,
  contact: record.contact,
  relay: record.relay,
  direction: record.direction,
  kind: record.kind,
  text: record.text,
  at: record.at,
  written_at: record.written_at ?? null, // where the sender's clock differs much from `at`
  stored_at: record.stored_at ?? null, // when it came in here
  envelope_id: record.envelope_id ?? "",
  reason: record.reason ?? "",
  legacy: record.legacy ?? false,
  state: record.state ?? "",
  error: record.error ?? "",
  retriable: record.retriable ?? false,
  relay_id: record.relay_id ?? null,
  expires_at: record.expires_at ?? "",
  taken_back_at: record.taken_back_at ?? null,
  unsealed: record.unsealed ?? false, // sealed with the address key only, though the contact's client knows better
  event: record.event ?? "", // a line that nobody wrote: "device", "own-device", "unopened", "impostor" or "timer", with `lasts`
  delivered_at: record.delivered_at ?? null,
  read_at: record.read_at ?? null,
  re: record.re ?? null, // {of, quote, mine}: the message that is answered, by envelope_id
  edited_at: record.edited_at ?? null,
  deleted_at: record.deleted_at ?? null,
  reactions: (record.reactions ?? []).filter(({ emoji }) => emoji).map(({ by, emoji }) => ({ by, emoji })), // by: fingerprint
  lasts: record.lasts ?? 0, // seconds; 0: for ever
  gone_at: record.gone_at ?? null, // ms, once the timer runs
});

/** A line of a contact's thread that nobody wrote: `event` is `{event, at, …}`. */
export const lineOf = ({ fingerprint, relay }, event) => ({
  contact: fingerprint, relay, direction: "in", kind: "unknown", text: "", stored_at: Date.now(), ...event,
});

/** The contact record with this message as its latest. */
export const withLatest = (contact, message) => ({
  ...contact,
  last_seq: message.seq,
  last_at: message.at,
  last_text: message.deleted_at ? "Deleted" : oneLine(message.text, PREVIEW_CHARACTERS),
  last_direction: message.direction,
  last_state: (message.read_at && "read") || (message.delivered_at && "delivered") || (message.state ?? ""),
});

/** Whether a contact who writes is in the list of chats: who is muted stays in the archive. */
export const isListed = ({ open, muted }) => open || !muted;
