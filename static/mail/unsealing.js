/**
 * Opens what was sealed once more, and keeps what it says of the sender's devices (PROTOCOL.md, "Envelope 2"). Nothing is learnt from a
 * message that was refused or that came before. `page` is the page of mail that is being stored.
 */
import { readContent } from "../protocol/content.js";
import { cameUnsealed, isForged, isHeardOf, missed, opened } from "../protocol/devices.js";
import { openBody } from "../protocol/envelope2.js";
import { result } from "../store/database.js";
import { isListed } from "../store/messages.js";
import { isWanted } from "../store/parts.js";
import { isWords, takeContent, takeFromMine } from "./contents.js";
import { queuePost } from "./posts.js";
import { counting, fits } from "./strangers.js";

/** Takes an envelope 2 of `contact`, a record that is new where the sender is a stranger. */
export async function unseal(page, message, contact) {
  if (await page.isSeen(message)) return;
  const session = await page.session(contact);
  const found = openBody(message, page.device, session.keys);
  const content = found && readContent(found.content);
  if (!found) await miss(page, message, contact, session);
  else if (content.reason) await page.add({ ...message, kind: "refused", reason: content.reason });
  else await take(page, message, contact, { session, key_id: found.key_id, content });
}

/** Whether a device says goodbye that was never heard of: it is not to be told of as a new one. */
const isStranger = (session, { announced }, { type }) => type === "goodbye" && !isHeardOf(session, announced.device);

async function take(page, message, contact, { session, key_id, content }) {
  if (isStranger(session, message, content)) return;
  const known = await page.contact(message.from);
  const words = isWords(content);
  if (!words && !(known && (key_id || !session.sealed))) return; // a stranger begins with words; and who only has my key changes none
  if (content.type === "part" && !(await isWanted(page.stores, message.from, "in", content))) return;
  if (!fits(contact, { text: "", ...content })) return void page.count({ dropped: true });
  if (known && key_id) await tellNew(page, message, known, session);
  if (content.type !== "part") page.see(message); // a part is known by being there
  page.setSession(key_id ? opened(session, message, key_id, Date.now()) : cameUnsealed(session, null, Date.now()));
  const kept = (await page.contact(message.from)) ?? contact;
  const keeper = words ? { ...kept, public_key: message.public_key, open: isListed(kept) } : counting(kept, { text: content.text ?? "" });
  page.setContact(keeper);
  await takeContent(page, key_id || !session.sealed ? message : { ...message, unsealed: true }, content, keeper);
}

/** It is asked for. A stranger is asked for nothing, so of them it shows that something came. */
async function miss(page, message, contact, session) {
  if (session.unopened.some(({ id }) => id === message.id)) return page.miss(message);
  if (!fits(contact, { text: "" })) return page.count({ dropped: true });
  const known = await page.contact(message.from);
  if (known) await tellNew(page, message, known, session);
  const forged = known && !known.request && !session.warned && isForged(session, page.device, message.keys);
  if (forged) await page.line((await page.contact(message.from)) ?? contact, { event: "impostor", at: message.at });
  page.setSession({ ...missed(session, message, Date.now()), warned: session.warned || forged });
  page.miss(message);
  return contact.request ? page.line(counting((await page.contact(message.from)) ?? contact, { text: "" }), { event: "unopened", at: message.at }) : undefined;
}

/** A device that is heard of for the first time is told of in a line, except with somebody's first message. Who was verified is to be asked about it. */
async function tellNew(page, { from, id, announced, at }, contact, session) {
  if (!announced || isHeardOf(session, announced.device)) return;
  const seen = await result(page.stores.seen.getAllKeys(IDBKeyRange.bound(`${from} `, `${from}!`), 2));
  const wrote = seen.some((key) => key !== `${from} ${id}`); // this one may be marked already
  if (wrote || session.devices.length > 0) await page.line(contact, { event: contact.verified ? "verified-device" : "device", at });
}

/** What a message in v1's form says of the devices. Returns the fields that mark it. */
export async function hearUnsealed(page, message) {
  const known = await page.contact(message.from);
  const session = await page.session(known ?? { fingerprint: message.from });
  if (message.kind === "refused" || (!message.announced && session.devices.length === 0)) return {};
  if (known) await tellNew(page, message, known, session);
  page.setSession(cameUnsealed(session, message.announced, Date.now()));
  return session.sealed ? { unsealed: true } : {};
}

/** Takes what another device of mine wrote. */
export async function unsealMine(page, message) {
  const { announced, from } = message;
  if (announced.device === page.device || (await page.isSeen(message))) return;
  const session = await page.session({ fingerprint: from });
  const found = openBody(message, page.device, session.keys);
  const content = found && readContent(found.content);
  if (content?.reason || (found && !found.key_id && content.type !== "hello")) return void page.count({ dropped: false });
  if (content && isStranger(session, message, content)) return;
  if (!isHeardOf(session, announced.device)) await welcome(page, message);
  if (!found) return void missMine(page, message, session);
  if (content.type === "part" && !(await isWanted(page.stores, content.chat ?? "", "out", content))) return;
  if (content.type !== "part") page.see(message);
  page.setSession(found.key_id ? opened(session, message, found.key_id, Date.now()) : cameUnsealed(session, announced, Date.now()));
  await takeFromMine(page, message, content);
}

/** One that is heard of for the first time is greeted, or it would not know of this one; and told of wherever it reads along from now on. */
async function welcome(page, { from, at }) {
  await queuePost(page.stores, from, { type: "hello" });
  for (const contact of await page.acquainted()) await page.line(contact, { event: "own-device", at });
}

function missMine(page, message, session) {
  page.miss(message);
  page.setSession(missed(session, message, Date.now()));
}
