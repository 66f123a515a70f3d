// Recorded in the place of the composer, and listened to before they go.
import { attempt, byId, on, say } from "./dom.js";
import { MOST_FILE_BYTES } from "../protocol/files.js";
import { displayName, formatClock } from "../protocol/format.js";
import { offerUndo } from "./dialogs.js";
import { voicePlayer } from "./media.js";

const MOST_SECONDS = 300;
const BITS_PER_SECOND = 32_000; // Opus; five minutes are 1.2 MiB
const PIECE_MS = 1000;
const TICK_MS = 100;
const TYPES = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"]; // the first that this browser records
const HELD_MS = 500; // a longer press is held: its end stops the recording
const SLIDE_PX = 90; // to the left: throws it away
const LEVELS = 48;
const LOUD = 4;
const WHY = {
  NotAllowedError: "The microphone is not allowed here: allow it in the browser's settings of this page.",
  NotFoundError: "This device has no microphone.",
  NotSupportedError: "This browser does not record: send what another app has recorded as a file.",
};

/** Until it is stopped: by the person, MOST_SECONDS, or the browser. */
class Recording {
  #recorder;
  #context;
  #analyser;
  #samples = new Uint8Array(1024);
  #pieces = [];
  #began = performance.now();

  /** Rejects with a DOMException: no microphone, none for this page, or nothing that records it. */
  static async begin() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    try {
      return new Recording(stream);
    } catch (error) {
      release(stream);
      throw error;
    }
  }

  constructor(stream) {
    this.#recorder = new MediaRecorder(stream, { mimeType: TYPES.find((type) => MediaRecorder.isTypeSupported(type)), audioBitsPerSecond: BITS_PER_SECOND });
    this.#recorder.ondataavailable = ({ data }) => this.#take(data);
    this.ended = new Promise((resolve) => (this.#recorder.onstop = () => resolve(this.#end(stream))));
    this.#recorder.start(PIECE_MS);
    this.#context = new AudioContext();
    this.#analyser = new AnalyserNode(this.#context, { fftSize: 1024 });
    this.#context.createMediaStreamSource(stream).connect(this.#analyser);
  }

  ended;

  get seconds() {
    return (performance.now() - this.#began) / 1000;
  }

  get level() {
    this.#analyser.getByteTimeDomainData(this.#samples);
    return Math.min(1, (LOUD * Math.max(...this.#samples.map((sample) => Math.abs(sample - 128)))) / 128);
  }

  stop() {
    if (this.#recorder.state !== "inactive") this.#recorder.stop();
    return this.ended;
  }

  /** Pieces come where timers sleep, too. */
  #take(piece) {
    this.#pieces.push(piece);
    const bytes = this.#pieces.reduce((sum, { size }) => sum + size, 0);
    if (this.seconds >= MOST_SECONDS || bytes > MOST_FILE_BYTES - BITS_PER_SECOND) this.stop();
  }

  #end(stream) {
    release(stream);
    this.#context?.close();
    return { blob: new Blob(this.#pieces, { type: this.#recorder.mimeType.split(";")[0] }), seconds: Math.min(Math.max(1, Math.round(this.seconds)), MOST_SECONDS) };
  }
}

const release = (stream) => stream.getTracks().forEach((track) => track.stop());

export class VoiceRecorder {
  #answering;
  #contact;
  #bar = byId("voice");
  #status = byId("chatSendStatus");
  #asking = false;
  #taken = null; // {to, recording, ticking}, ended {blob, seconds}, too: one at a time, whichever thread is open
  #pressed = null;
  #slid = false; // meanwhile
  #url = "";

  constructor(answering, contact) {
    this.#answering = answering;
    this.#contact = contact;
    byId("voiceLevels").append(...Array.from({ length: LEVELS }, () => document.createElement("i")));
    const button = byId("voiceRecord");
    button.hidden = !navigator.mediaDevices || !globalThis.MediaRecorder; // over plain http
    on(button, "pointerdown", (event) => this.#press(event));
    on(button, "click", () => this.#begin()); // by the keyboard; else it has begun
    on(document, "pointermove", ({ clientX }) => this.#pressed && clientX < this.#pressed.x - SLIDE_PX && this.#slide());
    on(document, "pointerup", ({ timeStamp }) => this.#lift(timeStamp));
    on(document, "visibilitychange", () => document.hidden && this.#taken?.recording.stop());
    on(document, "pointercancel", () => (this.#pressed = null));
    on(byId("voiceStop"), "click", () => void this.#taken.recording.stop());
    on(byId("voiceDrop"), "click", () => this.#drop());
    on(byId("voiceSend"), "click", ({ currentTarget }) => attempt(currentTarget, this.#status, () => this.#send(this.#taken, this.#contact())));
    on(this.#bar, "keydown", (event) => event.key === "Escape" && (event.preventDefault(), this.#drop()));
  }

  #press({ button, clientX: x, timeStamp: at }) {
    if (button !== 0) return undefined;
    this.#pressed = { x, at };
    this.#slid = false;
    return this.#begin();
  }

  #lift(now) {
    if (this.#pressed && now - this.#pressed.at > HELD_MS) this.#taken?.recording.stop();
    this.#pressed = null;
  }

  #slide() {
    this.#pressed = null;
    this.#slid = true;
    return this.#here() && this.#drop();
  }

  async #begin() {
    const to = this.#contact();
    if (this.#asking || !to || this.#here()) return undefined;
    if (this.#taken) return say(this.#status, `A voice message to ${displayName(this.#taken.to)} is not sent yet: send it, or throw it away first.`, "bad");
    this.#slid = false;
    const recording = await this.#ask();
    const isSeen = !document.hidden && to.fingerprint === this.#contact()?.fingerprint;
    if (isSeen && !this.#slid && !this.#taken) return recording && this.#take({ to, recording });
    return recording?.stop();
  }

  async #ask() {
    this.#asking = true;
    try {
      return await Recording.begin();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      say(this.#status, WHY[error.name] ?? `The microphone can't be used: end what else uses it, and try again. ${error.message}`, "bad");
      return null;
    } finally {
      this.#asking = false;
    }
  }

  async #take(taken) {
    this.#taken = taken;
    taken.ticking = setInterval(() => this.#tick(taken.recording), TICK_MS);
    say(this.#status, "");
    this.show();
    byId("voiceStop").focus();
    const ended = await taken.recording.ended;
    clearInterval(taken.ticking);
    Object.assign(taken, ended);
    if (this.#taken !== taken) return;
    if (taken.seconds === MOST_SECONDS) say(this.#status, "Five minutes are the most.");
    const attended = this.#bar.contains(document.activeElement);
    this.show();
    if (attended) byId("voiceSend").focus(); // that button went
  }

  /** Nobody records without seeing it: in another view or thread it ends, as behind another tab or a dark screen. */
  #tick(recording) {
    if (!this.#bar.checkVisibility()) return void recording.stop();
    byId("voiceTime").textContent = formatClock(recording.seconds);
    const bar = byId("voiceLevels").firstElementChild;
    bar.style.setProperty("--level", recording.level);
    bar.parentElement.append(bar);
  }

  #here() {
    return this.#taken && this.#taken.to.fingerprint === this.#contact()?.fingerprint ? this.#taken : null;
  }

  show() {
    const here = this.#here();
    const ended = Boolean(here?.blob);
    this.#bar.hidden = !here;
    byId("composer").classList.toggle("recording", Boolean(here));
    byId("voiceTaking").hidden = byId("voiceStop").hidden = ended;
    URL.revokeObjectURL(this.#url);
    const player = ended && voicePlayer(here.seconds);
    if (player) player.querySelector("audio").src = this.#url = URL.createObjectURL(here.blob);
    byId("voicePreview").replaceChildren(...(player ? [player] : []));
    window.onbeforeunload = this.#taken ? (event) => event.preventDefault() : null;
  }

  /** `to`: as it is now. What can't be stored stays, with the reason. */
  async #send(taken, to) {
    const { blob, seconds } = await taken.recording.stop();
    const bytes = new Uint8Array(await blob.arrayBuffer());
    await this.#answering.sendFile(to, { name: `Voice message.${blob.type.slice("audio/".length)}`, mime: blob.type, bytes, seconds });
    this.#put(null);
  }

  async #drop() {
    const taken = this.#taken;
    if (!taken || byId("voiceSend").disabled) return;
    this.#put(null);
    await taken.recording.stop();
    offerUndo("Voice message thrown away.", () => this.#taken === null && this.#put(taken));
  }

  #put(taken) {
    this.#taken = taken;
    this.show();
    byId(taken ? "voiceSend" : "chatBody").focus({ preventScroll: true });
  }
}
