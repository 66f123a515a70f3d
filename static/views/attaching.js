// Files to send: chosen, dropped on the thread, or pasted. Pictures are made smaller and written anew, without where and with what they were
// taken, unless the person wants them as they are.
import { notice, onClose, showModal } from "./dialogs.js";
import { attempt, byId, clone, on, say } from "./dom.js";
import { ClientError, FileSizeError, UnreadableFileError } from "../protocol/errors.js";
import { drawPreview } from "./files.js";
import { MOST_FILE_BYTES, MOST_PREVIEW_BYTES, imageSize, pictureType, safeName, shownPicture } from "../protocol/files.js";
import { displayName, formatBytes } from "../protocol/format.js";
import { toBase64 } from "../protocol/encoding.js";

const MOST_AT_ONCE = 10;
const LARGEST_SIDE = 2048;
const MOST_PIXELS = 120e6; // decoded to be made smaller
const QUALITY = 0.82;
const LONGEST_BEGINNING = 16; // bytes, by which a picture is known
const LONGEST_HEAD = 2 ** 18; // bytes, which say how large it is
const DRAWN_SIDE = 384;
// HEIF, AVIF, TIFF, and raw photos: cameras write them, few browsers know them.
const PHOTO_NAME = /\.(hei[cf]|avif|tiff?|dng|cr[23w]|nef|nrw|arw|sr[2fw]|orf|rw2|pef|raf)$/i;
const PHOTO_BEGINNING = /^(II\*\0|MM\0\*|II(R[OS]|U\0)|FUJIFILM|.{4}ftyp(he[iv][cmsx]|mif1|msf1|avi[fs]|crx ))/s;
const PREVIEWS = [[40, 0.6], [32, 0.5], [24, 0.4], [16, 0.3]]; // longest side and quality, the first that fits

export class Attaching {
  #client;
  #contact;
  #answering;
  #chosen = [];
  #to = null;

  constructor(client, contact, answering) {
    this.#client = client;
    this.#contact = contact;
    this.#answering = answering;
    const input = byId("attachInput");
    on(byId("attach"), "click", () => input.click());
    on(input, "change", () => (this.#choose([...input.files]), (input.value = "")));
    on(byId("chatThread"), "dragover", (event) => this.#mayDrop(event) && event.preventDefault());
    on(byId("chatThread"), "drop", (event) => this.#dropped(event));
    on(byId("chatBody"), "paste", (event) => this.#pasted(event));
    on(byId("filesForm"), "submit", (event) => this.#submit(event));
    on(client, "shared", ({ detail }) => this.#choose(detail.files, detail.contact, detail.text));
    onClose(byId("filesDialog"), () => ((this.#chosen = []), this.#list()));
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

  async #choose(files, to = this.#contact(), text = "") {
    if (files.length === 0 || !to) return;
    const chosen = files.slice(0, MOST_AT_ONCE);
    const pictures = await Promise.all(chosen.map((file) => isPicture(file).catch(() => false))); // what can't be read is told when it is sent
    [this.#to, this.#chosen] = [to, chosen];
    byId("filesTo").textContent = `Send to ${displayName(to)}`;
    byId("filesAsFiles").checked = false;
    byId("filesText").value = text.replace(/\s+/g, " ");
    byId("filesAsFilesRow").hidden = !pictures.includes(true);
    this.#list();
    say(byId("filesStatus"), files.length > MOST_AT_ONCE ? `The first ${MOST_AT_ONCE} of ${files.length}: more go with the next message.` : "");
    showModal(byId("filesDialog"));
  }

  #list() {
    const items = this.#chosen.map(({ name, size }) => {
      const item = clone("chosenTemplate");
      item.querySelector("bdi").textContent = safeName(name);
      item.lastElementChild.textContent = formatBytes(size);
      return item;
    });
    byId("filesList").replaceChildren(...items);
    drawEach(items.map((item) => item.querySelector("canvas")), this.#chosen);
  }

  async #submit(event) {
    event.preventDefault();
    await attempt(byId("filesSend"), byId("filesStatus"), () => this.#send(byId("filesAsFiles").checked));
  }

  /**
   * One after the other, in order. What can't be sent stays in the list, with the reason. Words go with one, or after several; an answer is
   * the first. Ends when the dialog is closed, also while a picture is made smaller.
   */
  async #send(as_files) {
    const [chosen, left, reasons, text] = [this.#chosen, [], [], byId("filesText").value.trim()];
    const to = (await this.#client.store.contact(this.#to.fingerprint)) ?? this.#to;
    const isOne = chosen.length === 1;
    const isClosed = () => this.#chosen !== chosen || !byId("filesDialog").open;
    for (const file of chosen) {
      try {
        const made = await prepared(file, as_files);
        if (isClosed()) return void notice("Not all files were sent: their dialog was closed.");
        await this.#answering.sendFile(to, made, isOne ? text : "");
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        left.push(file);
        reasons.push(error.message);
      }
    }
    if (isClosed()) return;
    this.#chosen = left;
    this.#list();
    say(byId("filesStatus"), reasons.join(" "), "bad");
    if (left.length > 0) return;
    if (text && !isOne) await this.#client.outbox.send(to, text, { was_draft: false });
    byId("filesDialog").close();
  }
}

/**
 * Whether it is written anew. Without an ending browsers know no type, and a photo would go with its place. A GIF may move, and goes as it
 * is. Throws UnreadableFileError.
 */
async function isPicture(file) {
  const beginning = await read(file, LONGEST_BEGINNING);
  if (PHOTO_NAME.test(file.name) || PHOTO_BEGINNING.test(String.fromCharCode(...beginning))) return true;
  const type = pictureType(beginning) || file.type;
  return type.startsWith("image/") && !["image/gif", "image/svg+xml"].includes(type);
}

/** No larger than one that is received, and one after the other: each takes four bytes a pixel, for a moment. */
async function drawEach(canvases, files) {
  for (const [index, file] of files.entries()) {
    const size = shownPicture(await read(file, LONGEST_HEAD).catch(() => new Uint8Array(0)));
    if (!canvases[index].isConnected) return;
    const longest = size?.width > size?.height ? "resizeWidth" : "resizeHeight";
    if (size) await drawPreview(canvases[index], file, { imageOrientation: "from-image", resizeQuality: "high", [longest]: DRAWN_SIDE });
  }
}

/** It may be a folder, or have been changed or deleted since it was chosen. */
async function read(file, end = file.size) {
  try {
    return new Uint8Array(await file.slice(0, end).arrayBuffer());
  } catch (cause) {
    throw new UnreadableFileError(`“${safeName(file.name)}” can't be read: it is a folder, or was changed or deleted since. Choose it again.`, { cause });
  }
}

/** For Outbox.sendFile. Throws FileSizeError, UnreadableFileError. */
async function prepared(file, as_files) {
  if (!as_files && (await isPicture(file))) return rewritten(file);
  if (file.size > MOST_FILE_BYTES) throw new FileSizeError(`“${safeName(file.name)}” is larger than 16 MiB, which is the most. Send a part of it, or a link.`);
  const bytes = await read(file);
  const size = imageSize(bytes);
  return { name: file.name, mime: size?.mime ?? file.type, bytes, ...(size && { width: size.width, height: size.height }) };
}

async function rewritten(file) {
  const bitmap = await decoded(file);
  const { width, height } = fitting(bitmap, LARGEST_SIDE);
  const type = pictureType(await read(file, LONGEST_BEGINNING));
  const clear = type === "image/png" || type === "image/webp"; // may be seen through
  const picture = await encoded(bitmap, LARGEST_SIDE, clear ? type : "image/jpeg", QUALITY);
  const preview = await small(bitmap);
  bitmap.close();
  const name = `${file.name.replace(/\.[^.]*$/, "")}.${picture.type.slice("image/".length).replace("jpeg", "jpg")}`;
  return { name, mime: picture.type, bytes: new Uint8Array(await picture.arrayBuffer()), width, height, ...(preview && { preview }) };
}

/** Turned as its camera was. Throws FileSizeError for what this browser does not open. */
async function decoded(file) {
  const size = imageSize(await read(file, LONGEST_HEAD));
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

/** In base64, or "" where none is small enough. Some browsers write no WebP. */
async function small(bitmap) {
  for (const [longest, quality] of PREVIEWS) {
    const written = await encoded(bitmap, longest, "image/webp", quality);
    const blob = written.type === "image/webp" ? written : await encoded(bitmap, longest, "image/jpeg", quality);
    if (blob.size <= MOST_PREVIEW_BYTES) return toBase64(new Uint8Array(await blob.arrayBuffer()));
  }
  return "";
}
