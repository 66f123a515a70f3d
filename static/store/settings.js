/** The person's choices: read at once, kept in IndexedDB, the same in every tab. Emits "change" {name, value} in every tab. */
import { NameError } from "../protocol/errors.js";
import { readName } from "../protocol/names.js";
import { SharedEventTarget } from "./browser.js";

const DEFAULTS = { notifications: false, preview: true, sound: true, erase_on_relay: false, receipts: true, name: "" };
const KEY = "settings";

export class Settings extends SharedEventTarget {
  #store;
  #values;

  /** `home`: the relay to use until the person chooses one. */
  static async load(store, { home }) {
    return new Settings(store, { ...DEFAULTS, home, ...(await store.value(KEY)) });
  }

  constructor(store, values) {
    super("io3233-settings");
    this.#store = store;
    this.#values = values;
    this.addEventListener("change", ({ detail }) => (this.#values[detail.name] = detail.value));
  }

  get(name) {
    return this.#values[name];
  }

  async set(name, value) {
    await this.#store.changeValue(KEY, (stored) => ({ ...stored, [name]: value }));
    this.emit("change", { name, value });
  }

  /** Sets `name`, which goes with every message and is in the invite link. Throws NameError for what is none; an empty one takes mine away. */
  async callMyself(typed) {
    const name = readName(typed);
    if (typed.trim() && !name) throw new NameError("This can't be a name: it takes 1 to 64 characters that can all be seen, and no check marks.");
    await this.set("name", name);
    await this.#store.reviewNames();
  }
}
