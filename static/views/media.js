// Looking and listening: the pictures of the open thread, one at a time, and the player of a voice message.
import { formatClock } from "../protocol/format.js";
import { showModal } from "./dialogs.js";
import { byId, clone, on } from "./dom.js";

// A picture is as large as there is room; twice, four times as large on request.

const LARGEST = 4;

export class Viewer {
  #dialog = byId("viewer");
  #image = byId("viewerImage");
  #seq = 0;
  #zoom = 1;

  /** `save(seq)`: saves the picture that is shown. */
  constructor(save) {
    on(byId("viewerSave"), "click", () => save(this.#seq));
    on(byId("viewerPrevious"), "click", () => this.#step(-1));
    on(byId("viewerNext"), "click", () => this.#step(1));
    on(byId("viewerLarger"), "click", () => this.#enlarge(2));
    on(byId("viewerSmaller"), "click", () => this.#enlarge(1 / 2));
    on(this.#image, "click", () => this.#enlarge(this.#zoom === 1 ? 2 : 1 / LARGEST));
    on(this.#dialog, "keydown", (event) => this.#keyDown(event));
    on(this.#dialog, "close", () => this.#image.removeAttribute("src"));
  }

  open(seq) {
    const picture = this.#pictures().find((each) => each.seq === seq);
    if (!picture) return;
    this.#show(picture);
    if (!this.#dialog.open) showModal(this.#dialog);
  }

  /** A picture is not here any more. */
  forget(url) {
    if (this.#image.src === url) this.#dialog.close();
  }

  /** Those that are on this page and loaded, oldest first. */
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
    if (!act || event.ctrlKey || event.metaKey || (this.#zoom > 1 && event.key.startsWith("Arrow"))) return; // arrows scroll what is enlarged
    event.preventDefault();
    act();
  }
}

// A bar with its position, and a pace.

const SPEEDS = [1, 1.5, 2];

/** A player for so many seconds, which waits for the `src` of its `<audio>`. What a browser recorded says no length of its own. */
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
