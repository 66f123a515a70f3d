/** person → outbox → store → delivery → relay. What is written is stored as queued before anything else; the leading tab sends it. */
import { digest } from "../protocol/crypto.js";
import { toHex } from "../protocol/encoding.js";
import { BlockedContactError, EmptyMessageError, FileSizeError, MessageTooLongError, SelfChatError } from "../protocol/errors.js";
import { MOST_FILE_BYTES, PART_BYTES, fileHeader, safeName } from "../protocol/files.js";
import { isEnvelopeId, newEnvelopeId } from "../protocol/envelope.js";
import { Delivery, USUAL_LIMIT_BYTES } from "./delivery.js";
import { enqueueFile } from "./files.js";
import { discard, enqueue, requeue } from "./queue.js";
import { Sweeper, greet, sayGoodbye } from "./sweeper.js";
import { WAITS, isPlain, wireBytesOf } from "../protocol/content.js";
import { mayTakeBack, takeBack } from "./erasure.js";

const NEAR = 0.9;
const MOST_HEADER_BYTES = 4096; // of a file: preview, name, what it answers, digits
const LOOK_EVERY_MS = 5000;

/** What old clients wrote has no id to name. */
const besides = (re, lasts) => ({ ...(isEnvelopeId(re?.of) && { re }), ...(lasts && { lasts }) });

export class Outbox {
  #parts;
  #delivery = null;
  #sweeper;
  #looking = 0;
  #storing = Promise.resolve();

  /** `tab`: what messages are claimed under; `myName()`: what I call myself. */
  constructor(parts) {
    this.#parts = parts;
    const { store, relays } = parts;
    this.#sweeper = new Sweeper(parts);
    store.addEventListener("messages", ({ detail }) => !detail.received && this.wake());
    store.addEventListener("message-restored", ({ detail }) => detail.message.state === "queued" && this.wake());
    store.addEventListener("message", ({ detail }) => detail.message.state === "queued" && !detail.message.error && this.wake());
    store.addEventListener("posts", () => this.#delivery?.look());
    store.addEventListener("message-removed", ({ detail }) => this.#delivery?.abandon(detail));
    for (const type of ["came-live", "wake"]) relays.addEventListener(type, () => this.wake());
  }

  /**
   * `text` was the thread's draft unless it is forwarded. Resolves when it is stored, rejects with StorageError. Begun within this call, so
   * in the order of sending. Throws at once, and changes nothing: EmptyMessageError, SelfChatError, MessageTooLongError, BlockedContactError.
   * `re`, `{of, quote, mine}`: what it answers, by its `envelope_id`; `lasts`: seconds. Either waits until the contact's client is known to
   * read it.
   */
  send(contact, text, { was_draft = true, re, lasts = contact.lasts } = {}) {
    const { store, drafts, relays } = this.#parts;
    const { fingerprint } = contact;
    const relay = contact.relay || relays.home;
    this.#refuse(contact, relay, text);
    const more = besides(re, lasts);
    const error = contact.devices > 0 || isPlain(more) ? "" : WAITS;
    const storing = enqueue(store, { contact: fingerprint, relay, text, envelope_id: newEnvelopeId(), was_draft, error, ...more });
    if (was_draft) drafts.sent(fingerprint, text, storing, "re" in more);
    return this.#keep(storing);
  }

  /**
   * `file`: `{name, mime, bytes, width?, height?, seconds?, preview?}`; `words`: `text`, `re`, `lasts` as `send` has them. Resolves when it
   * is stored. Rejects with SelfChatError, BlockedContactError, FileSizeError, StorageError: nothing has changed then.
   */
  sendFile(contact, file, words) {
    return this.#keep(this.#storeFile(contact, file, words));
  }

  async #storeFile(contact, { bytes, ...known }, { text = "", re, lasts = contact.lasts } = {}) {
    const relay = contact.relay || this.#parts.relays.home;
    this.#refuseContact(contact);
    this.#refuseSize(known.name, bytes.length, contact, relay, text);
    const file = fileHeader({ ...known, id: newEnvelopeId(), size: bytes.length, sha256: toHex(await digest(bytes)) });
    const error = contact.devices > 0 ? "" : WAITS;
    const written = { contact: contact.fingerprint, relay, text, envelope_id: newEnvelopeId(), error, ...besides(re, lasts) };
    return enqueueFile(this.#parts.store, { file, bytes, ...written });
  }

  #keep(storing) {
    this.#storing = Promise.allSettled([this.#storing, storing]);
    return storing;
  }

  /** When nothing that was sent is being stored. */
  stored() {
    return this.#storing;
  }

  /** On the wire, without my name, which gives way: `{bytes, limit, near, over}`. `devices`: how many are known. */
  measure(fingerprint, text, relay = this.#parts.relays.home, devices = 0) {
    const { relays, identity } = this.#parts;
    const bytes = wireBytesOf({ identity, to: fingerprint, text, devices });
    const limit = relays.get(relay)?.max_message_bytes ?? USUAL_LIMIT_BYTES;
    return { bytes, limit, near: bytes > limit * NEAR, over: bytes > limit };
  }

  async retry(seq) {
    await requeue(this.#parts.store, seq);
    await this.wake();
  }

  discard(seq) {
    return discard(this.#parts.store, seq);
  }

  mayTakeBack(message) {
    return mayTakeBack(message, this.#parts.relays.get(message.relay));
  }

  takeBack(seq) {
    return takeBack(this.#parts, seq);
  }

  /** It looks for itself too: a tab that stored a message may be gone before it told of it. */
  lead() {
    this.#delivery ??= new Delivery(this.#parts);
    this.#looking ||= setInterval(() => this.#delivery?.look(), LOOK_EVERY_MS);
    this.#sweeper.start();
    this.wake();
  }

  /** Who seals for this device is told that it goes before `replace` puts other keys in place; greeted again where that fails or is cancelled. */
  async leave(replace, options) {
    const { store, identity } = this.#parts;
    try {
      await sayGoodbye(store, identity.fingerprint, options);
      return await replace();
    } catch (error) {
      await greet(store, identity.fingerprint);
      throw error;
    }
  }

  follow() {
    clearInterval(this.#looking);
    this.#looking = 0;
    this.#sweeper.stop();
    this.#delivery?.stop();
    this.#delivery = null;
  }

  async wake() {
    await this.#delivery?.wake();
  }

  #refuse(contact, relay, text) {
    if (text.trim() === "") throw new EmptyMessageError("Write something first.");
    this.#refuseContact(contact);
    this.refuseLong({ ...contact, relay }, text);
  }

  #refuseSize(name, bytes, { fingerprint, devices }, relay, text) {
    const { over, limit } = this.measure(fingerprint, text + "x".repeat(Math.min(bytes, PART_BYTES) + MOST_HEADER_BYTES), relay, Math.max(devices, 1));
    if (bytes === 0) throw new FileSizeError(`“${safeName(name)}” is empty: there is nothing to send.`);
    if (bytes > MOST_FILE_BYTES) throw new FileSizeError(`“${safeName(name)}” is larger than 16 MiB, which is the most. Send a part of it, or a link.`);
    if (over) throw new FileSizeError(`Their server takes messages of ${limit} bytes only, which is too little for files.`);
  }

  #refuseContact({ fingerprint, blocked }) {
    if (fingerprint === this.#parts.identity.fingerprint) throw new SelfChatError("This is your own address: a chat needs somebody else.");
    if (blocked) throw new BlockedContactError("You blocked this contact: unblock to write.");
  }

  refuseLong({ fingerprint, relay, devices }, text) {
    const { bytes, limit, over } = this.measure(fingerprint, text, relay, devices);
    if (over) throw new MessageTooLongError(`This message is too long for the server: ${bytes} of ${limit} bytes. Split it.`, { bytes, limit });
  }
}
