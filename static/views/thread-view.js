// What arrives never scrolls a person who has scrolled up, and the page does not grow however much arrives.
import { byId, on, whenDayChanges } from "./dom.js";
import { codeOf, showAll } from "./message-row.js";
import { MessageWindow } from "./message-window.js";
import { EndButton, ThreadRows } from "./thread-rows.js";
import { copy } from "./dialogs.js";

const NEAR_PX = 400;
const AT_END_PX = 40;
const POINTED_OUT_MS = 4000;

export class ThreadView {
  #client;
  #window;
  #box = byId("chatMessages");
  #rows = new ThreadRows(this.#box);
  #button = new EndButton(() => this.#showNewest());
  #sticks = true; // the newest is in sight, and stays so
  #top = 0;

  constructor(client) {
    this.#client = client;
    this.#window = new MessageWindow(client.store);
    on(client.store, "messages", ({ detail, remote }) => this.#arrive(detail.messages, !detail.received && !remote));
    on(client.store, "message", ({ detail }) => this.#changed(detail.message));
    on(client.store, "message-removed", ({ detail }) => this.#drop(detail.seq));
    on(client.store, "message-restored", ({ detail }) => this.#window.restore(detail.message) && this.#renderInPlace());
    on(this.#box, "scroll", () => this.#scrolled(), { passive: true });
    on(this.#box, "keydown", (event) => this.#keyDown(event));
    on(this.#box, "click", (event) => this.#act(event));
    whenDayChanges(() => this.#rows.fill(this.#window.messages));
    new ResizeObserver(() => this.#settle()).observe(this.#box);
  }

  get contact() {
    return this.#window.contact;
  }

  message(seq) {
    return this.#window.messages.find((message) => message.seq === seq);
  }

  /** Around `seq`, else from the first of `unread` messages on, else at its end. */
  async open(fingerprint, name, { seq = null, unread = 0 } = {}) {
    if (this.#window.contact !== fingerprint) this.clear(fingerprint);
    this.#rows.name = name;
    try {
      if (!(await this.#window.load(seq === null ? { unread } : { around: seq }))) return;
    } catch (error) {
      if (this.#window.contact === fingerprint) this.clear();
      throw error;
    }
    if (seq === null) this.#rows.divide(this.#window.first, unread);
    this.#render();
    if (seq !== null && this.#window.has(seq)) this.#pointOut(seq);
    else if (this.#rows.rule) this.#toRule();
    else this.#toEnd();
  }

  rename(name) {
    this.#rows.name = name;
    this.#rows.fill(this.#window.messages);
  }

  clear(next = null) {
    this.#window.reset(next);
    this.#rows.divide(null);
    this.#button.hide();
    this.#render();
  }

  /** A hidden box has forgotten its scroll. */
  shown() {
    if (this.#sticks) this.#toEnd();
    else this.#box.scrollTop = this.#top;
    return this.#scrolled();
  }

  left() {
    this.#rows.divide(null);
    if (this.#rows.rule) this.#renderInPlace();
  }

  async #showNewest() {
    if (this.#window.newer && !(await this.#window.load())) return;
    this.#render();
    this.#toEnd();
    this.#box.focus({ preventScroll: true });
  }

  async #showOldest() {
    if (this.#window.older && !(await this.#window.load({ after: -Infinity }))) return;
    this.#sticks = false;
    this.#render();
    this.#box.scrollTop = 0;
    this.#box.focus({ preventScroll: true });
  }

  #keyDown(event) {
    if (!event.target.matches("#chatMessages, .chat-line") || event.altKey || event.shiftKey || event.metaKey) return undefined;
    const show = { Home: () => this.#showOldest(), End: () => this.#showNewest() }[event.key];
    if (!show) return undefined;
    event.preventDefault();
    return show();
  }

  #arrive(messages, sent_here) {
    const arrived = messages.filter(({ contact }) => contact === this.#window.contact);
    if (!arrived.length) return undefined;
    if (sent_here) return this.#showOwn(arrived);
    return this.#showNewer(arrived);
  }

  // Who sends wants to see it; another window may be reading further up.
  async #showOwn(messages) {
    if (!this.#window.newer) this.#window.append(messages, { keep_first: false });
    else if (!(await this.#window.load())) return;
    this.#render();
    this.#toEnd();
  }

  #showNewer(messages) {
    const received = messages.filter(({ direction }) => direction === "in");
    if (document.hidden) this.#rows.divideUnseen(received);
    this.#window.append(messages, { keep_first: !this.#sticks });
    this.#render();
    if (this.#sticks) this.#settle();
    else this.#button.miss(received.length);
  }

  /** Also what is new here: the tab that stored it may have gone before it told of it. */
  #changed(message) {
    if (!this.#window.replace(message)) return this.#window.isPast(message) && this.#arrive([message], false);
    this.#rows.fill([message], this.#window.messages);
    return this.#settle();
  }

  #drop(seq) {
    this.#window.drop(seq);
    this.#renderInPlace();
    return this.#scrolled();
  }

  #scrolled() {
    if (!this.#box.clientHeight) return undefined; // hidden: the numbers mean nothing
    const below = this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight;
    const isUp = this.#box.scrollTop < this.#top; // a keyboard may have shrunk the box: nobody has left the end
    this.#top = this.#box.scrollTop;
    this.#sticks = (below < AT_END_PX || (this.#sticks && !isUp)) && !this.#window.newer;
    if (this.#sticks) this.#button.hide();
    else this.#button.offer(this.#window.newer || below > this.#box.clientHeight);
    return this.#extend(below);
  }

  #extend(below) {
    const change = (alter) => this.#rows.keepingPlace(() => (alter(), this.#render()));
    if (this.#top < NEAR_PX && this.#window.older) return this.#window.extendOlder(change);
    return below < NEAR_PX && this.#window.newer && this.#window.extendNewer(change);
  }

  #render() {
    this.#rows.show(this.#window.messages);
  }

  #renderInPlace() {
    this.#rows.keepingPlace(() => this.#render());
  }

  #toEnd() {
    this.#sticks = true;
    this.#button.hide();
    this.#settle();
  }

  #settle() {
    if (!this.#sticks) return;
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#top = this.#box.scrollTop;
  }

  /** Some of what was read before is above it; at the end where all that is new has room. */
  #toRule() {
    this.#sticks = false;
    const box = this.#box;
    box.scrollTop += this.#rows.rule.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 4;
    this.#scrolled();
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
    const code = event.target.closest(".code-copy");
    if (code) return copy(codeOf(this.message(seq), code), "Code");
    if (event.target.closest(".chat-more")) return this.#showAll(seq);
    const [retries, discards] = [".chat-retry", ".chat-discard"].map((button) => event.target.closest(button));
    if (!retries && !discards) return undefined;
    const { outbox, changes } = this.#client;
    this.#box.focus({ preventScroll: true });
    if (retries) return outbox.retry(seq);
    const { file } = this.message(seq);
    return file?.state === "here" && file.sent ? changes.remove(seq) : outbox.discard(seq); // they have a part of it
  }

  #showAll(seq) {
    showAll(this.#rows.get(seq), this.message(seq));
    this.#sticks = false;
    return this.#scrolled();
  }
}
