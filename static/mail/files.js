/** Files that are here: read, checked once all parts have come, and given up. */
import { digest } from "../protocol/crypto.js";
import { toHex } from "../protocol/encoding.js";
import { result } from "../store/database.js";
import { deleteParts, readOctets, withTimer } from "../store/messages.js";
import { changeFile } from "./parts.js";

/** What is still on its way to somebody has to stay. */
const mayGo = ({ direction, state, moving, file }) => file.state === "here" && !moving && (direction === "in" || state === "relayed");

export class Files {
  #store;
  #reading = new Map(); // seq → a promise of its octets: a file is not checked twice at once

  constructor(store) {
    this.#store = store;
    store.addEventListener("messages", ({ detail, remote }) => remote || detail.messages.forEach((message) => this.#arrived(message)));
    store.addEventListener("message", ({ detail, remote }) => remote || this.#arrived(detail.message));
  }

  /** All octets of a file that is whole, and whose hash is right; null of any other. */
  read(seq) {
    if (!this.#reading.has(seq)) this.#reading.set(seq, this.#read(seq).finally(() => this.#reading.delete(seq)));
    return this.#reading.get(seq);
  }

  /** Wants no more of a file that is coming. What is here of it goes. */
  cancel(seq) {
    return this.#end(seq, "cancelled");
  }

  /** The files that could be freed, by chat: `{contact, seqs, bytes}`, the largest first. Not those of which copies for my other devices wait. */
  async kept() {
    const [records, queued] = await this.#store.db.read(["messages", "posts"], ({ messages, posts }) =>
      Promise.all([result(messages.index("file").getAll()), result(posts.index("queued").getAll())]));
    const waiting = new Set(queued.map(({ seq }) => seq));
    const chats = new Map();
    for (const { contact, seq, file } of records.filter((record) => mayGo(record) && !waiting.has(record.seq))) {
      const { seqs, bytes } = chats.get(contact) ?? { seqs: [], bytes: 0 };
      chats.set(contact, { contact, seqs: [...seqs, seq], bytes: bytes + file.size });
    }
    return [...chats.values()].sort((a, b) => b.bytes - a.bytes);
  }

  /** Deletes the octets of files, and leaves their rows. */
  async free(seqs) {
    for (const seq of seqs) await this.#end(seq, "gone");
  }

  #arrived({ seq, file }) {
    if (file?.state === "" && file.have === file.parts) this.read(seq).catch((error) => console.warn("A file is checked when it is shown:", error));
  }

  async #read(seq) {
    const { file } = (await this.#store.message(seq)) ?? {};
    if (!file || file.have < file.parts || !["", "here"].includes(file.state)) return null;
    const bytes = await readOctets(this.#store, seq);
    if (file.state === "here") return bytes;
    const right = toHex(await digest(bytes)) === file.sha256;
    await this.#end(seq, right ? "here" : "damaged", ({ id, state }) => id === file.id && state === "");
    return right ? bytes : null;
  }

  #end(seq, state, may = () => true) {
    return changeFile(this.#store, seq, [], ({ moving, ...record }, stores) => {
      if (!may(record.file)) return null;
      if (state !== "here") deleteParts(stores, seq);
      return withTimer({ ...record, file: { ...record.file, state, have: state === "here" ? record.file.have : 0 } });
    });
  }
}
