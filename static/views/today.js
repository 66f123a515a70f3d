// "Today" lasts until midnight, and times are those of where the person is: both may change while the page is open.
import { on } from "./dom.js";
import { dayStamp } from "../protocol/format.js";

const LOOK_MS = 20_000;

/** Calls `listener` soon after the day or the time zone has changed, and before anybody who comes back to the page sees it. */
export function whenDayChanges(listener) {
  let told = dayStamp();
  const look = () => {
    const before = told;
    told = dayStamp();
    if (told !== before) listener();
  };
  setInterval(look, LOOK_MS);
  for (const [target, type] of [[document, "visibilitychange"], [window, "focus"], [window, "pageshow"]]) on(target, type, look);
}
