/**
 * Connections that can't be trusted. A device that slept, or came to another network, still holds some that look alive and swallow what
 * they are told, for half a minute and longer. So for a while after waking a question is asked again on another connection, and the first
 * answer counts: nothing has to be given up early on a network that is only slow.
 */
const DOUBT_MS = 10_000;
const AGAIN_AFTER_MS = 1000;
const MOST_AT_ONCE = 3; // browsers open six connections to a host, and something else may wait on the others

let woke_at = -Infinity;

export function doubtConnections() {
  woke_at = performance.now();
}

export const inDoubt = () => performance.now() - woke_at < DOUBT_MS;

function giveUpOldest(asked) {
  const [oldest] = asked;
  oldest.abort();
  asked.delete(oldest);
}

/**
 * The first answer to `ask(signal, begun)`, which only reads, so that asking twice changes nothing. `begun()` says that an answer has
 * begun: the others are then called off, for a large one must not be fetched five times over.
 */
export async function firstAnswer(ask) {
  const asked = new Set();
  const keepOnly = (asking) => asked.forEach((other) => other !== asking && other.abort());
  let timer;
  try {
    return await new Promise((resolve, reject) => {
      const askOnce = () => {
        const asking = new AbortController();
        asked.add(asking);
        if (asked.size > MOST_AT_ONCE) giveUpOldest(asked); // or all that a browser opens are dead ones
        const begun = () => asking.signal.aborted || (clearInterval(timer), keepOnly(asking));
        ask(asking.signal, begun).then(resolve, (error) => asking.signal.aborted || reject(error));
      };
      timer = setInterval(() => inDoubt() && askOnce(), AGAIN_AFTER_MS);
      askOnce();
    });
  } finally {
    clearInterval(timer);
    keepOnly(null);
  }
}
