/** The order that people see: that of arrival on this device. Clocks differ, and are set; a time says only when. */
import { startOfDay } from "./format.js";

/** Contacts, the latest message first. One without messages stands where its time falls among the times of the others. */
export function newestFirst(contacts, now = Date.now()) {
  const touched = ({ last_at, added_at }) => Math.min(last_at || added_at, now);
  const written = contacts.filter(({ last_seq }) => last_seq).sort((a, b) => b.last_seq - a.last_seq);
  const silent = contacts.filter(({ last_seq }) => !last_seq).sort((a, b) => touched(b) - touched(a));
  const order = [];
  while (written.length && silent.length) order.push((touched(silent[0]) >= touched(written[0]) ? silent : written).shift());
  return [...order, ...written, ...silent];
}

/**
 * For each message `{begins, apart}`: whether a line with its day stands above it, and whether it is of another day than the line
 * that it stands under. No day has two lines, or a clock that is wrong by days would get one a message.
 */
export function dayLines(messages) {
  const told = new Set();
  let current;
  return messages.map(({ at }) => {
    const day = startOfDay(at);
    const begins = !told.has(day);
    if (begins) current = day;
    told.add(day);
    return { begins, apart: day !== current };
  });
}
