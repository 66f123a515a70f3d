/**
 * The octets of files, in parts as they travel. What is told of them is in `file` of the message: the header's fields, `have` (how many
 * parts are here), `sent` (of an own one: how many a relay took), and `state`: "" while it comes, "here" (whole, and its hash is right),
 * "damaged", "cancelled" (the person wants no more of it), "held" (of a stranger: not kept), "gone" (not in the backup that was restored).
 */
import { result } from "./database.js";

const partsOf = (seq) => IDBKeyRange.bound([seq], [seq, []]);

export const deleteParts = ({ parts }, seq) => parts.delete(partsOf(seq));

/** The records of a file's parts, in order. */
export const readParts = ({ parts }, seq) => result(parts.getAll(partsOf(seq)));

/** Which parts of a file are here, by number. */
export const numbersOf = async ({ parts }, seq) => (await result(parts.getAllKeys(partsOf(seq)))).map(([, n]) => n);

/** The message with this file from a contact ("in"), or to them ("out"); or undefined. */
export const findFile = ({ messages }, contact, direction, id) => result(messages.index("file").get([contact, direction, id]));

/** Whether part `n` of a file is one that still has to come. */
export async function isWanted({ messages, parts }, contact, direction, { file, n }) {
  const record = await findFile({ messages }, contact, direction, file);
  return record?.file.state === "" && n < record.file.parts && (await result(parts.count([record.seq, n]))) === 0;
}

/** All octets of a file whose parts are here. */
export async function readOctets(store, seq) {
  const records = await store.db.read(["parts"], (stores) => readParts(stores, seq));
  return new Uint8Array(await new Blob(records.map(({ octets }) => octets)).arrayBuffer());
}
