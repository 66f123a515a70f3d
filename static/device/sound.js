/** A short beep. Browsers play nothing before the person has touched the page, so the audio context is made at the first gesture. */

const HERTZ = 880;
const SECONDS = 0.12;
const LOUDNESS = 0.06;

export class Sound {
  #context = null;

  /** `unlocked()` is called once, when this tab may play. */
  constructor(unlocked) {
    for (const gesture of ["pointerdown", "keydown"]) {
      addEventListener(gesture, () => this.#unlock(unlocked), { once: true, passive: true });
    }
  }

  beep() {
    if (!this.#context) return;
    const now = this.#context.currentTime;
    const [tone, volume] = [this.#context.createOscillator(), this.#context.createGain()];
    tone.frequency.value = HERTZ;
    volume.gain.setValueAtTime(LOUDNESS, now);
    volume.gain.exponentialRampToValueAtTime(0.0001, now + SECONDS);
    tone.connect(volume).connect(this.#context.destination);
    tone.start(now);
    tone.stop(now + SECONDS);
  }

  #unlock(unlocked) {
    if (this.#context || !("AudioContext" in globalThis)) return;
    this.#context = new AudioContext();
    unlocked();
  }
}
