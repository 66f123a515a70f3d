/** What another app shared with the installed one, as the service worker kept it: see SHARED in sw.js. */
const CACHE = "shared-with-io3233";
const MOST_FILES = 10;
const LONGEST_TEXT = 20_000;

/** `{files, text}`, once; null where there is none, or it could not be kept. */
export async function takeShared() {
  const cache = await globalThis.caches?.open(CACHE); // none over plain http
  const kept = await cache?.match("/share");
  await cache?.delete("/share");
  if (!kept) return null;
  const form = await kept.formData();
  const words = ["title", "text", "url"].map((name) => `${form.get(name) ?? ""}`.trim());
  const text = [...new Set(words.filter(Boolean))].join("\n").slice(0, LONGEST_TEXT);
  const files = form.getAll("files").filter((file) => file instanceof File && file.size > 0).slice(0, MOST_FILES);
  return { files, text };
}
