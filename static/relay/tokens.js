/** The tokens that relays gave: kept, renewed ahead of time, and once more when one is refused. */
import { fingerprintOf } from "../protocol/crypto.js";
import { UnauthorizedError, UnknownRelayError } from "../protocol/errors.js";
import { UNREAD_RELAY } from "../store/store.js";
import { registerWith } from "./registration.js";

export class Tokens {
  #store;
  #identity;
  #renewals = new Map(); // origin → the registration that is under way

  constructor(store, identity) {
    this.#store = store;
    this.#identity = identity;
  }

  /** The stored record. Throws UnknownRelayError. */
  async record(origin) {
    const found = (await this.#store.relays()).find((record) => record.origin === origin);
    if (found) return found;
    throw new UnknownRelayError(`This device has not joined ${origin}.`, { origin });
  }

  /** `{token, bound}`: a token that is good for a while yet, registering for one where needed. */
  async pass(origin) {
    const { token, token_for, token_renew_at, bound } = await this.record(origin);
    const good = token && token_for === this.#identity.fingerprint && Date.now() < token_renew_at;
    return good ? { token, bound } : this.renew(origin, token);
  }

  /**
   * Runs `call(token)`. A refused token is renewed once, unnoticed; a second refusal is the caller's to see. A relay that refuses its
   * own token may have lost its database and count from 1 again: it is read from the start, and what was seen is dropped anyway.
   */
  async authorized(origin, call) {
    const { token } = await this.pass(origin);
    try {
      return await call(token);
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
    }
    return call((await this.renew(origin, token, UNREAD_RELAY)).token);
  }

  /** A new token in place of `stale` ("": of any), one registration at a time. `also`: fields to store with it. */
  renew(origin, stale = "", also = {}) {
    const running = this.#renewals.get(origin);
    if (running) return running;
    const renewal = this.#renewed(origin, stale, also).finally(() => this.#renewals.delete(origin));
    this.#renewals.set(origin, renewal);
    return renewal;
  }

  async #renewed(origin, stale, also) {
    const record = await this.record(origin);
    if (stale && record.token !== stale) return record; // another tab was here first
    const granted = await this.register(origin, record);
    await this.#store.putRelay(origin, { ...granted, ...also }, { only_known: true });
    return this.record(origin);
  }

  /**
   * Registers, refusing a key that is known to be somebody else's. Returns fields for the record. `moved_from`: the relay's former
   * address, whose key it may present.
   */
  async register(origin, record, { moved_from = origin } = {}) {
    const holders = new Map([[this.#identity.fingerprint, { name: "your own address" }]]);
    for (const { fingerprint, name, short } of await this.#store.contacts()) holders.set(fingerprint, { name: `your contact ${name || short}` });
    for (const { origin: relay, server_public_key } of await this.#store.relays()) {
      if (relay !== origin && relay !== moved_from && server_public_key) holders.set(fingerprintOf(server_public_key), { relay });
    }
    return registerWith(origin, this.#identity, record, (fingerprint) => holders.get(fingerprint));
  }
}
