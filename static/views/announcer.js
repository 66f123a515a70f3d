// Tells a screen reader, politely, what has arrived.
import { debounce } from "./dom.js";
import { oneLine } from "../protocol/excerpt.js";
import { displayName, plural } from "../protocol/format.js";
import { announce } from "./toast.js";

const GATHER_MS = 400; // messages that come together are told together
const SPOKEN_CHARACTERS = 200;

export class Announcer {
  #store;
  #arrived = [];
  #tell = debounce(() => this.#tellArrived(), GATHER_MS);

  constructor(store) {
    this.#store = store;
  }

  gather(messages) {
    this.#arrived.push(...messages);
    this.#tell();
  }

  async #tellArrived() {
    const arrived = this.#arrived.splice(0);
    const contacts = await Promise.all([...new Set(arrived.map(({ contact }) => contact))].map((key) => this.#store.contact(key)));
    const heard = contacts.filter((contact) => contact && !contact.muted && !contact.blocked);
    const names = heard.map(displayName).join(", ");
    if (arrived.length === 1 && heard.length === 1) announce(`${names}: ${oneLine(arrived[0].text, SPOKEN_CHARACTERS) || "a message that cannot be shown"}`);
    else if (heard.length) announce(`${plural(arrived.length, "new message")} from ${names}`);
  }
}
