// The page is on screen before its modules listen. What a person does in that
// moment is held, and happens when they do, instead of being lost.

const REPLAY = {
  click: (event) => event.target.click(),
  submit: (event) => event.target.requestSubmit(event.submitter),
  input: (event) => event.target.dispatchEvent(new Event("input", { bubbles: true })),
};

/** Holds clicks, submits and input within `element`; returns what lets them go. */
export function holdActions(element) {
  const held = [];
  const hold = (event) => {
    if (event.target.closest("a")) return; // links work without a view
    if (event.type !== "input") event.preventDefault();
    event.stopImmediatePropagation();
    held.push(event);
  };
  for (const type of Object.keys(REPLAY)) element.addEventListener(type, hold, true);
  return () => {
    for (const type of Object.keys(REPLAY)) element.removeEventListener(type, hold, true);
    for (const event of held) REPLAY[event.type](event);
  };
}
