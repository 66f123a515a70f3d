// The messages that the page holds of one thread: a run that moves over a history of any length. No DOM here.

const MAX_ROWS = 150;

export class MessageWindow {
  #store;
  #contact = null;
  #messages = [];
  #extending = false;
  #arrived = null; // what came in while a page is read
  older = false;
  newer = false;
  first = null; // seq of the first unread at loading

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

  isPast({ seq }) {
    return !(this.#messages.at(-1)?.seq >= seq);
  }

  reset(contact) {
    this.#contact = contact;
    this.#messages = [];
    this.#arrived = null;
    this.older = this.newer = false;
  }

  async load(range = {}) {
    const arrived = (this.#arrived = []);
    try {
      const page = await this.#store.thread(this.#contact, range);
      if (arrived !== this.#arrived) return false;
      this.#messages = page.messages;
      this.older = page.older;
      this.newer = page.newer;
      this.first = page.first ?? null;
      if (!this.newer) this.#addNewer(arrived.filter((message) => this.isPast(message))); // an old one would leave a gap below it
      return true;
    } finally {
      if (arrived === this.#arrived) this.#arrived = null;
    }
  }

  /** With `keep_first`, what does not fit waits in the store. */
  append(messages, { keep_first }) {
    if (this.#arrived) return void this.#arrived.push(...messages);
    const fits = this.#messages.length + messages.length <= MAX_ROWS;
    if (this.newer || (keep_first && !fits)) this.newer = true;
    else this.#addNewer(messages);
  }

  /** `change` is called around what alters the messages. */
  extendOlder(change) {
    return this.#extend({ before: this.#messages[0]?.seq }, ({ messages, older }) => {
      change(() => {
        this.older = older;
        this.#messages.unshift(...messages);
        this.newer ||= this.#messages.length > MAX_ROWS;
        this.#messages.splice(MAX_ROWS);
      });
    });
  }

  extendNewer(change) {
    return this.#extend({ after: this.#messages.at(-1)?.seq ?? -Infinity }, ({ messages, newer }) => {
      change(() => {
        this.newer = newer;
        this.#addNewer(messages);
      });
    });
  }

  replace(message) {
    const index = this.#messages.findIndex(({ seq }) => seq === message.seq);
    if (index >= 0) this.#messages[index] = message;
    return index >= 0;
  }

  drop(seq) {
    this.#messages = this.#messages.filter((message) => message.seq !== seq);
  }

  restore(message) {
    const isAbove = this.#messages[0]?.seq > message.seq;
    if (message.contact !== this.#contact || (isAbove && this.older) || (this.isPast(message) && this.newer)) return false;
    this.#addNewer([message]);
    return true;
  }

  #addNewer(messages) {
    this.#messages.push(...messages.filter(({ seq }) => !this.has(seq)));
    this.#messages.sort((a, b) => a.seq - b.seq); // two tabs may tell in either order
    const surplus = this.#messages.length - MAX_ROWS;
    if (surplus <= 0) return;
    this.#messages.splice(0, surplus);
    this.older = true;
  }

  // A scroll fires far more often than a page is read.
  async #extend(range, take) {
    if (this.#extending) return;
    this.#extending = true;
    const run = this.#messages;
    try {
      const page = await this.#store.thread(this.#contact, range);
      if (run === this.#messages) take(page); // else its place is no longer held
    } finally {
      this.#extending = false;
    }
  }
}
