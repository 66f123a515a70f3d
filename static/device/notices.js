/** Shows and takes away notifications. */
import { oneLine } from "../protocol/excerpt.js";
import { displayName, plural } from "../protocol/format.js";

const MOST_SINGLE = 3; // on screen at once; more become one summary
const SUMMARY_TAG = "summary";
const ICON = "/icons/icon-192.png";
const BODY_CHARACTERS = 140;

/** Shows messages, `[{message, contact}]`: the latest of each sender, or one summary when they are many. */
export async function showNotices(registration, arrived, { preview }) {
  const shown = await registration.getNotifications();
  const counts = [...shown.map(({ data }) => data?.counts ?? {}), ...arrived.map(({ contact }) => ({ [contact.fingerprint]: 1 }))].reduce(add, {});
  if (total(counts) <= MOST_SINGLE) return Promise.all(latestOfEach(arrived).map((one) => showOne(registration, one, counts, preview)));
  for (const one of shown) one.close();
  return summarize(registration, counts);
}

const latestOfEach = (arrived) => [...new Map(arrived.map((one) => [one.contact.fingerprint, one])).values()];

/** Takes away what is shown of a thread that was read. What a summary tells of the other threads stays. */
export async function clearNotices(registration, fingerprint) {
  for (const shown of await registration.getNotifications()) {
    const { [fingerprint]: read, ...unread } = shown.data?.counts ?? {};
    if (read && total(unread)) await summarize(registration, unread);
    else if (read) shown.close();
  }
}

/** Messages a thread, `{fingerprint: number}`, the thread of the latest last. */
function add(counts, more) {
  const sum = { ...counts };
  for (const [fingerprint, number] of Object.entries(more)) {
    delete sum[fingerprint];
    sum[fingerprint] = (counts[fingerprint] ?? 0) + number;
  }
  return sum;
}

const total = (counts) => Object.values(counts).reduce((sum, number) => sum + number, 0);

/** A sender has one tag: a later message takes an earlier one's place, and says so. */
function showOne(registration, { message, contact }, counts, preview) {
  const body = (preview && oneLine(message.text, BODY_CHARACTERS)) || "New message";
  const { fingerprint } = contact;
  const number = counts[fingerprint];
  const title = displayName(contact) + (number > 1 ? ` (${number})` : "");
  const options = { tag: `sender-${fingerprint}`, renotify: true, icon: ICON, data: { counts: { [fingerprint]: number } } };
  return registration.showNotification(title, { body, ...options });
}

/** Its one tag makes a later summary replace an earlier one. */
function summarize(registration, counts) {
  const body = plural(total(counts), "new message");
  return registration.showNotification("io3233", { body, tag: SUMMARY_TAG, icon: ICON, data: { counts } });
}
