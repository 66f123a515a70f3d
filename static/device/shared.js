/** What another app shared with the installed one, as the service worker kept it: see SHARED in sw.js. */
const CACHE = "shared-with-io3233";
const MOST_FILES = 10;
const LONGEST_TEXT = 20_000;
const FORGET_AFTER_MS = 60_000;

/** `{files, text}`, once; null where there is none, it could not be kept, or it can't be read. */
export async function takeShared() {
  const cache = await globalThis.caches?.open(CACHE); // none over plain http
  const kept = await cache?.match("/share");
  await cache?.delete("/share");
  const form = await kept?.formData().catch((error) => console.debug("What was shared can't be read:", error.message));
  if (!form) return null;
  const words = ["title", "text", "url"].map((name) => `${form.get(name) ?? ""}`.trim());
  const text = [...new Set(words.filter(Boolean))].join("\n").slice(0, LONGEST_TEXT);
  const files = form.getAll("files").filter((file) => file instanceof File && file.size > 0).slice(0, MOST_FILES);
  return { files, text };
}

/** Deletes what was shared and no page took. Not at once: the page that it is for may just be starting. */
export async function forgetShared() {
  const cache = await globalThis.caches?.open(CACHE);
  const kept = await cache?.match("/share");
  if (kept && !(Date.now() - Date.parse(kept.headers.get("Date")) < FORGET_AFTER_MS)) await cache.delete("/share");
}
