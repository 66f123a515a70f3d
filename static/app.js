// Boot and wiring, nothing else.
import { Client } from "./client.js";
import { ClientError, StorageError } from "./protocol/errors.js";
import { AboutView, StatusView, StorageView } from "./views/status-view.js";
import { tellWhatDoesNotFit, byId, offerFocus, on } from "./views/dom.js";
import { ChatsView } from "./views/chats-view.js";
import { BlockedView, MyNameView, RoomView, SettingsView } from "./views/settings-view.js";
import { closeDialogs, notice } from "./views/dialogs.js";
import { IdentityView, KeysView, LostView } from "./views/keys-view.js";
import { listenToKeys } from "./views/keyboard.js";
import { LibraryView, ListSearch } from "./views/library-view.js";
import { forwardShared } from "./views/answering.js";
import { NewChatView } from "./views/newchat-view.js";
import { Router, ShellView, threadPath } from "./views/router.js";
import { ServerView } from "./views/server-view.js";
import { ThreadsView } from "./views/threads-view.js";

const STAYS_AFTER_MS = 1000;
const STOPPED_AFTER_MS = 30_000;

on(window, "error", (event) => tell(event, event.error));
on(window, "unhandledrejection", (event) => tell(event, event.reason));
const router = new Router();
for (const button of document.querySelectorAll("dialog [data-close]")) on(button, "click", () => button.closest("dialog").close());

new StorageView(Client.storage);
dispatchEvent(new Event("io3233-started")); // from here on the page itself says what it waits for
try {
  const lost = await Client.lost();
  if (lost) new LostView(lost);
  else await boot(await Client.open());
} catch (error) {
  if (!(error instanceof StorageError) || !Client.storage.message) explain(error); // or the storage view has said it
}

async function boot(client) {
  on(client, "shared", ({ detail }) => router.go(threadPath(detail.contact.fingerprint))); // before the views: they have it in its chat
  const threads = new ThreadsView(client, router);
  const views = {
    newchat: new NewChatView(client, router),
    chats: new ChatsView(client, router, threads),
    library: new LibraryView(client),
    keys: new KeysView(client),
    server: new ServerView(client),
    about: new AboutView(client),
    me: new ShellView(client, router),
  };
  const search = new ListSearch(client, router, threads);
  tellWhatDoesNotFit();
  new SettingsView(client);
  new MyNameView(client);
  new BlockedView(client);
  new RoomView(client);
  listenToKeys({ search: () => search.begin(), searchChat: () => views.chats.search() });
  const status = new StatusView(client, router);
  on(client, "replaced", () => reload(client));
  on(client.updates, "updated", () => reload(client));
  on(client.store, "reset", () => location.reload()); // nothing of this page is to be stored any more
  on(Client.storage, "state", () => Client.storage.state === "dropped" && new LostView(client.dropped));
  on(client, "open-thread", ({ detail }) => {
    closeDialogs();
    router.go(threadPath(detail.fingerprint));
  });
  client.start();
  await Promise.all([threads.load(), status.load()]);
  new IdentityView(client); // my address last: where it stands, all works
  follow(views);
  dispatchEvent(new Event("io3233-live")); // start.js hands over what was typed
  await forwardShared(client);
}

/**
 * Takes no key any more, and goes when all is stored: a browser drops the writes of a page that goes before they have begun. Where a voice
 * message waits the browser asks, and the person may stay, or stop the reload: then it takes keys again.
 */
async function reload(client) {
  const takeKeys = () => (document.body.inert = false);
  document.body.inert = true;
  await client.outbox.stored(); // what could not be is a draft again
  await client.drafts.written();
  const asked = () => setTimeout(takeKeys, STAYS_AFTER_MS); // after the answer
  on(window, "beforeunload", ({ defaultPrevented }) => defaultPrevented && setTimeout(asked), { once: true });
  location.reload();
  setTimeout(takeKeys, STOPPED_AFTER_MS);
}

function follow(views) {
  let shown = null;
  on(router, "route", async ({ detail }) => {
    const view = views[detail.view];
    shown?.hide?.();
    shown = view;
    try {
      byId("accountNotice").hidden = true;
      if (detail.byPerson && detail.view !== "chats") offerFocus(byId(`title-${detail.view}`), byId(`view-${detail.view}`));
      await view.show(detail);
    } catch (error) {
      explain(error);
    }
  });
  router.start();
}

function explain(error) {
  const bar = byId("accountNotice");
  bar.textContent = sentence(error);
  bar.hidden = false;
  if (!(error instanceof ClientError)) console.error(error);
}

/** What a listener reported (dom.js), and whatever nobody handled. What a person can meet is not for the console too. */
function tell(event, error) {
  notice(sentence(error));
  if (event.type === "error" && error instanceof ClientError) event.preventDefault();
}

function sentence(error) {
  return error instanceof ClientError ? error.message : `This page failed: ${error?.message ?? error}. Reload it.`;
}
