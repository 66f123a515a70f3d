// How names, times and sizes are written, in the person's own locale. Formats are made when first used: each loads the locale's tables, 100
// ms of a slow phone's first visit, and keeps the time zone that it was made in.
const lazily = (make) => {
  let made;
  let made_in;
  return () => {
    if (made_in !== timeZone()) [made, made_in] = [make(), timeZone()];
    return made;
  };
};

/** Of a winter and a summer: asking for the zone's name takes a thousand times as long. */
const timeZone = () => `${new Date(2026, 0).getTimezoneOffset()} ${new Date(2026, 6).getTimezoneOffset()}`;
const time = lazily(() => new Intl.DateTimeFormat(undefined, { timeStyle: "short" }));
const day = lazily(() => new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" }));
const dayWithYear = lazily(() => new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" }));
const weekday = lazily(() => new Intl.DateTimeFormat(undefined, { weekday: "short" }));
const shortDay = lazily(() => new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" }));
const month = lazily(() => new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric" }));
const full = lazily(() => new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }));
const count = lazily(() => new Intl.NumberFormat());

export const NAMELESS = "Somebody";

export const formatTime = (at) => time().format(at);
export const formatDateTime = (at) => full().format(at);

/** Below 1,000 it needs no locale's tables. */
export function formatCount(number) {
  if (number == null) return "–";
  return number < 1000 ? String(number) : count().format(number);
}

/** "Today", "Yesterday", "Monday, 3 May" this year, "3 May 2024" before. */
export function formatDay(at, now = Date.now()) {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  const thisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return (thisYear ? day : dayWithYear)().format(at);
}

/** The time of today, the weekday of the last six days, else the date. */
export function formatWhen(at, now = Date.now()) {
  const days = Math.round((startOfDay(now) - startOfDay(at)) / 86_400_000);
  if (days <= 0) return formatTime(at);
  if (days < 7) return weekday().format(at);
  const thisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return (thisYear ? shortDay : month)().format(at);
}

export function startOfDay(at) {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** Changes when days and times are to be written anew. */
export const dayStamp = () => `${startOfDay(Date.now())} ${timeZone()}`;

export function formatBytes(bytes) {
  if (bytes == null) return "–";
  if (bytes < 1024) return `${count().format(bytes)} bytes`;
  return bytes < 1024 ** 2 ? `${count().format(Math.round(bytes / 1024))} KiB` : `${count().format(Math.round(bytes / 1024 ** 2))} MiB`;
}

export const formatClock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/**
 * By this person's own choice, else by theirs. Who calls themselves like somebody else here (`namesake`) has the start of the address behind
 * the name.
 */
export function displayName({ fingerprint, name, their_name, request, namesake }) {
  const start = `${fingerprint.slice(0, 4)} ${fingerprint.slice(4, 8)}`;
  if (name) return name;
  if (!their_name && request) return `New: ${start}`;
  return namesake === false ? their_name || NAMELESS : `${their_name || NAMELESS} (${start})`;
}

export function shortAddress({ fingerprint }) {
  return `3233:${fingerprint.slice(0, 8)}…${fingerprint.slice(28, 32)}`;
}

export function plural(number, noun) {
  return `${formatCount(number)} ${noun}${number === 1 ? "" : "s"}`;
}

const UNITS = [[86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

/** `1 day`, `3 hours 12 minutes`: the largest unit, and the next one. */
export function formatSpan(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  const largest = UNITS.findIndex(([size]) => size <= whole);
  const counts = UNITS.map(([size, noun], at) => [Math.floor((at ? whole % UNITS[at - 1][0] : whole) / size), noun]);
  return counts.slice(largest, largest + 2).filter(([number]) => number).map(([number, noun]) => plural(number, noun)).join(" ");
}

// People see the order of arrival on this device. Clocks differ, and are set; a time says only when.

/** One without messages stands where its time falls. */
export function newestFirst(contacts, now = Date.now()) {
  const touched = ({ last_at, added_at }) => Math.min(last_at || added_at, now);
  const written = contacts.filter(({ last_seq }) => last_seq).sort((a, b) => b.last_seq - a.last_seq);
  const silent = contacts.filter(({ last_seq }) => !last_seq).sort((a, b) => touched(b) - touched(a));
  const order = [];
  while (written.length && silent.length) order.push((touched(silent[0]) >= touched(written[0]) ? silent : written).shift());
  return [...order, ...written, ...silent];
}

/**
 * For each message `{begins, apart}`: whether its day's line stands above it, and whether it is of another day than the line that it stands
 * under. No day has two, or a clock that is wrong by days would get one a message.
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
