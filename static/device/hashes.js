/** SHA-256 of every client file as this relay serves it, for people who compare them with another source. */
import { sha256 } from "../protocol/crypto.js";
import { toHex, utf8 } from "../protocol/encoding.js";
import { BadAnswerError, NetworkError } from "../protocol/errors.js";

const WORKER = "sw.js"; // names all other files; the one list of them

/**
 * `{combined, files: [{path, sha256, bytes}]}`, sorted by path. `combined` is the SHA-256 of the lines "<sha256>  <path>\n", which is
 * what the relay prints at its start.
 */
export async function clientHashes() {
  const names = [...shellFiles(new TextDecoder().decode(await fetchFile(WORKER))), WORKER].sort();
  const files = await Promise.all(names.map(hashFile));
  const listing = files.map((file) => `${file.sha256}  ${file.path}\n`).join("");
  return { combined: toHex(sha256(utf8(listing))), files };
}

function shellFiles(source) {
  const [, list] = /const FILES = (\{[^}]*\});/.exec(source) ?? [];
  if (!list) throw new BadAnswerError("sw.js does not list the client's files.", { origin: location.origin });
  return Object.keys(JSON.parse(list)).map((path) => path.slice(1));
}

async function hashFile(path) {
  const bytes = await fetchFile(path);
  return { path, sha256: toHex(sha256(bytes)), bytes: bytes.length };
}

async function fetchFile(path) {
  const response = await fetch(`/${path}`).catch((cause) => {
    throw new NetworkError("The client's files can't be fetched now. Try again when the server is reachable.", { origin: location.origin, cause });
  });
  if (!response.ok) throw new BadAnswerError(`/${path} is missing on this server (${response.status}).`, { origin: location.origin, status: response.status });
  return new Uint8Array(await response.arrayBuffer());
}
