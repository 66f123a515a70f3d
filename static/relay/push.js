/**
 * This device's push subscription, and which relay knows of it (RFC 8030, RFC 8292). A subscription belongs to one relay's key, so it is
 * the home relay's. A page that leads keeps it right, and so does the service worker when the browser replaces it.
 */
import { deletePush, postPush } from "./api.js";
import { toBase64Url } from "../protocol/encoding.js";

export class Push {
  #store;
  #relays;
  #manager;
  #wanted;
  #last = Promise.resolve(); // one after the other

  /** `manager`: a promise of the PushManager, or of nothing. `wanted()`: whether there are to be notifications. */
  constructor({ store, relays, manager, wanted }) {
    this.#store = store;
    this.#relays = relays;
    this.#manager = manager;
    this.#wanted = wanted;
  }

  /** Brings the subscription and the relays in line with what is wanted now. What fails is tried again with the next connection. */
  sync() {
    this.#last = this.#last.then(() => this.#sync()).catch((error) => console.debug("Push is not as wanted yet:", error.message));
    return this.#last;
  }

  async #sync() {
    const manager = await this.#manager;
    if (!manager) return;
    const home = await this.#relays.record(this.#relays.home);
    const endpoint = this.#wanted() && home.push ? await subscribed(manager, home) : await unsubscribed(manager);
    for (const relay of await this.#store.relays()) await this.#tell(relay, relay.origin === home.origin ? endpoint : "");
  }

  async #tell({ origin, push_endpoint: known = "" }, endpoint) {
    if (known === endpoint) return;
    if (known) await this.#relays.authorized(origin, (token) => deletePush(origin, token, known));
    if (endpoint) await this.#relays.authorized(origin, (token) => postPush(origin, token, endpoint));
    await this.#store.putRelay(origin, { push_endpoint: endpoint }, { only_known: true });
    await this.#relays.changed(origin);
  }
}

/**
 * The endpoint at which this relay may push. A subscription that it does not know belongs to keys from before, or to another relay: it
 * ends, so that nobody is woken for those.
 */
async function subscribed(manager, { push, push_endpoint }) {
  const known = await manager.getSubscription();
  if (known?.endpoint === push_endpoint && keyOf(known) === push) return push_endpoint;
  await known?.unsubscribe();
  return (await manager.subscribe({ userVisibleOnly: true, applicationServerKey: push })).endpoint;
}

async function unsubscribed(manager) {
  await (await manager.getSubscription())?.unsubscribe();
  return "";
}

const keyOf = ({ options }) => toBase64Url(new Uint8Array(options.applicationServerKey ?? []));
