// All history of this device: search, pages, and the way to each message.
import { byId, clone, debounce, on } from "./dom.js";
import { characterStart, cut } from "../protocol/excerpt.js";
import { fold, locate } from "../protocol/fold.js";
import { displayName, formatCount, formatDateTime } from "../protocol/format.js";
import { threadPath } from "./router.js";
import { whenDayChanges } from "./today.js";

const PAGE = 20;
const TYPING_MS = 60;
const EXCERPT = 400; // characters shown of a long message
const LEAD = 60; // of them, ahead of the first match

export class LibraryView {
  #client;
  #field = byId("librarySearch");
  #text = ""; // what the pages are of
  #cursors = [undefined]; // where each page up to this one begins
  #older = null;
  #asked = 0;

  constructor(client) {
    this.#client = client;
    on(byId("libraryForm"), "submit", (event) => event.preventDefault());
    whenDayChanges(() => byId("view-library").checkVisibility() && this.#load());
    on(this.#field, "input", debounce(() => this.#load(), TYPING_MS));
    on(byId("libraryNext"), "click", () => this.#turn([...this.#cursors, this.#older]));
    on(byId("libraryPrev"), "click", () => this.#turn(this.#cursors.slice(0, -1)));
  }

  show() {
    return this.#load();
  }

  async #turn(cursors) {
    this.#cursors = cursors;
    await this.#load();
    byId("main").scrollTop = 0;
  }

  // Other words begin at their first page. A slow answer to what was typed
  // before must not replace a newer one.
  async #load() {
    const asked = (this.#asked += 1);
    const text = this.#field.value.trim();
    if (text !== this.#text) this.#cursors = [undefined];
    this.#text = text;
    const [page, contacts] = await Promise.all([
      this.#client.store.search(text, { before: this.#cursors.at(-1), limit: PAGE }),
      this.#client.store.contacts(),
    ]);
    if (asked !== this.#asked) return;
    const names = new Map(contacts.map((contact) => [contact.fingerprint, displayName(contact)]));
    byId("libraryList").replaceChildren(...page.messages.map((message) => row(message, names, text)));
    this.#older = page.older;
    this.#showPager(page, text);
  }

  #showPager({ messages, older, total }, text) {
    const first = (this.#cursors.length - 1) * PAGE + 1;
    byId("libraryPrev").disabled = this.#cursors.length === 1;
    byId("libraryNext").disabled = older === null;
    byId("libraryPageInfo").textContent = total ? `${formatCount(first)}–${formatCount(first + messages.length - 1)} of ${formatCount(total)}` : "0 of 0";
    byId("libraryEmpty").hidden = messages.length > 0;
    byId("libraryEmpty").textContent = text ? "No message holds these words." : "Nothing here yet. Messages stay here, both ways, for as long as you keep them.";
  }
}

function row(message, names, text) {
  const item = clone("libraryTemplate");
  const name = names.get(message.contact) ?? `3233:${message.contact.slice(0, 8)}…`;
  const time = item.querySelector("time");
  item.querySelector("a").setAttribute("href", threadPath(message.contact, message.seq));
  item.querySelector(".msg-who").textContent = message.direction === "in" ? name : `you → ${name}`;
  time.dateTime = new Date(message.at).toISOString();
  time.textContent = formatDateTime(message.at);
  item.querySelector(".msg-text").replaceChildren(...excerpt(message, text));
  return item;
}

function excerpt(message, words) {
  if (message.kind === "refused") return [`Refused: ${message.reason}`];
  if (message.kind === "unknown") return ["Sent with a newer client: update this page to read it."];
  const wanted = fold(words);
  const found = wanted && locate(message.text, wanted);
  return found ? marked(message.text, found) : [cut(message.text, EXCERPT)];
}

function marked(text, { at, length }) {
  const start = characterStart(text, at - LEAD);
  const mark = document.createElement("mark");
  mark.textContent = text.slice(at, at + length);
  return [(start ? "…" : "") + text.slice(start, at), mark, cut(text.slice(at + length), EXCERPT)];
}
