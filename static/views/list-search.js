// The field at the head of the list: people first, then messages.
import { byId, clone, debounce, on } from "./dom.js";
import { fold } from "../protocol/excerpt.js";
import { displayName } from "../protocol/format.js";
import { foundMessage } from "./library-view.js";
import { PHONE } from "./shell-view.js";
import { fillRow } from "./thread-row.js";

const TYPING_MS = 60;
const MOST_MESSAGES = 30;

export class ListSearch {
  #client;
  #router;
  #threads;
  #field = byId("listSearch");
  #asked = 0;

  constructor(client, router, threads) {
    this.#client = client;
    this.#router = router;
    this.#threads = threads;
    on(this.#field, "input", debounce(() => this.#find(), TYPING_MS));
    on(byId("listSearchForm"), "submit", (event) => this.#openFirst(event));
    on(this.#field, "keydown", (event) => event.key === "Escape" && this.#clear());
    on(byId("searchResults"), "click", (event) => event.target.closest("a") && this.#clear());
    on(PHONE, "change", () => this.#sayWhat());
    this.#sayWhat();
  }

  /** Takes the focus, by way of the list where that is a screen. */
  begin() {
    if (PHONE.matches) this.#router.go("/chats");
    this.#field.select();
    this.#field.focus();
  }

  /** There is room for more words where there is no key to name. */
  #sayWhat() {
    this.#field.placeholder = PHONE.matches ? "Search people and messages" : "Search";
  }

  #clear() {
    this.#field.value = "";
    return this.#find();
  }

  // A slow answer to what was typed before must not replace a newer one.
  async #find() {
    const asked = (this.#asked += 1);
    const words = this.#field.value.trim();
    byId("listBody").hidden = words !== "";
    byId("searchResults").hidden = words === "";
    if (!words) return;
    const people = this.#threads.contacts.filter((contact) => fold(`${displayName(contact)} ${contact.fingerprint}`).includes(fold(words)));
    byId("peopleFound").replaceChildren(...people.map((contact) => this.#row(contact)));
    const { messages } = await this.#client.store.search(words, { limit: MOST_MESSAGES });
    if (asked !== this.#asked) return;
    const names = new Map(this.#threads.contacts.map((contact) => [contact.fingerprint, displayName(contact)]));
    byId("messagesFound").replaceChildren(...messages.map((message) => foundMessage(message, names, words)));
    show("people", people);
    show("messages", messages);
    byId("nothingFound").hidden = people.length + messages.length > 0;
  }

  #row(contact) {
    const row = clone("personTemplate");
    fillRow(row, contact, this.#client.drafts.get(contact.fingerprint));
    return row;
  }

  #openFirst(event) {
    event.preventDefault();
    byId("searchResults").querySelector("a")?.click();
  }
}

function show(kind, found) {
  byId(`${kind}FoundTitle`).hidden = byId(`${kind}Found`).hidden = found.length === 0;
}
