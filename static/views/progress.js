// A long task of a dialog: its bar, its status line, its button, and a way to
// cancel it.
import { AbortError } from "../protocol/errors.js";
import { byId, say } from "./dom.js";

export class Progress {
  #bar;
  #button;
  #status;
  #abort = null;

  /** `kind`: what the ids of the dialog's parts begin with. */
  constructor(kind) {
    this.#bar = byId(`${kind}Progress`);
    this.#button = byId(`${kind}Go`);
    this.#status = byId(`${kind}Status`);
  }

  cancel() {
    this.#abort?.abort();
  }

  /** Runs `task({signal, onProgress})`; undefined when it failed or was cancelled. */
  async run(task) {
    this.#abort = new AbortController();
    this.#show(true);
    say(this.#status, "Working…");
    try {
      const value = await task({ signal: this.#abort.signal, onProgress: (fraction) => (this.#bar.value = fraction) });
      say(this.#status, "");
      return value;
    } catch (error) {
      say(this.#status, error instanceof AbortError ? "Cancelled: nothing was changed." : error.message, "bad");
      return undefined;
    } finally {
      this.#show(false);
      this.#abort = null;
    }
  }

  #show(working) {
    this.#bar.hidden = !working;
    this.#bar.value = 0;
    this.#button.disabled = working;
  }
}
