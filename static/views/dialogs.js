// What lies on top of the page, in the order in which it was opened: modal dialogs, and the panels and searches that openOnTop is told
// of. A phone's Back gesture reaches them by a close watcher (a modal <dialog> has one by itself), where the browser has such; any other
// step back asks here first, see router.js.

let opened = []; // {isOpen, close, place}

export function showModal(dialog) {
  push({ isOpen: () => dialog.open, close: () => dialog.close() });
  dialog.showModal();
}

/** Says that something is open that is no dialog: `close()` is called by Back and Escape. Returns what to call when it was closed. */
export function openOnTop(close) {
  let isOpen = true;
  const watcher = globalThis.CloseWatcher && new CloseWatcher();
  const closed = () => {
    isOpen = false;
    watcher?.destroy();
  };
  const layer = { isOpen: () => isOpen, close: () => (closed(), close()) };
  if (watcher) watcher.onclose = layer.close;
  push(layer);
  return closed;
}

/** Closes the one on top. Returns the address that it was opened at, or "" where none is open. */
export function closeTopmost() {
  const topmost = opened.findLast(({ isOpen }) => isOpen());
  topmost?.close();
  return topmost?.place ?? "";
}

/** Closes all: the person has gone elsewhere. */
export function closeDialogs() {
  while (closeTopmost());
}

function push(layer) {
  opened = [...opened.filter(({ isOpen }) => isOpen()), { ...layer, place: location.href }];
}
