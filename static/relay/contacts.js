/** From what a person pasted to a contact. No relay is believed about whose key it is. */
import { getKey, searchKeys } from "./api.js";
import { fingerprintOf, isCanonical } from "../protocol/crypto.js";
import {
  NetworkError, NobodyFoundError, NotFoundError, SelfChatError, SeveralFoundError, UnknownRelayError, WeakKeyError,
  WrongKeyError,
} from "../protocol/errors.js";
import { parseAddress } from "../protocol/address.js";

const TOO_MANY_TO_MAKE = 32; // digits: nobody makes a key whose address begins with that many

export class Contacts {
  #store;
  #relays;
  #identity;

  constructor({ store, relays, identity }) {
    this.#store = store;
    this.#relays = relays;
    this.#identity = identity;
  }

  /**
   * Finds whom `address` (text, or parseAddress's) names, storing nothing: `{fingerprint, public_key|null, relay, their_name, invited,
   * existing: contact|null, moves, chosen_by_relay}`. `invited`: by a link of theirs. `moves`: kept at another relay than the invite names,
   * and stays there unless the person says otherwise. `chosen_by_relay`: a stranger of whose address so few digits were typed that a relay
   * could make one.
   */
  async find(address) {
    const parsed = typeof address === "string" ? parseAddress(address) : address;
    if (parsed.error) throw parsed.error;
    this.#refuseOneself(parsed);
    const relay = parsed.server ?? this.#relays.home;
    const fingerprint = parsed.fingerprint ?? (await this.#search(relay, parsed.prefix));
    this.#refuseOneself({ fingerprint });
    const existing = (await this.#store.contact(fingerprint)) ?? null;
    const moves = Boolean(existing && parsed.server && existing.relay !== parsed.server);
    if (!existing || moves) this.#askFirst(relay);
    const known_key = existing?.public_key ?? parsed.public_key ?? null;
    const public_key = existing || known_key ? known_key : await this.#key(relay, fingerprint);
    if (public_key && !isCanonical(public_key)) throw new WeakKeyError("This address belongs to another spelling of somebody's key: ask for the true one.");
    const their_name = existing?.their_name || (parsed.name ?? ""); // anybody can write a link that calls my friend otherwise
    const invited = existing ? Boolean(existing.invited) : parsed.server !== null;
    const chosen_by_relay = !existing && parsed.prefix?.length < TOO_MANY_TO_MAKE;
    return { fingerprint, public_key, relay: existing && !moves ? existing.relay : relay, their_name, invited, existing, moves, chosen_by_relay };
  }

  /** Stores, or reopens the thread: from now on the person wants to hear of them. */
  open({ fingerprint, public_key, relay, their_name = "", invited = false }) {
    return this.#store.putContact(fingerprint, { open: true, request: false, blocked: false, public_key, relay, their_name, invited });
  }

  #refuseOneself({ fingerprint, prefix }) {
    const mine = this.#identity.fingerprint;
    if (fingerprint === mine || (prefix && mine.startsWith(prefix))) {
      throw new SelfChatError("This is your own address: send it to somebody else, and open theirs here.");
    }
  }

  /** A link must not register this device anywhere by itself. */
  #askFirst(relay) {
    if (this.#relays.get(relay)) return;
    throw new UnknownRelayError(`This contact uses another server, ${relay}. To write to them, this device has to join it.`, { origin: relay });
  }

  async #search(relay, prefix) {
    const contacts = (await this.#store.contacts()).map(({ fingerprint }) => fingerprint);
    const known = contacts.filter((fingerprint) => fingerprint.startsWith(prefix));
    const found = known.length === 1 ? known : await searchKeys(relay, prefix);
    if (found.length === 1) return found[0];
    if (found.length === 0) throw new NobodyFoundError(`Nobody at ${relay} has an address that begins with ${prefix}. Ask for an invite link.`);
    throw new SeveralFoundError("Several addresses begin like this: type more digits.", { fingerprints: found });
  }

  /** Null when the relay can't be reached: it is fetched before the first message goes. */
  async #key(relay, fingerprint) {
    try {
      const public_key = await getKey(relay, fingerprint);
      if (fingerprintOf(public_key) === fingerprint) return public_key;
    } catch (error) {
      if (error instanceof NetworkError) return null;
      if (error instanceof NotFoundError) throw new NobodyFoundError(`Nobody with this address is at ${relay}. Ask for a new invite link.`);
      throw error;
    }
    throw new WrongKeyError(`${relay} gave a key that is not this address's, so it was refused. Ask your contact for their public key.`);
  }
}
