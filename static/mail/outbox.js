/**
 * person → outbox → store → delivery → relay. What is written is stored as queued before anything else happens to it; the
 * leading tab sends it.
 */
import { BlockedContactError, EmptyMessageError, MessageTooLongError, SelfChatError } from "../protocol/errors.js";
import { newEnvelopeId, packEnvelope, wireBytes } from "../protocol/envelope.js";
import { Delivery } from "./delivery.js";
import { discard, enqueue, requeue } from "./queue.js";

const USUAL_LIMIT_BYTES = 262_144;
const NEAR = 0.9;

export class Outbox {
  #parts;
  #enqueued = Promise.resolve(); // when all that was written so far is stored
  #delivery = null; // while this tab leads

  /** `parts`: `{store, relays, identity, sharedKeys, tab}`, `tab` being the name that this tab claims messages under. */
  constructor(parts) {
    this.#parts = parts;
    const { store, relays } = parts;
    store.addEventListener("messages", ({ detail }) => !detail.received && this.wake());
    store.addEventListener("message", ({ detail }) => detail.message.state === "queued" && !detail.message.error && this.wake());
    for (const type of ["came-live", "wake"]) relays.addEventListener(type, () => this.wake());
  }

  /**
   * Queues a message: stored when this resolves. Throws EmptyMessageError, SelfChatError, MessageTooLongError, BlockedContactError.
   * One after the other, so that two written quickly are not stored, and then sent, in another order.
   */
  send(fingerprint, text) {
    const sending = this.#enqueued.then(() => this.#enqueue(fingerprint, text));
    this.#enqueued = Promise.allSettled([sending]);
    return sending;
  }

  async #enqueue(fingerprint, text) {
    const { store, relays, identity } = this.#parts;
    if (text.trim() === "") throw new EmptyMessageError("Write something first.");
    if (fingerprint === identity.fingerprint) throw new SelfChatError("This is your own address: a chat needs somebody else.");
    const contact = await store.contact(fingerprint);
    if (contact?.blocked) throw new BlockedContactError("You blocked this contact: unblock to write.");
    const relay = contact?.relay || relays.home;
    this.#refuseTooLong(relay, text);
    return enqueue(store, { contact: fingerprint, relay, text, envelope_id: newEnvelopeId() });
  }

  /** What `text` will weigh on the wire: `{bytes, limit, near, over}`. */
  measure(fingerprint, text, relay = this.#parts.relays.home) {
    const { relays, identity } = this.#parts;
    const plaintext = packEnvelope({ id: "0".repeat(22), from: identity.fingerprint, to: fingerprint, ts: Date.now(), text });
    const bytes = wireBytes(plaintext);
    const limit = relays.get(relay)?.max_message_bytes ?? USUAL_LIMIT_BYTES;
    return { bytes, limit, near: bytes > limit * NEAR, over: bytes > limit };
  }

  retry(seq) {
    return requeue(this.#parts.store, seq);
  }

  discard(seq) {
    return discard(this.#parts.store, seq);
  }

  /** From now on this tab is the one that sends. */
  lead() {
    this.#delivery ??= new Delivery(this.#parts);
    this.wake();
  }

  /** Another tab sends from now on. */
  follow() {
    this.#delivery?.stop();
    this.#delivery = null;
  }

  /** Sends what is queued, now: cuts every wait short. */
  async wake() {
    await this.#delivery?.wake();
  }

  #refuseTooLong(relay, text) {
    const { bytes, limit, over } = this.measure(this.#parts.identity.fingerprint, text, relay);
    if (over) throw new MessageTooLongError(`This message is too long for the relay: ${bytes} of ${limit} bytes. Split it.`, { bytes, limit });
  }
}
