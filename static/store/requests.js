/** Promises around IndexedDB's requests and transactions. */

/** One request's result. */
export const result = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What `work` gives, once the transaction is through. */
export async function settled(transaction, names, work) {
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new DOMException("aborted", "AbortError"));
  });
  const stores = Object.fromEntries(names.map((name) => [name, transaction.objectStore(name)]));
  const working = (async () => work(stores))();
  const [value] = await Promise.all([working, ended]);
  return value;
}

export function abortIfActive(transaction) {
  try {
    transaction.abort();
  } catch (error) {
    if (error.name !== "InvalidStateError") throw error; // it had already ended
  }
}
