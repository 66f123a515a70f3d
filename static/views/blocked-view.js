// Whom the person blocked: the one place from where they come back.
import { byId, clone, on } from "./dom.js";
import { displayName, shortAddress } from "../protocol/format.js";

export class BlockedView {
  #client;

  constructor(client) {
    this.#client = client;
    on(byId("settingsOpen"), "click", () => this.#render());
    on(byId("blockedList"), "click", (event) => this.#unblock(event));
    on(client.store, "contact", () => byId("settingsDialog").open && this.#render());
  }

  async #render() {
    const blocked = (await this.#client.store.contacts()).filter((contact) => contact.blocked);
    byId("blockedList").replaceChildren(...blocked.map(row));
    byId("blockedNone").hidden = blocked.length > 0;
  }

  async #unblock(event) {
    const fingerprint = event.target.closest("button")?.closest("li").dataset.fingerprint;
    if (fingerprint) await this.#client.store.updateContact(fingerprint, { blocked: false });
  }
}

function row(contact) {
  const item = clone("blockedTemplate");
  item.dataset.fingerprint = contact.fingerprint;
  item.querySelector("bdi").textContent = contact.name || `${displayName(contact)} (${shortAddress(contact)})`;
  item.querySelector("button").setAttribute("aria-label", `Unblock ${displayName(contact)}`);
  return item;
}
