/** Shows and takes away notifications. Loaded when the first one is due. */
import { shortForm } from "./encoding.js";

const MOST_SINGLE = 3; // on screen at once; more become one summary
const SUMMARY_TAG = "summary";
const ICON = "/icons/icon-192.png";
const NAME_CHARACTERS = 13; // of a short form: "3233:" and 8 digits

/** Shows messages, `[{message, contact}]`: one each, or one summary when they are many. */
export async function showNotices(registration, arrived, { preview }) {
  const shown = await registration.getNotifications();
  const total = shown.reduce((sum, { data }) => sum + (data?.count ?? 1), 0) + arrived.length;
  if (total > MOST_SINGLE) await summarize(registration, shown, total, arrived.at(-1).contact);
  else for (const one of arrived) await showOne(registration, one, preview);
}

/** Takes away what is shown for a thread that was read. */
export async function clearNotices(registration, fingerprint) {
  for (const shown of await registration.getNotifications()) {
    if (shown.data?.fingerprint === fingerprint || shown.tag === SUMMARY_TAG) shown.close();
  }
}

function showOne(registration, { message, contact: { name, fingerprint, relay } }, preview) {
  const body = (preview && message.text) || "New message";
  const data = { fingerprint, relay, count: 1 };
  const title = name || shortForm(fingerprint).slice(0, NAME_CHARACTERS);
  return registration.showNotification(title, { body, tag: `message-${message.seq}`, icon: ICON, data });
}

/** Its one tag makes a later summary replace an earlier one. */
function summarize(registration, shown, count, { fingerprint, relay }) {
  for (const one of shown) one.close();
  const data = { fingerprint, relay, count };
  return registration.showNotification("io3233", { body: `${count} new messages`, tag: SUMMARY_TAG, icon: ICON, data });
}
