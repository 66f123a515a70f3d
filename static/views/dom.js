// Text from people enters the page only as text nodes: nothing here parses markup.
import { ClientError } from "../protocol/errors.js";
import { dayStamp } from "../protocol/format.js";

export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`There is no #${id} in the page`);
  return element;
}

export function clone(templateId) {
  return byId(templateId).content.firstElementChild.cloneNode(true);
}

/** What it began and nobody handles is reported: app.js tells the person. */
export function on(target, type, listener, options) {
  target.addEventListener(type, (event) => report(listener(event)), options);
}

async function report(begun) {
  try {
    await begun;
  } catch (error) {
    reportError(error);
  }
}

/** An initial; the hue is the address's first byte: a name may change, that does not. */
export function fillAvatar(element, { fingerprint }, name) {
  element.textContent = name.match(/[\p{L}\p{N}]|\p{Extended_Pictographic}/u)?.[0].toUpperCase() ?? "#";
  element.style.setProperty("--hue", Math.round((parseInt(fingerprint.slice(0, 2), 16) * 360) / 256));
}

/** `tone`: "", "good" or "bad". */
export function say(element, text, tone = "") {
  element.textContent = text;
  element.classList.toggle("bad", tone === "bad");
  element.classList.toggle("good", tone === "good");
}

/** Unless the person has put it somewhere in `place`: they were quicker. */
export function offerFocus(target, place) {
  if (!place.contains(document.activeElement)) target.focus({ preventScroll: true });
}

/** What is in its place is untouched: focus, selection and scroll survive. */
export function reconcile(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let place = parent.firstElementChild;
  for (const node of nodes) {
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
}

/** Words in a `<name>`, from whichever side they run. */
export function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  made.dir = "auto";
  return made;
}

/** Fills a `<dl>` with pairs of a term and its text; without a text it is left out. */
export function describe(list, pairs) {
  list.replaceChildren(...pairs.filter(([, text]) => text || text === 0).flatMap(([term, text]) => [element("dt", term), element("dd", text)]));
}

export function icon(name) {
  const SVG = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "use"));
  svg.firstChild.setAttribute("href", `#i-${name}`);
  return svg;
}

/** With `button` disabled. What it throws is shown in `status`; resolves to undefined then. */
export async function attempt(button, status, task) {
  button.disabled = true;
  try {
    return await task();
  } catch (error) {
    say(status, error.message, "bad");
    if (!(error instanceof ClientError)) console.error(error);
    return undefined;
  } finally {
    button.disabled = false;
  }
}

export function download({ name, blob }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function debounce(listener, wait) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(listener, wait, ...args);
  };
}

// The composer takes no more than can be sent: browsers freeze over megabytes of text, at every key and every return to them.

export function tellWhatDoesNotFit() {
  const field = byId("chatBody");
  // Later, for what is typed clears what was said.
  const tell = (sentence) => setTimeout(say, 0, byId("chatSendStatus"), sentence, "bad");
  on(field, "beforeinput", ({ data }) => {
    if ((data ?? "").length > room(field)) tell(`This is longer than a message can be: of what you put in, the first ${room(field)} characters are here.`);
  });
}

const room = ({ maxLength, value, selectionStart, selectionEnd }) => maxLength - value.length + selectionEnd - selectionStart;

// "Today" lasts until midnight, and times are those of where the person is: both may change.

const LOOK_MS = 20_000;

export function whenDayChanges(listener) {
  let told = dayStamp();
  const look = () => {
    const before = told;
    told = dayStamp();
    if (told !== before) listener();
  };
  setInterval(look, LOOK_MS);
  for (const [target, type] of [[document, "visibilitychange"], [window, "focus"], [window, "pageshow"]]) on(target, type, look);
}
