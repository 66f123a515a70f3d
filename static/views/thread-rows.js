// The open thread: messages, days, the rule above what is new, the button to the newest.
import { byId, clone, on, reconcile } from "./dom.js";
import { kindOf } from "../protocol/files.js";
import { formatCount, formatDay, formatTime, plural, dayLines } from "../protocol/format.js";
import { continues, fillRow, messageRow, stateOf, tellTime } from "./message-row.js";

const MINUTE_MS = 60_000;

export class ThreadRows {
  #box;
  #rows = new Map();
  #days = new Map();
  #rule = clone("newTemplate");
  #new_from = null;
  #unseen = 0;
  name = "";

  constructor(box) {
    this.#box = box;
  }

  get(seq) {
    return this.#rows.get(seq);
  }

  get rule() {
    return this.#rule.isConnected ? this.#rule : null;
  }

  /** The rule stands above `seq` from the next `show` on; null: nothing is new. */
  divide(seq, number = 0) {
    this.#new_from = seq;
    this.#unseen = 0;
    this.#rule.firstElementChild.textContent = `${formatCount(number)} new`;
  }

  divideUnseen(received) {
    const seen = this.#unseen + received.length;
    if (this.#unseen === 0 && (this.rule || !received.length)) return;
    this.divide(this.#unseen ? this.#new_from : received[0].seq, seen);
    this.#unseen = seen;
  }

  show(messages) {
    const rows = new Map(messages.map((message) => [message.seq, this.#rows.get(message.seq) ?? messageRow(message, this.name)]));
    const lines = dayLines(messages);
    const days = new Map();
    const first = this.#new_from === null ? undefined : messages.find(({ seq }) => seq >= this.#new_from);
    const nodes = messages.flatMap((message, index) => [
      ...this.#dayAbove(message, lines[index], days),
      ...(message === first ? [this.#rule] : []),
      place(rows.get(message.seq), messages, index, lines[index].apart),
    ]);
    this.#rows = rows;
    this.#days = days;
    this.#box.style.setProperty("--time", `${longestTime()}ch`);
    reconcile(this.#box, gathered(nodes));
  }

  fill(messages, all = messages) {
    for (const message of messages) fillRow(this.#rows.get(message.seq), message, this.name);
    this.show(all);
  }

  /** The reader stays where they are. Safari has no scroll anchoring. */
  keepingPlace(change) {
    const edge = this.#box.getBoundingClientRect().top;
    const anchor = [...this.#rows.values()].find((row) => row.getBoundingClientRect().bottom > edge);
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (anchor?.isConnected) this.#box.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  #dayAbove(message, { begins }, days) {
    if (!begins) return [];
    const day = this.#days.get(message.seq) ?? clone("dayTemplate");
    day.firstElementChild.textContent = formatDay(message.at);
    days.set(message.seq, day);
    return [day];
  }
}

/** Back to the end, with how many came in since its reader left it. */
export class EndButton {
  #button = byId("newMessagesBtn");
  #missed = 0;

  constructor(press) {
    on(this.#button, "click", press);
  }

  miss(number) {
    this.#missed += number;
    byId("newMessagesCount").textContent = this.#missed ? formatCount(this.#missed) : "";
    byId("newMessagesLabel").textContent = this.#missed ? plural(this.#missed, "new message") : "To the newest";
    this.offer(false);
  }

  offer(away) {
    this.#button.hidden = !away && !this.#missed;
  }

  hide() {
    this.#missed = 0;
    this.miss(0);
  }
}

/** Pictures of one group that follow each other are side by side in a box, each a row still. A box stays where one of its pictures is. */
function gathered(nodes) {
  const runs = [];
  for (const node of nodes) {
    if (node.matches(".tile:not(.head)") && runs.at(-1)?.[0].matches(".tile")) runs.at(-1).push(node);
    else runs.push([node]);
  }
  const boxes = new Set();
  return runs.map((run) => (run[0].matches(".tile") ? album(run, boxes) : run[0]));
}

function album(rows, others) {
  const known = rows.map(({ parentElement }) => parentElement).find((parent) => parent?.matches(".chat-album") && !others.has(parent));
  const box = known ?? clone("albumTemplate");
  others.add(box);
  reconcile(box, rows);
  return box;
}

/** Who goes on in the same minute has the time below the last. */
function place(row, messages, index, apart) {
  const [previous, message, next] = [messages[index - 1], messages[index], messages[index + 1]];
  const ends = !next || !continues(message, next);
  row.classList.toggle("head", !previous || !continues(previous, message));
  row.classList.toggle("tail", ends);
  row.classList.toggle("tile", isTile(message));
  row.classList.toggle("timed", ends || minute(message) !== minute(next) || stateOf(message) !== stateOf(next));
  tellTime(row, message, apart);
  return row;
}

const isTile = ({ file, text, re, deleted_at, state }) =>
  Boolean(file) && kindOf(file) === "picture" && ["", "here"].includes(file.state) && !text && !re && !deleted_at && state !== "failed";

const longestTime = () => Math.max(...[10, 22].map((hour) => formatTime(new Date(2026, 0, 1, hour)).length));
const minute = ({ at }) => Math.floor(at / MINUTE_MS);
