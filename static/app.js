// Boot and wiring, nothing else.
import { AboutView } from "./about-view.js";
import { BackupView } from "./backup-view.js";
import { ChatsView } from "./chats-view.js";
import { Client } from "./client.js";
import { wireDialogs } from "./dialogs.js";
import { byId, on } from "./dom.js";
import { ClientError } from "./errors.js";
import { KeysView } from "./keys-view.js";
import { LibraryView } from "./library-view.js";
import { NewChatView } from "./newchat-view.js";
import { Router } from "./router.js";
import { ServerView } from "./server-view.js";
import { SettingsView } from "./settings-view.js";
import { StatusView } from "./status-view.js";

const router = new Router();
wireDialogs();

try {
  await boot(await Client.open());
} catch (error) {
  explain(error);
}

async function boot(client) {
  const views = {
    newchat: new NewChatView(client, router),
    chats: new ChatsView(client, router),
    library: new LibraryView(client),
    keys: new KeysView(client),
    server: new ServerView(client),
    about: new AboutView(client),
  };
  const status = new StatusView(client, router);
  new BackupView(client);
  new SettingsView(client);
  on(client, "replaced", () => location.reload());
  on(client.store, "reset", () => location.reload());
  client.start();
  await Promise.all([views.chats.load(), status.load()]);
  follow(views);
}

function follow(views) {
  let shown = null;
  on(router, "route", ({ detail }) => {
    if (shown !== views[detail.view]) shown?.hide?.();
    shown = views[detail.view];
    shown.show(detail);
    if (detail.byPerson && detail.view !== "chats") byId(`title-${detail.view}`).focus({ preventScroll: true });
  });
  router.start();
}

function explain(error) {
  const bar = byId("accountNotice");
  bar.textContent = error instanceof ClientError ? error.message : `This page could not start: ${error.message}. Reload it; if that does not help, its files may be damaged.`;
  bar.hidden = false;
  if (!(error instanceof ClientError)) console.error(error);
}
