/**
 * This device's push subscription, and which relay knows of it (RFC 8030, RFC 8292). A subscription belongs to one relay's key, so it is
 * the home relay's. A page that leads keeps it right, and so does the service worker when the browser replaces it.
 */
import { deletePush, postPush } from "./api.js";
import { toBase64Url } from "../protocol/encoding.js";
import { NotFoundError } from "../protocol/errors.js";

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

  /**
   * A push came, and the service worker asks by `port` whether this tab reads the mail: the one that leads does. It says so by a timer,
   * for a frozen tab runs none. `told()` resolves when what came is shown.
   */
  async receive(port, leads, told) {
    if (!leads) return port.postMessage({ type: "follows" });
    setTimeout(() => port.postMessage({ type: "reads" }));
    try {
      await this.#relays.drain(this.#relays.home);
      await told();
      port.postMessage({ type: "read", all: true });
    } catch (error) {
      console.debug("Not all mail could be read:", error.message);
      port.postMessage({ type: "read", all: false });
    }
  }

  async #sync() {
    const home = await this.#relays.record(this.#relays.home);
    const manager = await this.#manager;
    if (!manager) return;
    const endpoint = this.#wanted() && home.push ? await subscribed(manager, home) : await unsubscribed(manager);
    const relays = await this.#store.relays();
    await Promise.all(relays.map((relay) => this.#tell(relay, relay.origin === home.origin ? endpoint : ""))); // one that is down holds none up
  }

  async #tell({ origin, push_endpoint: known = "" }, endpoint) {
    if (known === endpoint) return;
    if (known) await this.#relays.authorized(origin, (token) => deletePush(origin, token, known)).catch(ignoreMissing);
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

/** A relay that pushes no more knows of no endpoint. */
function ignoreMissing(error) {
  if (!(error instanceof NotFoundError)) throw error;
}

async function unsubscribed(manager) {
  await (await manager.getSubscription())?.unsubscribe();
  return "";
}

const keyOf = ({ options }) => toBase64Url(new Uint8Array(options.applicationServerKey ?? []));
