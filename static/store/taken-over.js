/**
 * History of an earlier client. It kept what was sent and left what was received on the relay, from where it comes only when what was
 * sent is here already. So sent lines lie a thousand seqs apart, and received ones find their place between them by their time.
 */
import { result } from "./database.js";

const NAME = "taken_over";
const APART = 1024;

/** Notes in `kv` what was taken over of `home` now: `sent` lines ascending, and the ids that were `read`. */
export function noteTakenOver(kv, home, { sent, read }) {
  kv.put({ home, until: Date.now(), times: sent.map(({ at }) => at), read }, NAME);
}

/** The seq of the sent line `index`. */
export const seqOfLine = (index) => (index + 1) * APART;

/** What was taken over of this relay, or null. */
export async function takenOver(kv, origin) {
  const noted = await result(kv.get(NAME));
  return noted?.home === origin ? noted : null;
}

/** A free seq among the lines that were taken over for a message of the time `at`; undefined for the next one of all. */
export async function seqAmong(noted, messages, at) {
  if (!noted || at >= noted.until) return undefined;
  const line = (noted.times.findLastIndex((time) => time <= at) + 1) * APART;
  const last = await result(messages.openKeyCursor(IDBKeyRange.bound(line, line + APART, false, true), "prev"));
  const seq = (last?.key ?? line) + 1;
  return seq < line + APART ? seq : undefined;
}

export const wasRead = (noted, { from, row_id }) => row_id <= (noted?.read[from] ?? 0);
export const isKnown = (noted, from) => from in (noted?.read ?? {});
