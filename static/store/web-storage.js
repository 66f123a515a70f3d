/** localStorage and sessionStorage, or, where they are switched off, forbidden or full, something that keeps nothing: the page needs neither. */
const NOTHING = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };

export const localItems = () => storageOf("localStorage");
export const sessionItems = () => storageOf("sessionStorage");

function storageOf(name) {
  try {
    return globalThis[name] ?? NOTHING;
  } catch (error) {
    console.debug(`No ${name}:`, error.message);
    return NOTHING;
  }
}

/** False where it was not kept. */
export function keepItem(items, name, text) {
  try {
    items.setItem(name, text);
    return true;
  } catch (error) {
    console.debug(`${name} is not kept:`, error.message);
    return false;
  }
}
