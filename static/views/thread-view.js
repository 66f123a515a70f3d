// The messages of the open thread. What arrives never scrolls a person who has
// scrolled up, and the page does not grow however much arrives.
import { byId, clone, on, reconcile } from "./dom.js";
import { formatDay, plural } from "../protocol/format.js";
import { dayLines } from "../protocol/order.js";
import { continues, fillRow, messageRow, showAll, tellTime } from "./message-row.js";
import { MessageWindow } from "./message-window.js";
import { whenDayChanges } from "./today.js";

const NEAR_PX = 400; // how close to an end of the rows the next page is read
const AT_END_PX = 40;
const POINTED_OUT_MS = 4000;

export class ThreadView {
  #client;
  #window;
  #box = byId("chatMessages");
  #button = byId("newMessagesBtn");
  #name = "";
  #rows = new Map();
  #days = new Map();
  #sticks = true; // the newest message is in sight, and stays so
  #top = 0;
  #missed = 0;

  constructor(client) {
    this.#client = client;
    this.#window = new MessageWindow(client.store);
    on(client.store, "messages", ({ detail, remote }) => this.#arrive(detail.messages, !detail.received && !remote));
    on(client.store, "message", ({ detail }) => this.#changed(detail.message));
    on(client.store, "message-removed", ({ detail }) => this.#drop(detail.seq));
    on(client.store, "message-restored", ({ detail }) => this.#window.restore(detail.message) && this.#keepingPlace(() => this.#render()));
    on(this.#box, "scroll", () => this.#scrolled(), { passive: true });
    on(this.#button, "click", () => this.#showNewest());
    on(this.#box, "click", (event) => this.#act(event));
    whenDayChanges(() => this.#writeAnew());
    new ResizeObserver(() => this.#settle()).observe(this.#box);
  }

  get contact() {
    return this.#window.contact;
  }

  /** The message of a row. */
  message(seq) {
    return this.#window.messages.find((message) => message.seq === seq);
  }

  /** Shows a contact's thread at its end, or around the message `seq`. */
  async open(fingerprint, name, seq = null) {
    if (this.#window.contact !== fingerprint) this.clear(fingerprint);
    this.#name = name;
    try {
      if (!(await this.#window.load(seq === null ? {} : { around: seq }))) return;
    } catch (error) {
      if (this.#window.contact === fingerprint) this.clear(); // so that the next click on it tries again
      throw error;
    }
    this.#render();
    if (seq !== null && this.#window.has(seq)) this.#pointOut(seq);
    else this.#toEnd();
  }

  /** Writes a contact's new name into the rows. */
  rename(name) {
    this.#name = name;
    this.#writeAnew();
  }

  clear(next = null) {
    this.#window.reset(next);
    this.#caughtUp();
    this.#render();
  }

  /** The view is on screen again: a hidden box has forgotten its scroll. */
  shown() {
    if (this.#sticks) this.#toEnd();
    else this.#box.scrollTop = this.#top;
  }

  async #showNewest() {
    if (this.#window.newer) await this.#window.load();
    this.#render();
    this.#toEnd();
    this.#box.focus({ preventScroll: true });
  }

  #arrive(messages, sent_here) {
    const arrived = messages.filter(({ contact }) => contact === this.#window.contact);
    if (!arrived.length) return undefined;
    if (sent_here) return this.#showOwn(arrived);
    return this.#showNewer(arrived);
  }

  // Whoever sends wants to see what they sent; another window of theirs may be reading further up.
  async #showOwn(messages) {
    if (this.#window.newer) await this.#window.load();
    else this.#window.append(messages, { keep_first: false });
    this.#render();
    this.#toEnd();
  }

  #showNewer(messages) {
    this.#window.append(messages, { keep_first: !this.#sticks });
    this.#render();
    if (this.#sticks) this.#settle();
    else this.#countMissed(messages.filter(({ direction }) => direction === "in").length);
  }

  #countMissed(number) {
    if (number === 0) return;
    this.#missed += number;
    byId("newMessagesLabel").textContent = plural(this.#missed, "new message");
    this.#button.hidden = false;
  }

  #caughtUp() {
    this.#missed = 0;
    this.#button.hidden = true;
    byId("newMessagesLabel").textContent = "To the newest";
  }

  /** Also one that is new here: the tab that stored it may have gone before it told of it. */
  #changed(message) {
    if (!this.#window.replace(message)) return this.#window.isPast(message) && this.#arrive([message], false);
    fillRow(this.#rows.get(message.seq), message, this.#name);
    return this.#settle();
  }

  #drop(seq) {
    this.#window.drop(seq);
    this.#keepingPlace(() => this.#render());
  }

  #scrolled() {
    if (!this.#box.clientHeight) return undefined; // hidden: the numbers mean nothing
    const below = this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight;
    this.#top = this.#box.scrollTop;
    this.#sticks = below < AT_END_PX && !this.#window.newer;
    if (this.#sticks) this.#caughtUp();
    else this.#button.hidden = !this.#missed && !this.#window.newer;
    return this.#extend(below);
  }

  #extend(below) {
    const change = (alter) => this.#keepingPlace(() => (alter(), this.#render()));
    if (this.#top < NEAR_PX && this.#window.older) return this.#window.extendOlder(change);
    return below < NEAR_PX && this.#window.newer && this.#window.extendNewer(change);
  }

  // Not left to the browser's scroll anchoring: Safari has none.
  #keepingPlace(change) {
    const edge = this.#box.getBoundingClientRect().top;
    const anchor = [...this.#rows.values()].find((row) => row.getBoundingClientRect().bottom > edge);
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (anchor?.isConnected) this.#box.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  #render() {
    const { messages } = this.#window;
    const rows = new Map(messages.map((message) => [message.seq, this.#rows.get(message.seq) ?? messageRow(message, this.#name)]));
    const days = new Map();
    const lines = dayLines(messages);
    const nodes = messages.flatMap((message, index) => this.#place(rows.get(message.seq), messages, index, lines[index], days));
    this.#rows = rows;
    this.#days = days;
    reconcile(this.#box, nodes);
  }

  #writeAnew() {
    for (const message of this.#window.messages) fillRow(this.#rows.get(message.seq), message, this.#name);
    this.#render();
  }

  /** A row, with the day above it where a day begins, and its place in its group. */
  #place(row, messages, index, { begins, apart }, days) {
    const [previous, message, next] = [messages[index - 1], messages[index], messages[index + 1]];
    row.classList.toggle("head", !previous || !continues(previous, message));
    row.classList.toggle("tail", !next || !continues(message, next));
    tellTime(row, message, apart);
    if (!begins) return [row];
    const day = this.#days.get(message.seq) ?? clone("dayTemplate");
    day.firstElementChild.textContent = formatDay(message.at);
    days.set(message.seq, day);
    return [day, row];
  }

  #toEnd() {
    this.#sticks = true;
    this.#caughtUp();
    this.#settle();
  }

  #settle() {
    if (this.#sticks) this.#box.scrollTop = this.#box.scrollHeight;
  }

  #pointOut(seq) {
    this.#sticks = false;
    const row = this.#rows.get(seq);
    row.scrollIntoView({ block: "center" });
    row.classList.add("found");
    setTimeout(() => row.classList.remove("found"), POINTED_OUT_MS);
  }

  #act(event) {
    const seq = Number(event.target.closest(".chat-line")?.dataset.seq);
    if (event.target.closest(".chat-retry")) return this.#client.outbox.retry(seq);
    if (event.target.closest(".chat-discard")) return this.#client.outbox.discard(seq);
    return event.target.closest(".chat-more") && this.#showAll(seq);
  }

  // Who opens a long message reads it from where they are.
  #showAll(seq) {
    showAll(this.#rows.get(seq), this.message(seq));
    return this.#scrolled();
  }
}
