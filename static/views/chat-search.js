// Searching the open thread. Enter goes to the older one.
import { openOnTop } from "./dialogs.js";
import { byId, debounce, on } from "./dom.js";
import { fold, locate } from "../protocol/text.js";
import { displayName, formatCount } from "../protocol/format.js";

const TYPING_MS = 60;
const MOST_MARKED = 20;
const MOST_FRAMES = 100;

export class ChatSearch {
  #client;
  #thread;
  #bar = byId("chatSearchBar");
  #field = byId("chatSearch");
  #contact = null;
  #closed = null; // tells dialogs.js
  #seqs = [];
  #at = 0;
  #asked = 0;
  #isSearching = false;

  constructor(client, thread) {
    this.#client = client;
    this.#thread = thread;
    on(this.#bar, "submit", (event) => (event.preventDefault(), this.#go(-1)));
    on(this.#field, "input", debounce(() => this.#search(), TYPING_MS));
    on(this.#field, "keydown", (event) => this.#keyDown(event));
    on(byId("chatSearchOlder"), "click", () => this.#go(-1));
    on(byId("chatSearchNewer"), "click", () => this.#go(1));
    on(byId("chatSearchClose"), "click", () => this.#leave());
    for (const type of ["messages", "message-removed", "message-restored"]) on(client.store, type, () => this.#contact && this.#count());
  }

  open(contact) {
    if (!this.#contact) this.#closed = openOnTop(() => this.#leave());
    this.#contact = contact;
    this.#bar.hidden = false;
    this.#field.focus();
    this.#field.select();
    return this.#client.store.matches(contact.fingerprint, ""); // reads ahead
  }

  keepFor(fingerprint) {
    if (this.#contact && fingerprint !== this.#contact.fingerprint) this.#close();
  }

  #close() {
    this.#contact = null;
    this.#isSearching = false;
    this.#closed();
    this.#bar.hidden = true;
    this.#field.value = "";
    this.#seqs = [];
    this.#tell();
    mark([]);
  }

  #leave() {
    this.#close();
    ["chatSearchOpen", "threadMenuOpen"].map(byId).find((button) => button.checkVisibility())?.focus();
  }

  #keyDown(event) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key] ?? (event.key === "Enter" && event.shiftKey ? 1 : 0);
    if (!by || event.isComposing) return undefined;
    event.preventDefault();
    return this.#go(by);
  }

  async #search() {
    this.#isSearching = Boolean(this.#contact);
    if (!(this.#contact && (await this.#read()))) return undefined;
    this.#isSearching = false;
    this.#at = this.#seqs.length - 1;
    this.#tell();
    return this.#show();
  }

  /** Something was stored or deleted: stays at the message that is shown. */
  async #count() {
    if (this.#isSearching) return void this.#search();
    const shown = this.#seqs[this.#at];
    if (!this.#field.value.trim() || !(await this.#read())) return;
    const place = this.#seqs.findIndex((seq) => seq >= shown);
    this.#at = place < 0 ? this.#seqs.length - 1 : place;
    this.#tell();
  }

  /** False where other words were typed, or the thread was left, meanwhile. */
  async #read() {
    const asked = (this.#asked += 1);
    const contact = this.#contact;
    const seqs = await this.#client.store.matches(contact.fingerprint, this.#field.value);
    if (asked !== this.#asked || contact !== this.#contact) return false;
    this.#seqs = seqs;
    return true;
  }

  #go(by) {
    const { length } = this.#seqs;
    if (!length || this.#isSearching) return undefined;
    this.#at = (this.#at + by + length) % length;
    this.#tell();
    return this.#show();
  }

  #tell() {
    const { length } = this.#seqs;
    const nothing = this.#field.value.trim() ? "none" : "";
    byId("chatSearchCount").textContent = length ? `${formatCount(length - this.#at)} of ${formatCount(length)}` : nothing;
    for (const id of ["chatSearchOlder", "chatSearchNewer"]) byId(id).disabled = length < 2;
  }

  async #show() {
    mark([]);
    const [seq, contact] = [this.#seqs[this.#at], this.#contact];
    if (seq === undefined) return;
    await this.#thread.open(contact.fingerprint, displayName(contact), { seq });
    if (contact === this.#contact && seq === this.#seqs[this.#at]) await markIn(seq, fold(this.#field.value.trim()));
  }
}

/** In a row, which is opened whole where its beginning does not have them. */
async function markIn(seq, wanted) {
  const row = byId("chatMessages").querySelector(`[data-seq="${seq}"]`);
  const bubble = row?.querySelector(".chat-bubble");
  if (!bubble || !wanted) return;
  let found = ranges(bubble, wanted);
  if (!found.length) {
    const focused = document.activeElement;
    row.querySelector(".chat-more:not([hidden])")?.click();
    focused.focus({ preventScroll: true });
  }
  for (let frame = 0; !found.length && frame < MOST_FRAMES && bubble.isConnected; frame += 1) {
    await new Promise(requestAnimationFrame);
    found = ranges(bubble, wanted);
  }
  mark(found);
  bringIntoSight(found[0]);
}

/** Without a change of the page (CSS Custom Highlight API); the row has an outline anyway. */
function mark(found) {
  if (!globalThis.Highlight) return;
  CSS.highlights.set("hit", new Highlight(...found));
}

function bringIntoSight(range) {
  const [box, place] = [byId("chatMessages").getBoundingClientRect(), range?.getBoundingClientRect()];
  if (place && (place.top < box.top || place.bottom > box.bottom)) byId("chatMessages").scrollTop += place.top - (box.top + box.bottom) / 2;
}

function ranges(element, wanted) {
  const nodes = textNodes(element);
  const text = nodes.map(({ data }) => data).join("");
  const found = [];
  for (let from = 0, hit; found.length < MOST_MARKED && (hit = locate(text.slice(from), wanted)); from += hit.at + hit.length) {
    found.push(rangeOf(nodes, from + hit.at, from + hit.at + hit.length));
  }
  return found;
}

function textNodes(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  return nodes;
}

function rangeOf(nodes, start, end) {
  const range = new Range();
  let passed = 0;
  for (const node of nodes) {
    const next = passed + node.length;
    if (start >= passed && start < next) range.setStart(node, start - passed);
    if (end > passed && end <= next) range.setEnd(node, end - passed);
    passed = next;
  }
  return range;
}
