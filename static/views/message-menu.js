// The actions on a message: a toolbar beside the row that a mouse is over, a menu by right click, Enter or the menu key on a row, a sheet by
// a long press.
import { notice, showModal } from "./dialogs.js";
import { byId, clone, on } from "./dom.js";
import { oneLine } from "../protocol/text.js";
import { wordsOf } from "../protocol/marks.js";
import { besides, focusRow } from "./keyboard.js";
import { actionsFor } from "./message-actions.js";

const HOVER_MS = 80; // on its way elsewhere it leaves no trace
const LEAVE_MS = 250;
const LONG_PRESS_MS = 450;
const STILL_PX = 10; // a finger that moves more scrolls
const GAP_PX = 4;
const SPOKEN_CHARACTERS = 300;
const sheet = matchMedia("(pointer: coarse), (max-width: 47.99em)");

export class MessageMenu {
  #client;
  #find;
  #place;
  #menu = byId("messageMenu");
  #list = byId("messageActions");
  #box = byId("chatMessages");
  #row = null;
  #waiting = 0;
  #touched = false; // the end of a long press is no choice
  #pressed = null;

  /** `place()`: see message-actions.js. */
  constructor(client, find, place) {
    this.#client = client;
    this.#find = find;
    this.#place = place;
    on(this.#box, "pointerover", (event) => this.#over(event));
    for (const target of [this.#box, this.#menu]) on(target, "pointerleave", () => this.#soon(LEAVE_MS, () => this.#hideTools()));
    new MutationObserver(() => this.#hideTools()).observe(this.#box, { childList: true }); // rows have moved
    on(this.#menu, "pointerenter", () => clearTimeout(this.#waiting));
    on(this.#box, "scroll", () => (this.#lift(), this.#hideTools()), { passive: true });
    on(this.#box, "pointerdown", (event) => this.#press(event));
    on(this.#box, "pointermove", (event) => this.#isElsewhere(event) && this.#lift(), { passive: true });
    for (const type of ["pointerup", "pointercancel", "pointerleave"]) on(this.#box, type, () => this.#lift());
    on(this.#box, "contextmenu", (event) => this.#contextMenu(event));
    on(this.#box, "keydown", (event) => this.#keyDown(event));
    on(this.#menu, "pointerdown", () => (this.#touched = true));
    on(this.#menu, "click", (event) => this.#chosen(event));
    on(this.#menu, "keydown", (event) => this.#moveInMenu(event));
    on(this.#menu, "close", () => this.#closed());
  }

  #soon(milliseconds, task) {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(task, milliseconds);
  }

  // -- by mouse

  #over({ target, pointerType, buttons }) {
    if (pointerType !== "mouse" || buttons || sheet.matches || this.#isMenu()) return;
    const row = target.closest(".chat-line");
    if (row !== this.#row) this.#soon(row ? HOVER_MS : LEAVE_MS, () => (row ? this.#showTools(row) : this.#hideTools()));
    else if (row) clearTimeout(this.#waiting);
  }

  #showTools(row) {
    if (this.#isMenu() || !row.isConnected || !this.#fill(row)) return;
    this.#menu.className = "message-menu tools";
    this.#menu.open = true; // show() would take the focus
    this.#put(besideBubble(row, this.#menu, this.#box));
  }

  #hideTools() {
    if (!this.#menu.matches(".tools")) return;
    this.#menu.open = false;
    this.#row = null;
  }

  #contextMenu(event) {
    const row = event.target.closest(".chat-line");
    if (!row || event.shiftKey || event.target.closest("a") || isSelected(row)) return; // the browser's menu has more to offer there
    event.preventDefault();
    if (!this.#isMenu()) this.#open(row, event.button === 2 && event.pointerType !== "touch" ? { left: event.clientX, top: event.clientY } : null);
  }

  // -- by finger

  #press({ target, pointerType, isPrimary, clientX: x, clientY: y }) {
    this.#lift();
    const row = target.closest(".chat-line");
    if (pointerType === "mouse" || !isPrimary || !row || target.closest("a, button, input")) return;
    this.#pressed = { x, y, timer: setTimeout(() => (this.#lift(), this.#open(row)), LONG_PRESS_MS) };
  }

  #isElsewhere({ clientX, clientY }) {
    return this.#pressed && Math.hypot(clientX - this.#pressed.x, clientY - this.#pressed.y) > STILL_PX;
  }

  #lift() {
    clearTimeout(this.#pressed?.timer);
    this.#pressed = null;
  }

  // -- by keyboard

  #keyDown(event) {
    if (event.key !== "Enter" || !event.target.matches(".chat-line")) return;
    event.preventDefault();
    this.#open(event.target);
  }

  #moveInMenu(event) {
    if (this.#menu.matches(".tools")) return;
    const items = [...this.#list.children];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Tab") this.#menu.close();
    else if (to === undefined) return;
    else (items.at(to % items.length) ?? items[0]).focus();
    event.preventDefault();
  }

  // -- the menu

  #open(row, point) {
    clearTimeout(this.#waiting);
    this.#menu.open = false;
    if (!row.isConnected || !this.#fill(row)) return;
    if (sheet.matches && document.activeElement.matches("textarea")) document.activeElement.blur(); // the keyboard would come back with the focus
    this.#menu.className = `message-menu ${sheet.matches ? "sheet" : "list"}`;
    this.#menu.removeAttribute("style");
    this.#touched = false;
    row.classList.add("chosen");
    showModal(this.#menu);
    if (!sheet.matches) this.#put(point ?? belowBubble(row));
    this.#list.firstElementChild.focus();
  }

  #fill(row) {
    const message = this.#find(Number(row.dataset.seq));
    if (!message) return false;
    this.#row = row;
    byId("messageMenuExcerpt").textContent = row.querySelector(".chat-who").textContent + oneLine(wordsOf(row.querySelector(".chat-bubble").textContent), SPOKEN_CHARACTERS);
    this.#list.replaceChildren(...actionsFor(message, this.#client, this.#place()).map(item));
    return true;
  }

  #isMenu() {
    return this.#menu.open && !this.#menu.matches(".tools");
  }

  #put({ left, top }) {
    const { offsetWidth, offsetHeight } = this.#menu;
    this.#menu.style.left = `${Math.max(GAP_PX, Math.min(left, innerWidth - offsetWidth - GAP_PX))}px`;
    this.#menu.style.top = `${Math.max(GAP_PX, Math.min(top, innerHeight - offsetHeight - GAP_PX))}px`;
  }

  async #chosen({ target, detail }) {
    if (detail && !this.#touched) return undefined;
    if (target === this.#menu && this.#isMenu()) return this.#menu.close();
    const { action } = target.closest("button")?.dataset ?? {};
    if (!action) return undefined;
    const row = this.#row;
    const had = row.contains(document.activeElement) || this.#isMenu(); // the focus goes where the row does
    const neighbour = had ? besides(row) : null;
    if (this.#isMenu()) this.#menu.close();
    else this.#hideTools();
    const message = this.#find(Number(row.dataset.seq));
    if (!message) { // its time was over, or another tab deleted it
      if (had) this.#box.focus({ preventScroll: true });
      return notice("This message is gone.");
    }
    const place = this.#place();
    await actionsFor(message, this.#client, place).find(({ name }) => name === action)?.run(message, this.#client, place);
    if (!row.isConnected && neighbour && document.activeElement === document.body) focusRow(neighbour);
    return undefined;
  }

  #closed() {
    this.#box.querySelector(".chosen")?.classList.remove("chosen");
    if (!this.#menu.open) this.#row = null;
  }
}

function item({ name, label, icon, danger }) {
  const button = clone("messageActionTemplate");
  button.dataset.action = name;
  button.classList.toggle("danger", Boolean(danger));
  button.querySelector("use").setAttribute("href", `#i-${icon}`);
  button.querySelector("span").textContent = label;
  button.title = label;
  return button;
}

function isSelected(row) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(row, true);
}

const belowBubble = (row) => {
  const { left, bottom } = row.querySelector(".chat-body").getBoundingClientRect();
  return { left, top: bottom + GAP_PX };
};

/** Never over its words: on the bubble's inner side, or above it. */
function besideBubble(row, menu, box) {
  const [bubble, room] = [row.querySelector(".chat-body"), box].map((each) => each.getBoundingClientRect());
  const { offsetWidth: width, offsetHeight: height } = menu;
  const isOwn = row.matches(".chat-line-out");
  const left = isOwn ? bubble.left - width - GAP_PX : bubble.right + GAP_PX;
  const middle = (Math.max(bubble.top, room.top) + Math.min(bubble.bottom, room.bottom)) / 2;
  if (left >= room.left && left + width <= room.right) return { left, top: middle - height / 2 };
  return { left: isOwn ? bubble.right - width : bubble.left, top: Math.max(room.top, bubble.top - height) };
}
