// Choosing files to send: by the button, dropped on the thread, or pasted. Pictures are made smaller and written anew, which leaves out
// where and with what they were taken, unless the person wants them as they are.
import { showModal } from "./dialogs.js";
import { attempt, byId, clone, on, say } from "./dom.js";
import { ClientError, FileSizeError } from "../protocol/errors.js";
import { MOST_FILE_BYTES, MOST_PREVIEW_BYTES, imageSize, kindOf, safeName } from "../protocol/files.js";
import { displayName, formatBytes } from "../protocol/format.js";
import { toBase64 } from "../protocol/encoding.js";

const MOST_AT_ONCE = 10;
const LARGEST_SIDE = 2048;
const MOST_PIXELS = 120e6; // that are decoded to be made smaller
const QUALITY = 0.82;
const PREVIEWS = [[40, 0.6], [32, 0.5], [24, 0.4], [16, 0.3]]; // longest side and quality, the first that fits

export class Attaching {
  #client;
  #contact; // () => of the open thread
  #chosen = []; // Files
  #to = null;

  /** `contact()`: of the open thread, or null. */
  constructor(client, contact) {
    this.#client = client;
    this.#contact = contact;
    const input = byId("attachInput");
    on(byId("attach"), "click", () => input.click());
    on(input, "change", () => (this.#choose([...input.files]), (input.value = "")));
    on(byId("chatThread"), "dragover", (event) => this.#mayDrop(event) && event.preventDefault());
    on(byId("chatThread"), "drop", (event) => this.#dropped(event));
    on(byId("chatBody"), "paste", (event) => this.#pasted(event));
    on(byId("filesForm"), "submit", (event) => this.#submit(event));
    on(client, "shared", ({ detail }) => this.#choose(detail.files, detail.contact, detail.text));
    on(byId("filesDialog"), "close", () => (this.#chosen = []));
  }

  #mayDrop({ dataTransfer }) {
    return this.#contact() && dataTransfer.types.includes("Files");
  }

  #dropped(event) {
    if (!this.#mayDrop(event)) return;
    event.preventDefault();
    this.#choose([...event.dataTransfer.files]);
  }

  /** What has words as well is pasted as words: a table has its picture with it. */
  #pasted(event) {
    const { files, types } = event.clipboardData;
    if (files.length === 0 || types.includes("text/plain")) return;
    event.preventDefault();
    this.#choose([...files]);
  }

  #choose(files, to = this.#contact(), text = "") {
    if (files.length === 0 || !to) return;
    this.#to = to;
    this.#chosen = files.slice(0, MOST_AT_ONCE);
    byId("filesTo").textContent = `Send to ${displayName(this.#to)}`;
    byId("filesAsFiles").checked = false;
    byId("filesText").value = text.replace(/\s+/g, " ");
    byId("filesAsFilesRow").hidden = !this.#chosen.some(isPicture);
    this.#list();
    say(byId("filesStatus"), files.length > MOST_AT_ONCE ? `The first ${MOST_AT_ONCE} of ${files.length}: more go with the next message.` : "");
    showModal(byId("filesDialog"));
  }

  #list() {
    byId("filesList").replaceChildren(...this.#chosen.map(({ name, size }) => {
      const item = clone("chosenTemplate");
      item.firstElementChild.textContent = safeName(name);
      item.lastElementChild.textContent = formatBytes(size);
      return item;
    }));
  }

  async #submit(event) {
    event.preventDefault();
    await attempt(byId("filesSend"), byId("filesStatus"), () => this.#send(byId("filesAsFiles").checked));
  }

  /** One after the other, so that they keep their order. What can't be sent stays in the list, with the reason. Words go with one, or after several. */
  async #send(as_files) {
    const [to, left, reasons, text] = [this.#to, [], [], byId("filesText").value.trim()];
    const isOne = this.#chosen.length === 1;
    for (const file of this.#chosen) {
      try {
        await this.#client.outbox.sendFile(to, await prepared(file, as_files), { text: isOne ? text : "" });
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        left.push(file);
        reasons.push(error.message);
      }
    }
    this.#chosen = left;
    this.#list();
    say(byId("filesStatus"), reasons.join(" "), "bad");
    if (left.length > 0) return;
    if (text && !isOne) await this.#client.outbox.send(to, text, { was_draft: false });
    byId("filesDialog").close();
  }
}

/** A GIF may move, and says nothing of its place. */
const isPicture = ({ type }) => type.startsWith("image/") && !["image/gif", "image/svg+xml"].includes(type);

/** What Outbox.sendFile takes. Throws FileSizeError. */
async function prepared(file, as_files) {
  if (isPicture(file) && !as_files) return rewritten(file);
  if (file.size > MOST_FILE_BYTES) throw new FileSizeError(`“${safeName(file.name)}” is larger than 16 MiB, which is the most. Send a part of it, or a link.`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const size = kindOf({ mime: file.type }) === "picture" && imageSize(bytes);
  return { name: file.name, mime: file.type, bytes, ...(size && { width: size.width, height: size.height }) };
}

async function rewritten(file) {
  const bitmap = await decoded(file);
  const { width, height } = fitting(bitmap, LARGEST_SIDE);
  const clear = file.type === "image/png" || file.type === "image/webp"; // may be seen through
  const picture = await encoded(bitmap, LARGEST_SIDE, clear ? file.type : "image/jpeg", QUALITY);
  const preview = await small(bitmap);
  bitmap.close();
  const name = `${file.name.replace(/\.[^.]*$/, "")}.${picture.type.slice("image/".length).replace("jpeg", "jpg")}`;
  return { name, mime: picture.type, bytes: new Uint8Array(await picture.arrayBuffer()), width, height, ...(preview && { preview }) };
}

/** As it is to be looked at: turned as its camera was. Throws FileSizeError for what this browser does not open. */
async function decoded(file) {
  const size = imageSize(new Uint8Array(await file.slice(0, 2 ** 18).arrayBuffer()));
  const fails = `This browser does not open “${safeName(file.name)}” to make it smaller. Send it as a file to send it as it is.`;
  if (size && size.width * size.height > MOST_PIXELS) throw new FileSizeError(fails);
  return createImageBitmap(file, { imageOrientation: "from-image" }).catch((cause) => {
    throw new FileSizeError(fails, { cause });
  });
}

function fitting({ width, height }, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

function encoded(bitmap, longest, type, quality) {
  const canvas = Object.assign(document.createElement("canvas"), fitting(bitmap, longest));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, type, quality));
}

/** A preview in base64, or "" where none is small enough: WebP, or JPEG where the browser writes no WebP. */
async function small(bitmap) {
  for (const [longest, quality] of PREVIEWS) {
    const written = await encoded(bitmap, longest, "image/webp", quality);
    const blob = written.type === "image/webp" ? written : await encoded(bitmap, longest, "image/jpeg", quality);
    if (blob.size <= MOST_PREVIEW_BYTES) return toBase64(new Uint8Array(await blob.arrayBuffer()));
  }
  return "";
}
