// Boot and wiring, nothing else. What every view shares is loaded at once; a
// view's own module when the person first comes to it.
import { Client } from "./client.js";
import { byId, offerFocus, on } from "./dom.js";
import { ClientError } from "./errors.js";
import { holdActions } from "./hold.js";
import { IdentityView } from "./identity-view.js";
import { Router, threadPath } from "./router.js";
import { SettingsView } from "./settings-view.js";
import { StatusView } from "./status-view.js";
import { ThreadsView } from "./threads-view.js";
import { ViewLoader } from "./view-loader.js";

const release = holdActions(document.body);
const router = new Router();
for (const button of document.querySelectorAll("dialog [data-close]")) on(button, "click", () => button.closest("dialog").close());

try {
  await boot(await Client.open());
} catch (error) {
  explain(error);
} finally {
  release();
}

async function boot(client) {
  new SettingsView(client);
  const status = new StatusView(client, router);
  const threads = new ThreadsView(client, router);
  on(client, "replaced", () => location.reload());
  on(client.store, "reset", () => location.reload());
  on(client, "open-thread", ({ detail }) => router.go(threadPath(detail.fingerprint)));
  client.start();
  const loader = new ViewLoader(client, router, threads);
  await Promise.all([loader.load(router.view), threads.load(), status.load()]);
  new IdentityView(client); // my address appears last: where it stands, all works
  follow(loader);
}

function follow(loader) {
  let shown = null;
  on(router, "route", async ({ detail }) => {
    shown?.hide?.();
    try {
      const view = await loader.load(detail.view);
      if (router.view !== detail.view) return; // the person has moved on
      shown = view;
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
  bar.textContent = error instanceof ClientError ? error.message : `This page could not be started whole: ${error.message}. Reload it when the relay can be reached.`;
  bar.hidden = false;
  if (!(error instanceof ClientError)) console.error(error);
}
