// What runs here: versions, and the SHA-256 of each file as it is served.
import { attempt, byId, clone, on, say } from "./dom.js";
import { formatCount } from "../protocol/format.js";
import { VERSION } from "../version.js";

export class AboutView {
  #client;

  constructor(client) {
    this.#client = client;
    byId("aboutClientVersion").textContent = VERSION;
    byId("aboutOrigin").textContent = location.origin;
    on(byId("showHashes"), "click", () => this.#showHashes());
  }

  show() {
    const home = this.#client.relays.get(this.#client.relays.home);
    byId("aboutRelayVersion").textContent = home?.version ?? "not known yet";
  }

  async #showHashes() {
    const status = byId("hashStatus");
    say(status, "Fetching and hashing…");
    const hashes = await attempt(byId("showHashes"), status, () => this.#client.hashes());
    if (!hashes) return;
    byId("hashRows").replaceChildren(...hashes.files.map(row));
    byId("hashTable").hidden = false;
    byId("showHashes").setAttribute("aria-expanded", "true");
    say(status, `All files together: ${hashes.combined}`);
  }
}

function row({ path, bytes, sha256 }) {
  const made = clone("hashRowTemplate");
  const [file, size, sum] = made.children;
  file.textContent = path;
  size.textContent = formatCount(bytes);
  sum.firstChild.textContent = sha256;
  return made;
}
