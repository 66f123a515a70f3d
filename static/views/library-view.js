// Searching all history: the library, and the field at the head of the list, which finds people first.
import { characterStart, cut, fold, locate } from "../protocol/text.js";
import { saidIn } from "../protocol/files.js";
import { displayName, formatCount, formatDateTime } from "../protocol/format.js";
import { byId, clone, debounce, on, whenDayChanges } from "./dom.js";
import { toTell } from "./message-row.js";
import { PHONE, threadPath } from "./router.js";
import { fillRow } from "./thread-row.js";

const PAGE = 20;
const TYPING_MS = 60;
const EXCERPT = 400; // characters
const LEAD = 60;
const FILTERS = ["libraryContact", "libraryWriter", "librarySince", "libraryUntil"];

export class LibraryView {
  #client;
  #field = byId("librarySearch");
  #question = "";
  #cursors = [undefined];
  #older = null;
  #asked = 0;

  constructor(client) {
    this.#client = client;
    on(byId("libraryForm"), "submit", (event) => event.preventDefault());
    whenDayChanges(() => byId("view-library").checkVisibility() && this.#load());
    on(this.#field, "input", debounce(() => this.#load(), TYPING_MS));
    for (const id of FILTERS) on(byId(id), "change", () => this.#load());
    on(byId("libraryNext"), "click", () => this.#older !== null && this.#turn([...this.#cursors, this.#older]));
    on(byId("libraryPrev"), "click", () => this.#cursors.length > 1 && this.#turn(this.#cursors.slice(0, -1)));
  }

  show() {
    return this.#load();
  }

  async #turn(cursors) {
    const before = [this.#cursors, this.#older];
    [this.#cursors, this.#older] = [cursors, null]; // not known before the page is there
    try {
      await this.#load();
    } catch (error) {
      if (this.#cursors === cursors) [this.#cursors, this.#older] = before; // else something else was asked for
      throw error;
    }
    byId("main").scrollTop = 0;
  }

  // Other words begin at their first page. A slow answer must not replace a newer one.
  async #load() {
    const asked = (this.#asked += 1);
    const text = this.#field.value.trim();
    const filters = chosenFilters();
    const question = JSON.stringify([text, filters]);
    if (question !== this.#question) this.#cursors = [undefined];
    this.#question = question;
    const [page, contacts] = await Promise.all([
      this.#client.store.search(text, { before: this.#cursors.at(-1), limit: PAGE, ...filters }),
      this.#client.store.contacts(),
    ]);
    if (asked !== this.#asked) return;
    const names = new Map(contacts.map((contact) => [contact.fingerprint, displayName(contact)]));
    offerContacts(names);
    byId("libraryList").replaceChildren(...page.messages.map((message) => foundMessage(message, names, text)));
    this.#older = page.older;
    this.#showPager(page);
    if (!page.messages.length) byId("libraryEmpty").textContent = whyEmpty(text, filters);
  }

  #showPager({ messages, older, total }) {
    const first = (this.#cursors.length - 1) * PAGE + 1;
    byId("libraryPrev").disabled = this.#cursors.length === 1;
    byId("libraryNext").disabled = older === null;
    byId("libraryPrev").hidden = byId("libraryNext").hidden = !total;
    byId("libraryPageInfo").textContent = total ? `${formatCount(first)}–${formatCount(first + messages.length - 1)} of ${formatCount(total)}` : "0 of 0";
    byId("libraryEmpty").hidden = messages.length > 0;
  }
}

function whyEmpty(text, filters) {
  if (text) return "No message holds these words.";
  if (Object.keys(filters).length > 0) return "No message fits these choices.";
  return "Nothing here yet. Messages stay here, both ways, for as long as you keep them.";
}

/** What was chosen. A day ends where the next begins, which may be 23 hours later. */
function chosenFilters() {
  const [contact, direction, since, until] = FILTERS.map((id) => byId(id).value);
  return { ...(contact && { contact }), ...(direction && { direction }), ...(since && { since: midnight(since, 0) }), ...(until && { until: midnight(until, 1) }) };
}

function midnight(date, days_later) {
  const [year, month, day] = date.split("-").map(Number);
  return new Date(year, month - 1, day + days_later).getTime();
}

function offerContacts(names) {
  const select = byId("libraryContact");
  const chosen = select.value;
  const options = [...names].map(([fingerprint, name]) => new Option(name, fingerprint, false, fingerprint === chosen));
  select.replaceChildren(select.options[0], ...options);
}

function foundMessage(message, names, text) {
  const item = clone("libraryTemplate");
  const name = names.get(message.contact) ?? `3233:${message.contact.slice(0, 8)}…`;
  const time = item.querySelector("time");
  item.querySelector("a").setAttribute("href", threadPath(message.contact, message.seq));
  item.querySelector(".msg-who").textContent = message.event ? `Chat with ${name}` : message.direction === "in" ? name : `you → ${name}`;
  time.dateTime = new Date(message.at).toISOString();
  time.textContent = formatDateTime(message.at);
  item.querySelector(".msg-text").replaceChildren(...excerpt(message, name, text));
  return item;
}

function excerpt(message, name, words) {
  if (message.kind !== "text" || message.deleted_at) return [toTell(message, name)];
  const wanted = fold(words);
  const texts = [saidIn(message), message.text]; // without the signs of marks; but those may be looked for
  const text = wanted ? texts.find((each) => locate(each, wanted)) : undefined;
  return text ? marked(text, locate(text, wanted)) : [cut(texts[0], EXCERPT)];
}

function marked(text, { at, length }) {
  const start = characterStart(text, at - LEAD);
  const mark = document.createElement("mark");
  mark.textContent = text.slice(at, at + length);
  return [(start ? "…" : "") + text.slice(start, at), mark, cut(text.slice(at + length), EXCERPT)];
}

const MOST_MESSAGES = 30;

export class ListSearch {
  #client;
  #router;
  #threads;
  #field = byId("listSearch");
  #asked = 0;
  #entered = 0;

  constructor(client, router, threads) {
    this.#client = client;
    this.#router = router;
    this.#threads = threads;
    on(this.#field, "input", debounce(() => this.#find(), TYPING_MS));
    on(byId("listSearchForm"), "submit", (event) => this.#openFirst(event));
    on(this.#field, "keydown", (event) => event.key === "Escape" && this.#field.value && (event.preventDefault(), this.#clear()));
    on(byId("searchResults"), "click", (event) => event.target.closest("a") && this.#clear());
    on(PHONE, "change", () => this.#sayWhat());
    this.#sayWhat();
  }

  begin() {
    if (PHONE.matches) this.#router.go("/chats");
    this.#field.select();
    this.#field.focus();
  }

  #sayWhat() {
    this.#field.placeholder = PHONE.matches ? "Search people and messages" : "Search";
  }

  #clear() {
    this.#field.value = "";
    return this.#find();
  }

  // False: a newer one has overtaken it, or there are no words.
  async #find() {
    const asked = (this.#asked += 1);
    const words = this.#field.value.trim();
    byId("listBody").hidden = words !== "";
    byId("searchResults").hidden = words === "";
    if (!words) return false;
    const people = this.#threads.contacts.filter((contact) => fold(`${displayName(contact)} ${contact.fingerprint}`).includes(fold(words)));
    byId("peopleFound").replaceChildren(...people.map((contact) => this.#row(contact)));
    const { messages } = await this.#client.store.search(words, { limit: MOST_MESSAGES });
    if (asked !== this.#asked) return false;
    const names = new Map(this.#threads.contacts.map((contact) => [contact.fingerprint, displayName(contact)]));
    byId("messagesFound").replaceChildren(...messages.map((message) => foundMessage(message, names, words)));
    show("people", people);
    show("messages", messages);
    byId("nothingFound").hidden = people.length + messages.length > 0;
    return true;
  }

  #row(contact) {
    const row = clone("personTemplate");
    fillRow(row, contact, this.#client.drafts.get(contact.fingerprint));
    return row;
  }

  /** By the words that are typed now: the list may still show those before. */
  async #openFirst(event) {
    event.preventDefault();
    const words = this.#field.value.trim();
    const entered = (this.#entered += 1);
    const isAsked = () => words && words === this.#field.value.trim() && entered === this.#entered;
    while (isAsked() && !(await this.#find())); // typing's own look may overtake it
    if (isAsked()) byId("searchResults").querySelector("a")?.click();
  }
}

function show(kind, found) {
  byId(`${kind}FoundTitle`).hidden = byId(`${kind}Found`).hidden = found.length === 0;
}
