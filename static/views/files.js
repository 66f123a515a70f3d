// Files in the thread, and how far each has come.
import { byId, clone, download, on } from "./dom.js";
import { isVoice, kindOf, previewOf, safeName, shortName, shownPicture } from "../protocol/files.js";
import { formatBytes } from "../protocol/format.js";
import { notice } from "./dialogs.js";
import { Viewer, voicePlayer } from "./media.js";

const WIDEST = 3; // of a picture's sides, one by the other: a header may say anything
const ENDED = {
  damaged: "Damaged: it is not what was sent. Ask for it again.",
  cancelled: "Cancelled: not kept.",
  held: "Not kept, for you have not accepted them. Accept, and ask for it again.",
  gone: "Not on this device any more.",
};

export function fillFile(row, { file, direction, state, deleted_at, error }) {
  const shown = row.querySelector(".chat-file");
  if (!file || deleted_at) return shown?.remove();
  const element = shown ?? begun(row, file);
  const ends = ENDED[file.state] ?? "";
  const [done, moving] = direction === "out" && file.state === "here" ? [file.sent, state === "relayed" && file.sent < file.parts] : [file.have, file.state === ""];
  element.querySelector(".file-detail").textContent = ends || (moving && (error || (file.asked && "The rest has not come yet: it was asked for."))) || formatBytes(file.size);
  element.classList.toggle("ended", Boolean(ends));
  element.classList.toggle("moving", moving);
  element.querySelector(".file-save").hidden = file.state !== "here";
  if (moving) showProgress(element.querySelector(".file-cancel"), Math.round((100 * done) / file.parts), file.state === "");
  const unchecked = file.state === "" && file.have === file.parts; // reading it checks it
  if (unchecked || (file.state === "here" && kindOf(file) !== "file")) element.dataset.load = kindOf(file);
  else delete element.dataset.load;
  return undefined;
}

function showProgress(button, percent, comes) {
  button.style.setProperty("--done", `${percent}%`);
  button.title = `${percent} % ${comes ? "received" : "sent"}: cancel`;
  button.setAttribute("aria-label", button.title);
}

function begun(row, file) {
  const element = clone("fileTemplate");
  const kind = kindOf(file);
  element.classList.add(kind);
  element.querySelector(".file-name").textContent = shortName(file.name);
  if (kind === "picture") begin(element.querySelector(".file-picture"), file);
  if (isVoice(file)) element.prepend(voicePlayer(file.seconds));
  row.querySelector(".chat-bubble").before(element);
  return element;
}

function begin(button, file) {
  const { width = 4, height = 3 } = file;
  button.style.setProperty("--ratio", Math.min(Math.max(width / height, 1 / WIDEST), WIDEST));
  button.setAttribute("aria-label", `Show ${safeName(file.name)}`);
  const preview = previewOf(file);
  if (preview) drawPreview(button.firstElementChild, new Blob([preview.bytes], { type: preview.mime }));
}

/** Not as an image: that would want its URL whenever its row is put elsewhere. `options`: of createImageBitmap. */
export async function drawPreview(canvas, blob, options) {
  try {
    const bitmap = await createImageBitmap(blob, options);
    Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
    canvas.getContext("bitmaprenderer").transferFromImageBitmap(bitmap);
  } catch (error) {
    console.debug("No preview:", error.message);
  }
}

/** Without folders, as what no browser opens by itself. */
export async function saveFile({ seq, file }, client) {
  const bytes = await client.files.read(seq);
  if (bytes) download({ name: safeName(file.name), blob: new Blob([bytes], { type: "application/octet-stream" }) });
  else notice("This file is not on this device.");
}

export class FileRows {
  #client;
  #find;
  #viewer;
  #box = byId("chatMessages");
  #urls = new Map(); // element → its URL
  #near = new IntersectionObserver((entries) => entries.forEach((entry) => entry.isIntersecting && this.#load(entry.target)), { root: this.#box, rootMargin: "100%" });

  constructor(client, find) {
    this.#client = client;
    this.#find = find;
    this.#viewer = new Viewer((seq) => saveFile(find(seq), client));
    on(this.#box, "click", ({ target }) => this.#clicked(target));
    const changes = { childList: true, subtree: true, attributes: true, attributeFilter: ["data-load"] };
    new MutationObserver(() => this.#look()).observe(this.#box, changes);
  }

  #look() {
    for (const [element, url] of this.#urls) if (!element.isConnected || !element.dataset.load) this.#forget(element, url);
    for (const element of this.#box.querySelectorAll(".chat-file[data-load]:not([data-watched])")) {
      element.dataset.watched = "";
      this.#near.observe(element);
    }
  }

  #forget(element, url) {
    URL.revokeObjectURL(url);
    this.#urls.delete(element);
    this.#viewer.forget(url);
    element.classList.remove("loaded");
    element.querySelector(".file-full").removeAttribute("src");
    (element.querySelector(".voice-player") ?? element.querySelector("audio, video"))?.remove();
    delete element.dataset.watched;
  }

  async #load(element) {
    this.#near.unobserve(element);
    const message = this.#find(Number(element.closest(".chat-line")?.dataset.seq));
    const bytes = message && (await this.#client.files.read(message.seq));
    if (!bytes) return void delete element.dataset.watched; // looked at again when it changes
    if (element.isConnected && element.dataset.load) await this.#show(element, bytes, message.file);
  }

  /** What its own bytes are, of protocol/files.js's types: nothing that runs. */
  #show(element, bytes, { mime }) {
    const kind = kindOf({ mime });
    const picture = kind === "picture" ? shownPicture(bytes) : null;
    if (kind === "picture") return picture ? this.#showPicture(element, this.#url(element, bytes, picture.mime)) : element.classList.add("plain");
    return kind === "file" ? undefined : this.#showPlayer(element, kind, this.#url(element, bytes, mime));
  }

  async #showPicture(element, url) {
    const image = element.querySelector(".file-full");
    image.src = url;
    image.onerror = () => element.classList.add("plain");
    image.onload = () => element.classList.add("loaded");
  }

  #showPlayer(element, kind, url) {
    const voice = element.querySelector(".voice-player");
    const player = voice?.querySelector("audio") ?? document.createElement(kind);
    Object.assign(player, { controls: !voice, preload: "metadata", src: url });
    player.onerror = () => ((voice ?? player).remove(), element.classList.add("plain"));
    if (!voice) element.prepend(player);
  }

  #url(element, bytes, type) {
    const url = URL.createObjectURL(new Blob([bytes], { type }));
    this.#urls.set(element, url);
    return url;
  }

  #clicked(target) {
    const seq = Number(target.closest(".chat-file")?.closest(".chat-line").dataset.seq);
    const message = seq && this.#find(seq);
    if (!message) return undefined;
    if (target.closest(".file-save")) return saveFile(message, this.#client);
    if (target.closest(".file-cancel")) return message.file.state === "" ? this.#client.files.cancel(seq) : this.#client.changes.remove(seq);
    return target.closest(".file-picture") && this.#viewer.open(seq);
  }
}
