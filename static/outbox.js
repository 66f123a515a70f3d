/**
 * person → outbox → store → delivery → relay. What is written is stored as queued before anything else happens to it; the
 * leading tab sends it (delivery.js, loaded when there is something to send).
 */
import { BlockedContactError, EmptyMessageError, MessageTooLongError, SelfChatError } from "./errors.js";
import { newEnvelopeId, packEnvelope, wireBytes } from "./pack-envelope.js";

const USUAL_LIMIT_BYTES = 262_144;
const NEAR = 0.9;

export class Outbox {
  #parts;
  #leading = false;
  #enqueued = Promise.resolve(); // when all that was written so far is stored
  #delivery = null; // a promise of it, once something was queued

  /** `parts`: `{store, relays, identity, sharedKeys, tab}`, `tab` being the name that this tab claims messages under. */
  constructor(parts) {
    this.#parts = parts;
    const { store, relays } = parts;
    store.addEventListener("messages", ({ detail }) => !detail.received && this.wake());
    store.addEventListener("message", ({ detail }) => detail.message.state === "queued" && !detail.message.error && this.wake());
    relays.addEventListener("came-live", () => this.wake());
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
    const { enqueue } = await loadQueue();
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

  async retry(seq) {
    const { requeue } = await loadQueue();
    return requeue(this.#parts.store, seq);
  }

  async discard(seq) {
    const { discard } = await loadQueue();
    return discard(this.#parts.store, seq);
  }

  /** Fetches what sending needs: somebody who opened a thread may write in it when the network is gone. */
  prepare() {
    loadDelivery().catch((error) => console.debug("Loaded when there is something to send:", error.message));
  }

  /** From now on this tab is the one that sends. */
  lead() {
    this.#leading = true;
    this.wake();
  }

  /** Another tab sends from now on. */
  async follow() {
    this.#leading = false;
    const delivery = this.#delivery;
    this.#delivery = null;
    (await delivery)?.stop();
  }

  /** Sends what is queued, now: cuts every wait short. */
  async wake() {
    if (!this.#leading || !(this.#delivery || (await this.#parts.store.anyQueued()))) return;
    if (!this.#leading) return; // another tab took over while the store was asked
    this.#delivery ??= this.#startDelivery();
    await (await this.#delivery)?.wake();
  }

  /** Null where the module can't be fetched: the next wake, when the relay is back, tries again. */
  async #startDelivery() {
    try {
      const { Delivery } = await loadDelivery();
      return new Delivery(this.#parts);
    } catch (error) {
      console.warn("Sending waits for the network:", error);
      this.#delivery = null;
      return null;
    }
  }

  #refuseTooLong(relay, text) {
    const { bytes, limit, over } = this.measure(this.#parts.identity.fingerprint, text, relay);
    if (over) throw new MessageTooLongError(`This message is too long for the relay: ${bytes} of ${limit} bytes. Split it.`, { bytes, limit });
  }
}

const loadQueue = () => import("./queue.js");
const loadDelivery = () => import("./delivery.js");
