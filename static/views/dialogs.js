// Modal dialogs, in the order in which they were opened. Android's Back gesture
// closes the topmost by itself (a close watcher, which a modal <dialog> has
// there); any other step back asks here first, see router.js.

let opened = []; // {dialog, place}

export function showModal(dialog) {
  opened = [...opened.filter((other) => other.dialog.open), { dialog, place: location.href }];
  dialog.showModal();
}

/** Closes the one on top. Returns the address that it was opened at, or "" where none is open. */
export function closeTopmost() {
  const topmost = opened.findLast(({ dialog }) => dialog.open);
  topmost?.dialog.close();
  return topmost?.place ?? "";
}

/** Closes all: the person has gone elsewhere. */
export function closeDialogs() {
  while (closeTopmost());
}
