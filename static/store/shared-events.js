/** An EventTarget whose events reach every tab of this browser (BroadcastChannel). Details must be structured-cloneable. */
export class SharedEventTarget extends EventTarget {
  #channel;

  constructor(channel_name) {
    super();
    this.#channel = new BroadcastChannel(channel_name);
    this.#channel.onmessage = ({ data }) => this.#dispatch(data.type, data.detail, true);
  }

  /** Dispatches here at once, and in the other tabs as soon as they run. */
  emit(type, detail = {}) {
    this.#dispatch(type, detail, false);
    this.#channel.postMessage({ type, detail });
  }

  close() {
    this.#channel.close();
  }

  #dispatch(type, detail, remote) {
    this.dispatchEvent(Object.assign(new CustomEvent(type, { detail }), { remote }));
  }
}
