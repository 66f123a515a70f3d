// Looking and listening: the pictures of the open thread, the player of a voice message, QR codes.
import { formatClock } from "../protocol/format.js";
import { onClose, showModal } from "./dialogs.js";
import { byId, clone, on } from "./dom.js";

const LARGEST = 4;

export class Viewer {
  #dialog = byId("viewer");
  #image = byId("viewerImage");
  #seq = 0;
  #zoom = 1;

  constructor(save) {
    on(byId("viewerSave"), "click", () => save(this.#seq));
    on(byId("viewerPrevious"), "click", () => this.#step(-1));
    on(byId("viewerNext"), "click", () => this.#step(1));
    on(byId("viewerLarger"), "click", () => this.#enlarge(2));
    on(byId("viewerSmaller"), "click", () => this.#enlarge(1 / 2));
    on(this.#image, "click", () => this.#enlarge(this.#zoom === 1 ? 2 : 1 / LARGEST));
    on(this.#dialog, "keydown", (event) => this.#keyDown(event));
    onClose(this.#dialog, () => this.#image.removeAttribute("src"));
  }

  open(seq) {
    const picture = this.#pictures().find((each) => each.seq === seq);
    if (!picture) return;
    this.#show(picture);
    if (!this.#dialog.open) showModal(this.#dialog);
  }

  forget(url) {
    if (this.#image.src === url) this.#dialog.close();
  }

  #pictures() {
    const shown = [...byId("chatMessages").querySelectorAll(".chat-file.picture.loaded:not(.plain)")];
    return shown.map((element) => ({
      seq: Number(element.closest(".chat-line").dataset.seq), url: element.querySelector(".file-full").src, name: element.querySelector(".file-name").textContent,
    }));
  }

  #show({ seq, url, name }) {
    this.#seq = seq;
    this.#image.src = url;
    this.#image.alt = name;
    byId("viewerName").textContent = name;
    this.#enlarge(1 / LARGEST);
    const [first, last] = [this.#pictures().at(0), this.#pictures().at(-1)];
    byId("viewerPrevious").disabled = seq === first.seq;
    byId("viewerNext").disabled = seq === last.seq;
  }

  #step(by) {
    const pictures = this.#pictures();
    const next = pictures[pictures.findIndex(({ seq }) => seq === this.#seq) + by];
    if (next) this.#show(next);
  }

  #enlarge(by) {
    this.#zoom = Math.min(Math.max(this.#zoom * by, 1), LARGEST);
    this.#image.style.setProperty("--zoom", this.#zoom);
    byId("viewerSmaller").disabled = this.#zoom === 1;
    byId("viewerLarger").disabled = this.#zoom === LARGEST;
  }

  #keyDown(event) {
    const act = {
      ArrowLeft: () => this.#step(-1), ArrowRight: () => this.#step(1), "+": () => this.#enlarge(2), "-": () => this.#enlarge(1 / 2), 0: () => this.#enlarge(1 / LARGEST),
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey || (this.#zoom > 1 && event.key.startsWith("Arrow"))) return; // what is enlarged is scrolled
    event.preventDefault();
    act();
  }
}

const SPEEDS = [1, 1.5, 2];

/** It waits for the `src` of its `<audio>`. What a browser recorded says no length of its own. */
export function voicePlayer(seconds) {
  const element = clone("voiceTemplate");
  const [play, at, time, speed, audio] = element.children;
  const show = () => {
    at.max = Number.isFinite(audio.duration) ? audio.duration : seconds;
    at.value = audio.currentTime;
    at.setAttribute("aria-valuetext", `${formatClock(audio.currentTime)} of ${formatClock(seconds)}`);
    time.textContent = formatClock(audio.currentTime || seconds);
    play.querySelector("use").setAttribute("href", audio.paused ? "#i-play" : "#i-pause");
    play.setAttribute("aria-label", audio.paused ? "Play" : "Pause");
    play.disabled = at.disabled = audio.readyState === 0;
  };
  for (const type of ["loadedmetadata", "durationchange", "timeupdate", "seeked", "play", "pause"]) on(audio, type, show);
  on(audio, "ended", () => (audio.currentTime = 0));
  on(play, "click", () => (audio.paused ? start(audio) : audio.pause()));
  on(at, "input", () => (audio.currentTime = at.value));
  on(speed, "click", () => {
    audio.playbackRate = SPEEDS[(SPEEDS.indexOf(audio.playbackRate) + 1) % SPEEDS.length];
    speed.textContent = `${audio.playbackRate}×`;
    speed.setAttribute("aria-label", `${speed.textContent} speed`);
  });
  show();
  return element;
}

/** One at a time. A player that goes while it begins is no fault. */
function start(audio) {
  for (const other of document.querySelectorAll("audio, video")) if (other !== audio) other.pause();
  return audio.play().catch((error) => console.debug("It does not play:", error));
}

// What draws QR codes comes with the first.

const SVG = "http://www.w3.org/2000/svg";
const QUIET_ZONE = 4; // modules of white around a code (ISO/IEC 18004)

const wanted = new WeakMap();

export async function drawQr(box, text) {
  wanted.set(box, text);
  try {
    const { generate } = await import("../vendor/lean-qr.mjs");
    if (wanted.get(box) === text) box.replaceChildren(svgOf(generate(text)));
  } catch (error) {
    console.debug("No QR code:", error.message); // no network and no kept copy
    box.textContent = "The QR code could not be loaded.";
  }
}

function svgOf(code) {
  const svg = document.createElementNS(SVG, "svg");
  const side = code.size + 2 * QUIET_ZONE;
  svg.setAttribute("viewBox", `${-QUIET_ZONE} ${-QUIET_ZONE} ${side} ${side}`);
  svg.setAttribute("shape-rendering", "crispEdges");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", darkModules(code));
  svg.append(path);
  return svg;
}

function darkModules(code) {
  const squares = [];
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) if (code.get(x, y)) squares.push(`M${x} ${y}h1v1h-1z`);
  }
  return squares.join("");
}

export async function showQr(title, text) {
  byId("qrTitle").textContent = title;
  byId("qrText").textContent = text;
  byId("qrCanvas").setAttribute("aria-label", `QR code: ${title}`);
  await drawQr(byId("qrCanvas"), text);
  showModal(byId("qrDialog"));
}

// The camera's picture stays in this page.

const LOOK_MS = 200;
const WHY = {
  NotAllowedError: "The camera is not allowed here: allow it in the browser's settings of this page.",
  NotFoundError: "This device has no camera.",
};

export const canScan = () => "BarcodeDetector" in window && Boolean(navigator.mediaDevices);

/** Null when the person cancels. What is wrong with the camera is said in the dialog. */
export async function scan(title) {
  const [dialog, video, status] = [byId("scanDialog"), byId("scanVideo"), byId("scanStatus")];
  byId("scanTitle").textContent = title;
  status.textContent = "";
  let isClosed = false;
  const closed = new Promise((resolve) => on(dialog, "close", resolve, { once: true })).then(() => ((isClosed = true), null));
  let stream = null;
  showModal(dialog);
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    if (isClosed) return null;
    video.srcObject = stream;
    await video.play();
    return await Promise.race([firstCode(video, dialog), closed]);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    status.textContent = WHY[error.name] ?? `The camera can't be used: ${error.message}`;
    return await closed;
  } finally {
    for (const track of stream?.getTracks() ?? []) track.stop();
    if (video.srcObject === stream) video.srcObject = null;
    if (!isClosed) dialog.close();
  }
}

async function firstCode(video, dialog) {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  while (dialog.open) {
    const [code] = await detector.detect(video);
    if (code) return code.rawValue;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return null;
}
