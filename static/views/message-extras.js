// What stands beside a message's words; and the lines that nobody wrote.
import { byId, clone, on } from "./dom.js";
import { oneLine } from "../protocol/text.js";
import { wordsOf } from "../protocol/marks.js";
import { saidIn } from "../protocol/files.js";
import { formatSpan, plural } from "../protocol/format.js";
import { showInfo } from "./message-actions.js";
import { notice } from "./dialogs.js";

const QUOTE_CHARACTERS = 120;

export function eventWords({ event, lasts, reason }, name) {
  const words = {
    device: `${name} uses a new device.`,
    "verified-device": `${name} uses a new device. You have verified ${name}: ask them by another way whether it is theirs.`,
    unopened: `A message could not be opened. Ask ${name} to write it again.`,
    "own-device": "Another device with your keys gets what you write from now on. If it is not yours, make new keys.",
    impostor: `A message for this device has a key that it never made. Unless ${name} plays a trick, somebody else has your keys: ask them by another way.`,
    "edit refused": `${name} does not get your edit, so the words are as before. ${reason}`,
    "react refused": `${name} does not get your reaction, so it is as before. ${reason}`,
    "delete refused": `${name} was not told that you deleted a message, and may have it still. ${reason}`,
    "setting refused": `${name} was not told how long messages stay, so it is as before. ${reason}`,
    timer: lasts ? `Messages here go ${formatSpan(lasts)} after they were read.` : "Messages here stay.",
  };
  return words[event] ?? "";
}

export function fillExtras(row, message, name) {
  for (const [word, is] of [["event", message.event], ["deleted", message.deleted_at], ["edited", message.edited_at && !message.deleted_at], ["passing", message.lasts]]) row.classList.toggle(word, Boolean(is));
  const body = row.querySelector(".chat-body");
  put(body, ".chat-quote", message.re && !message.deleted_at, () => quote(message.re, name), (made) => body.prepend(made));
  put(row, ".chat-edited", message.edited_at && !message.deleted_at, () => clone("editedTemplate"), (made) => row.querySelector(".chat-meta").prepend(made));
  fillReactions(row, message, name);
}

/** The same ones stay: who presses one, or has the focus there, must not lose it to a receipt. */
function fillReactions(row, message, name) {
  const shown = row.querySelector(".chat-reactions");
  const made = message.reactions?.length && !message.deleted_at ? reactions(message, name) : null;
  if (made && shown?.isEqualNode(made)) return;
  shown?.remove();
  if (made) row.querySelector(".chat-body").after(made);
}

function put(row, selector, wanted, make, place) {
  const shown = row.querySelector(selector);
  if (!wanted) shown?.remove();
  else if (!shown) place(make());
}

/** As the answer quotes it until the message itself is found: what somebody says that I wrote may be made up. */
function quote({ quote: words, mine }, name) {
  const made = clone("quoteTemplate");
  made.querySelector(".chat-quote-who").textContent = mine ? "You" : name;
  made.querySelector(".chat-quote-text").textContent = oneLine(wordsOf(words), QUOTE_CHARACTERS);
  return made;
}

function reactions({ reactions: all, contact }, name) {
  const box = clone("reactionsTemplate");
  for (const emoji of new Set(all.map((each) => each.emoji))) {
    const by = all.filter((each) => each.emoji === emoji).map((each) => (each.by === contact ? name : "you"));
    box.append(reaction(emoji, by));
  }
  return box;
}

function reaction(emoji, by) {
  const isOwn = by.includes("you");
  const button = clone("reactionTemplate");
  button.value = emoji;
  button.firstElementChild.textContent = emoji;
  button.lastElementChild.textContent = by.length;
  button.title = `${emoji} ${by.length}: ${by.join(" and ")}`;
  button.setAttribute("aria-label", button.title);
  button.setAttribute("aria-pressed", String(isOwn));
  return button;
}

/** `{text, yes, no, answer(changes, agreed)}`, or null. */
function questionOf({ fingerprint, asks_again, asks_old_form }, name) {
  if (asks_again) {
    const text = `${name}’s new device could not read ${plural(asks_again, "message")} from before. Send again? Whoever stole their key could ask the same.`;
    return { text, yes: "Send again", no: "No", answer: (changes, agreed) => changes.answerAgain(fingerprint, agreed) };
  }
  if (!asks_old_form) return null;
  const text = `For two weeks ${name} has written with an older client, which can’t read what you send. Write in the old form, sealed once only?`;
  return { text, yes: "Write in the old form", no: "No", answer: (changes, agreed) => changes.answerOldForm(fingerprint, agreed) };
}

export class AskBar {
  #question = null;

  constructor(client) {
    on(byId("askYes"), "click", () => this.#question.answer(client.changes, true));
    on(byId("askNo"), "click", () => this.#question.answer(client.changes, false));
  }

  show(contact, name) {
    this.#question = questionOf(contact, name);
    byId("askBar").hidden = !this.#question;
    for (const [id, field] of [["askText", "text"], ["askYes", "yes"], ["askNo", "no"]]) byId(id).textContent = this.#question?.[field] ?? "";
  }
}

export class MessageExtras {
  #client;
  #find;
  #show;
  #box = byId("chatMessages");

  /** `find(seq)`: a message of the open thread. `show(seq)`: brings another one into sight. */
  constructor(client, find, show) {
    this.#client = client;
    this.#find = find;
    this.#show = show;
    on(this.#box, "click", ({ target }) => this.#clicked(target));
    new MutationObserver(() => this.#look()).observe(this.#box, { childList: true });
  }

  #clicked(target) {
    const message = this.#find(Number(target.closest(".chat-line")?.dataset.seq));
    if (!message) return undefined;
    const reacted = target.closest(".reaction");
    if (reacted) return this.#client.changes.react(message.seq, reacted.getAttribute("aria-pressed") === "true" ? "" : reacted.value);
    if (target.closest(".chat-edited")) return showInfo(message, this.#client);
    return target.closest(".chat-quote") && this.#follow(message);
  }

  async #follow(message) {
    const seq = await this.#client.changes.answered(message);
    if (seq === null) notice("The message that this answers is not on this device.");
    else if (this.#find(message.seq)) await this.#show(seq);
  }

  async #look() {
    for (const found of this.#box.querySelectorAll(".chat-quote:not([data-looked])")) {
      found.dataset.looked = "";
      await this.#fill(found, this.#find(Number(found.closest(".chat-line")?.dataset.seq)));
    }
  }

  async #fill(found, message) {
    const seq = message && (await this.#client.changes.answered(message));
    const original = seq && (await this.#client.store.message(seq));
    found.classList.toggle("unknown", !original);
    const words = found.querySelector(".chat-quote-text");
    if (!original) words.textContent = `${words.textContent} (as they quote it: it is not on this device)`;
    else words.textContent = original.deleted_at ? "Deleted" : oneLine(saidIn(original), QUOTE_CHARACTERS);
  }
}
