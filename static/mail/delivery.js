/**
 * Sends what is queued. One message at a time a contact, oldest first, and the next only once the relay has the one before: order survives
 * every failure, but that what the network is too slow for lets the others go first. A retry has the same envelope id, so it never shows
 * twice.
 */
import { contentOf, pack } from "../protocol/content.js";
import { NONCE_BYTES, fingerprintOf, randomBytes, sealBox } from "../protocol/crypto.js";
import {
  BlockedContactError, ClientError, ForbiddenError, MailboxFullError, NotFoundError, RateLimitedError, RejectedError, TooLargeError, TooSlowError,
  UnknownContactError, UnknownRelayError, WeakKeyError, WrongKeyError,
} from "../protocol/errors.js";
import { partId } from "../protocol/files.js";
import { getKey, postMessage } from "../relay/api.js";
import { Backoff } from "../relay/connection.js";
import { readyToWrite } from "../store/contacts.js";
import { takeBackParts } from "./erasure.js";
import { Turns, notePart, settlePart } from "./files.js";
import { settlePost } from "./posts.js";
import { claimNext, claimPart, movingContacts, octetsOf, settle, waitingContacts } from "./queue.js";
import { refuseChange } from "./references.js";

export const USUAL_LIMIT_BYTES = 262_144;
const LONGEST_WAIT_MS = 60_000;
const CLAIMED_ELSEWHERE_MS = 10_000;
const LARGE_CHARACTERS = 16_384; // less gets through any network that works at all: where it does not, waiting keeps the order

/** What no waiting mends: the next message gets its turn. */
const FINAL = [
  BlockedContactError, ForbiddenError, NotFoundError, RejectedError, TooLargeError, UnknownContactError, UnknownRelayError, WeakKeyError, WrongKeyError,
];
const isFinal = (error) => FINAL.some((FinalError) => error instanceof FinalError);

export class Delivery {
  #store;
  #relays;
  #identity;
  #sharedKeys;
  #tab;
  #myName;
  #stopped = false;
  #turns = new Turns();
  #lines = new Map(); // contact, or "file" and contact → its running line

  constructor({ store, relays, identity, sharedKeys, tab, myName }) {
    this.#store = store;
    this.#relays = relays;
    this.#identity = identity;
    this.#sharedKeys = sharedKeys;
    this.#tab = tab;
    this.#myName = myName;
  }

  /** A line for every contact with something queued, and one for files; those that run wait no longer. */
  wake() {
    for (const line of this.#lines.values()) line.backoff.wake();
    return this.look();
  }

  async look() {
    try {
      for (const contact of await waitingContacts(this.#store)) this.#startLine(contact, (line) => this.#sendNext(contact, line));
      for (const contact of await movingContacts(this.#store)) this.#startLine(`file ${contact}`, (line) => this.#sendPart(contact, line));
    } catch (error) {
      console.warn("The outbox can't be read, and is looked into again:", error);
    }
  }

  abandon({ seq, contact }) {
    for (const line of [contact, `file ${contact}`].map((name) => this.#lines.get(name))) {
      if (line?.sending?.seq !== seq) continue;
      line.sending.controller.abort();
      line.backoff.wake();
    }
  }

  stop() {
    this.#stopped = true;
  }

  async #startLine(name, sendNext) {
    const running = this.#lines.get(name);
    if (running) return void (running.again = true);
    const line = { backoff: new Backoff({ most_ms: LONGEST_WAIT_MS }), again: true, sending: null, too_slow: new Set() };
    this.#lines.set(name, line);
    await this.#run(line, sendNext);
    this.#lines.delete(name);
  }

  /** `again` closes the gap between the last look and the line's end. */
  async #run(line, sendNext) {
    while (line.again && !this.#stopped) {
      line.again = false;
      try {
        while (!this.#stopped && (await sendNext(line)));
      } catch (error) {
        console.error(error); // storage: the message is as it was
        await line.backoff.wait();
        line.again = true;
      }
    }
  }

  /** The oldest message or, after all of them, post. False when nothing is left to be sent now. */
  async #sendNext(contact, line) {
    const { record, post, claimed_elsewhere, due_at } = await claimNext(this.#store, contact, this.#tab, line.too_slow);
    if (claimed_elsewhere) return line.backoff.wait(CLAIMED_ELSEWHERE_MS).then(() => true);
    if (!record && !post) return this.#lookAt(due_at);
    if (post?.content.type === "part") await this.#turns.take();
    if (record) return this.#attempt(line, record.seq, (signal) => this.#relayMessage(record, signal), (error) => this.#failed(record, error, line));
    return this.#attempt(line, post.seq, (signal) => this.#relayPost(post, signal), (error) => this.#postFailed(post, error, line));
  }

  async #sendPart(contact, line) {
    await this.#turns.take();
    const { record, octets, claimed_elsewhere } = await claimPart(this.#store, contact, this.#tab);
    if (claimed_elsewhere) return line.backoff.wait(CLAIMED_ELSEWHERE_MS).then(() => true);
    if (!record) return false;
    return this.#attempt(line, record.seq, (signal) => this.#relayPart(record, octets, signal), (error) => this.#partFailed(record, error, line));
  }

  async #attempt(line, seq, send, fail) {
    const controller = new AbortController();
    line.sending = { seq, controller };
    try {
      await send(controller.signal);
      line.backoff.reset();
    } catch (error) {
      if (!controller.signal.aborted) await fail(error);
    }
    return true;
  }

  #lookAt(due_at) {
    if (Number.isFinite(due_at)) setTimeout(() => this.#stopped || this.look(), due_at - Date.now());
    return false;
  }

  async #relayMessage(record, signal) {
    const octets = await octetsOf(this.#store, { seq: record.file ? record.seq : undefined, content: {} });
    if (octets === null) return; // the file was deleted
    const { relay, id, expires_at } = await this.#relay(record.contact, { id: record.envelope_id, at: record.at, content: contentOf(record), octets }, signal);
    await settle(this.#store, record, { state: "relayed", relay, relay_id: id, expires_at }, this.#identity.fingerprint);
    if (record.file) this.look();
  }

  async #relayPart(record, octets, signal) {
    const { contact, at, file } = record;
    const written = { id: partId(file.id, file.sent), at, content: { type: "part", file: file.id, n: file.sent }, octets };
    const { relay, id } = await this.#relay(contact, written, signal);
    if (!(await settlePart(this.#store, this.#identity.fingerprint, record, id))) await takeBackParts({ relays: this.#relays }, relay, [id]);
  }

  async #relayPost(post, signal) {
    const octets = await octetsOf(this.#store, post);
    if (octets === null) return refuseChange(this.#store, this.#identity.fingerprint, post, "");
    await this.#relay(post.contact, { ...post, octets }, signal);
    return settlePost(this.#store, this.#identity.fingerprint, post);
  }

  /** Anew at each attempt: one-time keys are for one. */
  async #relay(fingerprint, written, signal) {
    const contact = await this.#recipient(fingerprint);
    const session = await readyToWrite(this.#store, contact);
    const limit = this.#relays.get(contact.relay)?.max_message_bytes ?? USUAL_LIMIT_BYTES;
    const plaintext = await pack(written, { identity: this.#identity, session, to: fingerprint, name: this.#myName(), limit });
    const nonce = randomBytes(NONCE_BYTES);
    const ciphertext = sealBox(plaintext, nonce, this.#sharedKeys.with(contact.public_key));
    const message = { recipient_fingerprint: fingerprint, ciphertext, nonce, sender_public_key: this.#identity.public_key };
    const receipt = await this.#relays.authorized(contact.relay, (token) => postMessage(contact.relay, token, message, signal));
    return { relay: contact.relay, ...receipt };
  }

  /** With its key, used only if it hashes to the address. */
  async #recipient(fingerprint) {
    if (fingerprint === this.#identity.fingerprint) return { ...this.#identity, relay: this.#relays.home };
    const contact = await this.#store.contact(fingerprint);
    if (!contact) throw new UnknownContactError("This contact was removed.");
    if (contact.blocked) throw new BlockedContactError("You blocked this contact: unblock and retry.");
    if (contact.public_key) return contact;
    const public_key = await getKey(contact.relay, fingerprint);
    if (fingerprintOf(public_key) !== fingerprint) throw new WrongKeyError(`${contact.relay} gave a key that is not this address's. Nothing was sent.`);
    await this.#store.updateContact(fingerprint, { public_key });
    return this.#recipient(fingerprint); // who may have been removed or blocked while the key was fetched
  }

  /** Nobody can retry a post: what no waiting mends is undone. */
  async #postFailed(post, error, { backoff }) {
    if (!(error instanceof ClientError)) console.error(error);
    if (isFinal(error)) return refuseChange(this.#store, this.#identity.fingerprint, post, explain(error));
    return backoff.wait(error instanceof RateLimitedError ? error.retry_after_seconds * 1000 : 0);
  }

  /** Where no waiting mends it the file ends: the person can have it go on. */
  async #partFailed(record, error, { backoff }) {
    if (!(error instanceof ClientError)) console.error(error);
    await notePart(this.#store, record, explain(error), isFinal(error));
    return isFinal(error) || backoff.wait(error instanceof RateLimitedError ? error.retry_after_seconds * 1000 : 0);
  }

  async #failed(record, error, { backoff, too_slow }) {
    if (!(error instanceof ClientError)) console.error(error);
    const message = error instanceof ClientError ? explain(error) : "This message could not be sent: reload the page and retry.";
    if (isFinal(error)) return settle(this.#store, record, { state: "failed", error: message, retriable: !(error instanceof TooLargeError) });
    await settle(this.#store, record, { state: "queued", error: message });
    if (error instanceof TooSlowError && (record.file || record.text.length > LARGE_CHARACTERS)) too_slow.add(record.seq);
    return backoff.wait(error instanceof RateLimitedError ? error.retry_after_seconds * 1000 : 0);
  }
}

function explain(error) {
  if (error instanceof NotFoundError) return `Nobody with this address is at ${error.origin}. Ask for a new invite link, or retry later.`;
  if (error instanceof MailboxFullError) return "The server keeps no more for them now. It is tried again by itself.";
  return error.message;
}
