// The messages that the page holds of one thread: a run of at most MAX_ROWS,
// ascending, that moves over a history of any length. No DOM here.

const MAX_ROWS = 150;

export class MessageWindow {
  #store;
  #contact = null;
  #messages = [];
  #extending = false;
  #arrived = null; // while a page is read: what came in meanwhile
  older = false; // there is more before the first
  newer = false; // there is more after the last
  first = null; // the seq of the first that was unread when it was loaded

  constructor(store) {
    this.#store = store;
  }

  get contact() {
    return this.#contact;
  }

  get messages() {
    return this.#messages;
  }

  has(seq) {
    return this.#messages.some((message) => message.seq === seq);
  }

  /** Whether a message comes after all that are here. */
  isPast({ seq }) {
    return !(this.#messages.at(-1)?.seq >= seq);
  }

  /** Leaves the thread, for another one or for none (null). */
  reset(contact) {
    this.#contact = contact;
    this.#messages = [];
    this.#arrived = null;
    this.older = this.newer = false;
  }

  /** Reads the newest page, or another one (see store/history.js). False: another one was asked for meanwhile. */
  async load(range = {}) {
    const arrived = (this.#arrived = []);
    try {
      const page = await this.#store.thread(this.#contact, range);
      if (arrived !== this.#arrived) return false;
      this.#messages = page.messages;
      this.older = page.older;
      this.newer = page.newer;
      this.first = page.first ?? null;
      if (!this.newer) this.#addNewer(arrived.filter((message) => this.isPast(message))); // an old one that changed would leave a gap below it
      return true;
    } finally {
      if (arrived === this.#arrived) this.#arrived = null;
    }
  }

  /** Takes new messages at the end. With `keep_first`, none leaves at the start: what does not fit waits in the store. */
  append(messages, { keep_first }) {
    if (this.#arrived) return void this.#arrived.push(...messages);
    const fits = this.#messages.length + messages.length <= MAX_ROWS;
    if (this.newer || (keep_first && !fits)) this.newer = true;
    else this.#addNewer(messages);
  }

  /** Reads the page before the first; `change` is called around what alters the messages. */
  extendOlder(change) {
    return this.#extend({ before: this.#messages[0].seq }, ({ messages, older }) => {
      change(() => {
        this.older = older;
        this.#messages.unshift(...messages);
        this.newer ||= this.#messages.length > MAX_ROWS;
        this.#messages.splice(MAX_ROWS);
      });
    });
  }

  /** Reads the page after the last, likewise. */
  extendNewer(change) {
    return this.#extend({ after: this.#messages.at(-1).seq }, ({ messages, newer }) => {
      change(() => {
        this.newer = newer;
        this.#addNewer(messages);
      });
    });
  }

  /** False when this window does not hold the message. */
  replace(message) {
    const index = this.#messages.findIndex(({ seq }) => seq === message.seq);
    if (index >= 0) this.#messages[index] = message;
    return index >= 0;
  }

  drop(seq) {
    this.#messages = this.#messages.filter((message) => message.seq !== seq);
  }

  /** Takes one back that was dropped; false where its place is not in this window. */
  restore(message) {
    const isAbove = this.#messages[0]?.seq > message.seq;
    if (message.contact !== this.#contact || (isAbove && this.older) || (this.isPast(message) && this.newer)) return false;
    this.#addNewer([message]);
    return true;
  }

  #addNewer(messages) {
    this.#messages.push(...messages.filter(({ seq }) => !this.has(seq)));
    this.#messages.sort((a, b) => a.seq - b.seq); // two tabs may tell of what they stored in either order
    const surplus = this.#messages.length - MAX_ROWS;
    if (surplus <= 0) return;
    this.#messages.splice(0, surplus);
    this.older = true;
  }

  // One at a time: a scroll fires far more often than a page is read.
  async #extend(range, take) {
    if (this.#extending) return;
    this.#extending = true;
    const run = this.#messages;
    try {
      const page = await this.#store.thread(this.#contact, range);
      if (run === this.#messages) take(page); // else it belongs beside what is no longer held
    } finally {
      this.#extending = false;
    }
  }
}
