// The player of a voice message: a bar with its position, and a pace.
import { clone, on } from "./dom.js";
import { formatClock } from "../protocol/format.js";

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
