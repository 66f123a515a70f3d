// Making new keys: asked about first, since the old address is gone with them.
import { attempt, byId } from "./dom.js";
import { confirmed } from "./questions.js";

export async function replaceKeys(client) {
  const agreed = await confirmed({
    title: "Make new keys?",
    text: "You get a new address. People who write to the old one no longer reach you, and mail on its way to it is lost: send everybody your new invite link.\n\nHistory and contacts stay. The old keys are gone unless you exported a backup.",
    ok: "Make new keys",
    danger: true,
  });
  if (!agreed) return;
  await attempt(byId("newKeys"), byId("regStatus"), async () => {
    await client.replaceKeys();
    location.reload();
  });
}
