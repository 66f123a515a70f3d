/** Files as messages (PROTOCOL.md, "Files"). All of it may be a stranger's, and is not believed. */
import { isFingerprint } from "./address.js";
import { sha256 } from "./crypto.js";
import { fromBase64, toBase64Url, utf8 } from "./encoding.js";
import { isEnvelopeId } from "./envelope.js";
import { EncodingError } from "./errors.js";
import { wordsOf } from "./marks.js";

export const PART_BYTES = 65_536;
export const MOST_FILE_BYTES = 16 * 1024 * 1024;
export const MOST_PREVIEW_BYTES = 1536;
export const MOST_BACKUP_FILES_BYTES = 64 * 1024 * 1024; // a phone holds a backup in memory, several times
const MOST_PREVIEW_PIXELS = 128 * 128;
const MOST_PIXELS = 40e6; // of a shown picture: four bytes each
const LONGEST_NAME = 255;
const LONGEST_SHOWN = 40; // characters
const LONGEST_SIDE = 65_535;
const LONGEST_SECONDS = 86_400;
const ID_BYTES = 16;
const NAME = /^[^\p{Cc}\p{Cs}\u2028\u2029]{1,255}$/u;
const MIME = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}$/;
/** What browsers decode and nothing runs in: `text/html` and `image/svg+xml` are rows with Save. */
const SHOWN = {
  picture: ["image/jpeg", "image/png", "image/webp", "image/gif"],
  audio: ["audio/webm", "audio/ogg", "audio/mp4", "audio/mpeg", "audio/wav"],
  video: ["video/mp4", "video/webm"],
};

const isWhole = (least, most) => (value) => Number.isInteger(value) && value >= least && value <= most;
const maybe = (check) => (value) => value === undefined || check(value);
const isSide = maybe(isWhole(1, LONGEST_SIDE));

const FIELDS = {
  id: isEnvelopeId,
  name: (value) => typeof value === "string" && value.length <= LONGEST_NAME && NAME.test(value),
  mime: (value) => typeof value === "string" && MIME.test(value),
  size: isWhole(1, MOST_FILE_BYTES),
  sha256: isFingerprint, // 64 hex digits, too
  parts: Number.isInteger,
  width: isSide,
  height: isSide,
  seconds: maybe(isWhole(0, LONGEST_SECONDS)),
  preview: maybe((value) => previewOf({ preview: value }) !== null),
};

export const isPartNumber = isWhole(0, MOST_FILE_BYTES / PART_BYTES - 1);
const partsOf = (size) => Math.ceil(size / PART_BYTES);

/** Every part then has one size that it can have. */
export const isFile = (value) =>
  value !== null && typeof value === "object" && Object.entries(FIELDS).every(([name, check]) => check(value[name])) && value.parts === partsOf(value.size);

export const knownFile = (file) => Object.fromEntries(Object.keys(FIELDS).filter((name) => file[name] !== undefined).map((name) => [name, file[name]]));

/** `more`: `{width, height, seconds, preview}` as far as known. */
export const fileHeader = ({ id, name, mime, size, sha256: digest, ...more }) => ({
  id, name: nameToSend(name), mime: MIME.test(mime) ? mime : "application/octet-stream", size, sha256: digest, parts: partsOf(size), ...more,
});

export const partBytes = ({ size, parts }, n) => (n < parts - 1 ? PART_BYTES : size - PART_BYTES * (parts - 1));

/** With a buffer of its own: a view would be stored with all of the file. */
export const cutPart = (bytes, n) => bytes.slice(n * PART_BYTES, (n + 1) * PART_BYTES);

/** Who knows the file knows its parts' ids, and can ask for one that never came. */
export const partId = (file_id, n) => toBase64Url(sha256(utf8(`${file_id} ${n}`)).subarray(0, ID_BYTES));

/** "picture", "audio", "video", or "file" for what is not shown. */
export const kindOf = ({ mime }) => Object.keys(SHOWN).find((kind) => SHOWN[kind].includes(mime)) ?? "file";

/** What was not spoken for this chat has no length in its header. */
export const isVoice = (file) => kindOf(file) === "audio" && file.seconds !== undefined;

function fileWords(file) {
  if (kindOf(file) === "picture") return "Photo";
  return isVoice(file) ? "Voice message" : shortName(file.name);
}

export const saidIn = ({ text, file }) => (text || !file ? wordsOf(text) : fileWords(file));

/** To show and to save under: no folder, nothing that can't be seen or turns its surroundings around, no room to hide an ending. */
export function safeName(name) {
  const last = name.split(/[/\\]/).findLast((part) => /[^.\s]/.test(part)) ?? "";
  const seen = last.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, "").replace(/[\s\u2800]+/g, " ").replace(/[:*?"<>|]/g, "_");
  return seen.replace(/^[.\s]+|[.\s]+$/g, "") || "file";
}

/** What is long loses its middle, for its ending says what it is. */
export function shortName(name) {
  const characters = [...safeName(name)];
  return characters.length <= LONGEST_SHOWN ? characters.join("") : [...characters.slice(0, LONGEST_SHOWN - 20), "…", ...characters.slice(-19)].join("");
}

function nameToSend(name) {
  const safe = safeName(name);
  const ending = safe.match(/\.[^.]{1,10}$/)?.[0] ?? "";
  const begin = safe.slice(0, safe.length - ending.length).slice(0, LONGEST_NAME - ending.length);
  return begin.replace(/[\ud800-\udbff]$/, "") + ending;
}

/** `{bytes, mime}`; null where it is none, or not small. */
export function previewOf({ preview }) {
  if (typeof preview !== "string" || preview.length > 2 * MOST_PREVIEW_BYTES) return null;
  try {
    const bytes = fromBase64(preview);
    const found = bytes.length <= MOST_PREVIEW_BYTES ? imageSize(bytes) : null;
    return found && ["image/webp", "image/jpeg"].includes(found.mime) && found.width * found.height <= MOST_PREVIEW_PIXELS ? { bytes, mime: found.mime } : null;
  } catch (error) {
    if (error instanceof EncodingError) return null;
    throw error;
  }
}

/** `{mime, width, height}` by its own bytes; null for what is no picture, or takes too much memory. */
export function shownPicture(bytes) {
  const found = imageSize(bytes);
  return found && found.width * found.height <= MOST_PIXELS ? found : null;
}

/** By the first bytes, without decoding any; null also where a side is 0: a JPEG may tell its height behind its first scan (ITU-T T.81, B.2.5). */
export function imageSize(bytes) {
  const mime = bytes.length < 30 ? "" : pictureType(bytes);
  const size = mime && SIZES[mime](new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
  return size && !size.includes(0) ? { mime, width: size[0], height: size[1] } : null;
}

const BEGINNINGS = { "image/png": "\x89PNG\r\n\x1a\n", "image/gif": "GIF8", "image/webp": "RIFF....WEBP", "image/jpeg": "\xff\xd8" };

export function pictureType(bytes) {
  const begins = (text) => [...text].every((letter, index) => letter === "." || bytes[index] === letter.charCodeAt(0));
  return Object.keys(BEGINNINGS).find((mime) => begins(BEGINNINGS[mime])) ?? "";
}

/** What a decoder makes room for, `[width, height]`; null where it might see another size than we do. */
const SIZES = { "image/png": pngSize, "image/gif": gifSize, "image/webp": webpSize, "image/jpeg": jpegSize };

function pngSize(view) {
  return view.getUint32(12) === 0x49484452 /* IHDR */ ? [view.getUint32(16), view.getUint32(20)] : null;
}

/** The logical screen is made as large as the first image on it (GIF89a, sections 18 and 20): behind extensions, in blocks of blocks. */
function gifSize(view) {
  const table = view.getUint8(10);
  let at = 13 + (table & 0x80 ? 3 << ((table & 7) + 1) : 0);
  while (at + 10 < view.byteLength && view.getUint8(at) === 0x21) {
    for (at += 2; at < view.byteLength && view.getUint8(at) > 0; at += 1 + view.getUint8(at));
    at += 1;
  }
  if (at + 10 > view.byteLength || view.getUint8(at) !== 0x2c) return null;
  return [0, 2].map((side) => Math.max(view.getUint16(6 + side, true), view.getUint16(at + 1 + side, true) + view.getUint16(at + 5 + side, true)));
}

/** RFC 9649, sections 2.4 to 2.7. */
function webpSize(view) {
  const sizes = {
    "VP8 ": () => [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff],
    VP8L: () => [(view.getUint32(21, true) & 0x3fff) + 1, ((view.getUint32(21, true) >> 14) & 0x3fff) + 1],
    VP8X: () => [24, 27].map((at) => view.getUint16(at, true) + view.getUint8(at + 2) * 65_536 + 1),
  };
  return sizes[String.fromCharCode(...[12, 13, 14, 15].map((at) => view.getUint8(at)))]?.() ?? null;
}

const isFrame = (marker) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
const isTable = (marker) => [0xc4, 0xcc, 0xdb, 0xdd, 0xfe].includes(marker) || (marker >= 0xe0 && marker <= 0xef);

/**
 * Behind tables and comments (ITU-T T.81, B.2), and nothing else: decoders skip fill bytes and markers without a length, and would find a
 * frame in what is a comment to us.
 */
function jpegSize(view) {
  for (let at = 2; at + 9 < view.byteLength && view.getUint8(at) === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint8(at + 1);
    if (isFrame(marker)) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    if (!isTable(marker)) return null;
  }
  return null;
}
