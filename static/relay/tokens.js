/** The tokens that relays gave: registered for, and renewed ahead of time or when one is refused. */
import { boundProof, fingerprintOf, olderProof } from "../protocol/crypto.js";
import { equalBytes } from "../protocol/encoding.js";
import { parseFields } from "../protocol/envelope.js";
import {
  BadAnswerError, ForbiddenError, InviteNeededError, OlderProofError, RelayKeyChangedError, RelayKeyError, SameRelayError, UnauthorizedError,
  UnknownRelayError,
} from "../protocol/errors.js";
import { UNREAD_RELAY } from "../store/store.js";
import { challenge as askChallenge, register } from "./api.js";

export class Tokens {
  #store;
  #identity;
  #renewals = new Map(); // by origin

  constructor(store, identity) {
    this.#store = store;
    this.#identity = identity;
  }

  /** Throws UnknownRelayError. */
  async record(origin) {
    const found = (await this.#store.relays()).find((record) => record.origin === origin);
    if (found) return found;
    throw new UnknownRelayError(`This device has not joined ${origin}.`, { origin });
  }

  /** `{token, bound}`, good for a while yet. */
  async pass(origin) {
    const { token, token_for, token_renew_at, bound } = await this.record(origin);
    const good = token && token_for === this.#identity.fingerprint && Date.now() < token_renew_at;
    return good ? { token, bound } : this.renew(origin, token);
  }

  /**
   * A refused token is renewed once; a second refusal is the caller's to see. A relay that refuses its own token may have lost its database
   * and count from 1 again: it is read from the start, and what was seen is dropped anyway.
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

  /** In place of `stale` ("": of any), one registration at a time. `also`: fields to store with it. */
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
   * Refuses a key that is known to be somebody else's. Returns fields for the record. `moved_from`: the relay's former address, whose key it
   * may present.
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

// Proves to a relay that this device holds its secret key, without giving it anything of use elsewhere: it picks both the key and the bytes
// that v1's proof boxes, so keys are pinned and the bound proof is preferred (PROTOCOL.md).

const RENEW_AFTER = 0.9; // of a token's life

/**
 * → `{token, token_for, token_renew_at, server_public_key, bound, allow_older_proof, key_changed_at}` for the relay's record. `record`:
 * `{server_public_key?, bound?, allow_older_proof?, invite?, key_changed_at?}`. `holderOf(fingerprint)`: who else holds that key, `{name}` or
 * `{relay: origin}`, or undefined.
 */
async function registerWith(origin, identity, record, holderOf) {
  const offer = await askChallenge(origin, identity.public_key);
  const key_changed_at = checkServerKey(origin, offer, record, holderOf(fingerprintOf(offer.server_public_key)));
  const proof = makeProof(origin, identity, offer, record);
  const answer = await submit(origin, identity, offer, proof, record.invite);
  if (answer.fingerprint !== identity.fingerprint) {
    throw new BadAnswerError(`${origin} took down another address than this device's. It is not used.`, { origin });
  }
  const lifetime_ms = answer.expires_in * 1000;
  const token = { token: answer.token, token_for: answer.fingerprint, token_renew_at: Date.now() + lifetime_ms * RENEW_AFTER };
  // One that offers the better proof never gets the older one on the strength of an earlier answer.
  const allow_older_proof = Boolean(record.allow_older_proof) && !offer.bound_proof;
  return { ...token, server_public_key: offer.server_public_key, bound: offer.bound_proof, allow_older_proof, key_changed_at };
}

/** When it last came with another key (ms since 1970, or null); throws where it may not. */
function checkServerKey(origin, { server_public_key, bound_proof }, { server_public_key: pinned, bound, key_changed_at = null }, holder) {
  if (holder?.relay) {
    throw new SameRelayError(`${origin} presents the key of ${holder.relay}: it is the same server under another address, or may be trying to pose as you there. Nothing was sent to it.`, { origin, known: holder.relay });
  }
  if (holder) {
    throw new RelayKeyError(`${origin} presents the key of ${holder.name}. It may be trying to pose as you there, so it was refused.`, { origin });
  }
  if (!pinned || equalBytes(pinned, server_public_key)) return key_changed_at;
  if (bound === false && !bound_proof) return Date.now(); // original servers make a new one at every start: told, not asked
  const keys = `It was ${shown(pinned)}, and is ${shown(server_public_key)}.`;
  throw new RelayKeyChangedError(`${origin} presents another key than before. Its operator may have set a new JWT_SECRET, or somebody else answers in its place. Ask the operator before you accept it. ${keys}`, { origin, server_public_key });
}

const shown = (public_key) => `${fingerprintOf(public_key).slice(0, 16)}…`;

function makeProof(origin, identity, offer, { allow_older_proof }) {
  const { server_public_key, challenge } = offer;
  if (offer.bound_proof) return { proof_mac: boundProof({ identity, server_public_key, challenge, origin }) };
  if (!allow_older_proof) {
    throw new OlderProofError(`${origin} only knows the older way to join, in which a dishonest server could have this device vouch for something else. Use it only if you trust whoever runs this server.`, { origin });
  }
  if (parseFields(challenge)) {
    throw new RelayKeyError(`${origin} asks this device to seal a message in place of a challenge, which was refused. Do not trust this server.`, { origin });
  }
  const { nonce, ciphertext } = olderProof({ identity, server_public_key, challenge });
  return { proof_nonce: nonce, proof_ciphertext: ciphertext };
}

async function submit(origin, identity, offer, proof, invite) {
  const { challenge } = offer;
  try {
    return await register(origin, { public_key: identity.public_key, challenge, proof, invite });
  } catch (error) {
    if (error instanceof ForbiddenError) throw inviteNeeded(origin, invite);
    if (error instanceof UnauthorizedError) throw proofRefused(origin, offer);
    throw error;
  }
}

const inviteNeeded = (origin, invite) =>
  new InviteNeededError(invite ? `${origin} did not accept this invite code: check it with whoever runs the server.` : `${origin} is a closed server: it needs an invite code from whoever runs it.`, { origin, status: 403 });

function proofRefused(origin, offer) {
  const elsewhere = offer.origin && offer.origin !== origin;
  const hint = elsewhere ? `It takes itself for ${offer.origin}: open it under that address, or have its operator set ORIGIN.` : "Try again, or ask its operator.";
  return new UnauthorizedError(`${origin} did not accept this device's proof. ${hint}`, { origin, status: 401 });
}
