// One's reaction to a message: a small row to choose from, and a field for any other emoji. The own one is pressed, and taken back so.
import { showModal } from "./dialogs.js";
import { byId, clone, on, say } from "./dom.js";
import { ClientError } from "../protocol/errors.js";
import { isEmoji } from "../protocol/content.js";

const USUAL = ["👍", "❤️", "😂", "😮", "😢", "🙏"];
let reacting = null; // {message, client, own}

on(byId("reactChoices"), "click", ({ target }) => choose(target.closest("button")?.value));
on(byId("reactForm"), "submit", (event) => {
  event.preventDefault();
  return choose(byId("reactEmoji").value.trim());
});

/** Asks for it. */
export function askReaction(message, client) {
  const own = message.reactions.find(({ by }) => by !== message.contact)?.emoji;
  reacting = { message, client, own };
  const offered = USUAL.includes(own) || !own ? USUAL : [...USUAL, own];
  byId("reactChoices").replaceChildren(...offered.map((emoji) => choice(emoji, emoji === own)));
  byId("reactEmoji").value = "";
  say(byId("reactStatus"), "");
  showModal(byId("reactDialog"));
}

function choice(emoji, isOwn) {
  const button = clone("reactChoiceTemplate");
  button.value = button.textContent = emoji;
  button.setAttribute("aria-pressed", String(isOwn));
  return button;
}

async function choose(emoji) {
  if (emoji === undefined) return;
  const { message, client, own } = reacting;
  if (emoji === "" || !isEmoji(emoji)) return say(byId("reactStatus"), "One emoji, as it stands on your keyboard.", "bad");
  try {
    await client.changes.react(message.seq, emoji === own ? "" : emoji);
    byId("reactDialog").close();
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    say(byId("reactStatus"), error.message, "bad");
  }
}
