// Loads a view's module when the person first comes to it.
import { byId } from "./dom.js";
import { holdActions } from "./hold.js";

const VIEWS = {
  newchat: async (...parts) => new (await import("./newchat-view.js")).NewChatView(...parts),
  chats: async (...parts) => new (await import("./chats-view.js")).ChatsView(...parts),
  library: async (...parts) => new (await import("./library-view.js")).LibraryView(...parts),
  keys: async (...parts) => new (await import("./keys-view.js")).KeysView(...parts),
  server: async (...parts) => new (await import("./server-view.js")).ServerView(...parts),
  about: async (...parts) => new (await import("./about-view.js")).AboutView(...parts),
};

export class ViewLoader {
  #parts;
  #views = new Map();

  /** `parts`: what each view's constructor gets. */
  constructor(...parts) {
    this.#parts = parts;
  }

  /** The view, made once. What the person does in it meanwhile waits for it. */
  async load(name) {
    if (this.#views.has(name)) return this.#views.get(name);
    const release = holdActions(byId(`view-${name}`));
    try {
      this.#views.set(name, VIEWS[name](...this.#parts));
      return await this.#views.get(name);
    } catch (error) {
      this.#views.delete(name); // the relay was gone: the next click tries again
      throw error;
    } finally {
      release();
    }
  }
}
