// What stands in the open thread: a row a message, the days between them, the rule above what is new, and the button to the newest.
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
  #new_from = null; // the seq below the rule
  #unseen = 0; // how many of them came while the page was hidden
  name = ""; // of whom the thread is with

  constructor(box) {
    this.#box = box;
  }

  /** The row of the message `seq`. */
  get(seq) {
    return this.#rows.get(seq);
  }

  /** The rule, where it is among the rows. */
  get rule() {
    return this.#rule.isConnected ? this.#rule : null;
  }

  /** Has the rule above the message `seq` from the next `show` on, for `number` are new; null: nothing is. */
  divide(seq, number = 0) {
    this.#new_from = seq;
    this.#unseen = 0;
    this.#rule.firstElementChild.textContent = `${formatCount(number)} new`;
  }

  /** These came while nobody looked. A rule that is there already stays where it is. */
  divideUnseen(received) {
    const seen = this.#unseen + received.length;
    if (this.#unseen === 0 && (this.rule || !received.length)) return;
    this.divide(this.#unseen ? this.#new_from : received[0].seq, seen);
    this.#unseen = seen;
  }

  /** Shows these, and leaves untouched what is in its place. */
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
    this.#box.style.setProperty("--time", `${longestTime()}ch`); // the room that a bubble's last line leaves for it
    reconcile(this.#box, gathered(nodes));
  }


  /** Writes what can change about these anew: a name, a state, the day and the hour. */
  fill(messages, all = messages) {
    for (const message of messages) fillRow(this.#rows.get(message.seq), message, this.name);
    this.show(all);
  }

  /** Changes rows under a reader who stays where they are. Not left to the browser's scroll anchoring: Safari has none. */
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

/** The round button back to the end of the thread, with how many came in since its reader left it. */
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

  /** It is there while somebody is far `away`, or missed something. */
  offer(away) {
    this.#button.hidden = !away && !this.#missed;
  }

  hide() {
    this.#missed = 0;
    this.miss(0);
  }
}

/** Pictures of one group that follow each other stand side by side in a box, each a row still. A box stays where one of its pictures is. */
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

/** The row, with its place in its group: who goes on in the same minute has the time below the last. */
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

/** A picture that has nothing beside it to be read. */
const isTile = ({ file, text, re, deleted_at, state }) =>
  Boolean(file) && kindOf(file) === "picture" && ["", "here"].includes(file.state) && !text && !re && !deleted_at && state !== "failed";

const longestTime = () => Math.max(...[10, 22].map((hour) => formatTime(new Date(2026, 0, 1, hour)).length));
const minute = ({ at }) => Math.floor(at / MINUTE_MS);
