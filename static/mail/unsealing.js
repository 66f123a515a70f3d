/**
 * Opens what was sealed once more, and does what it says (PROTOCOL.md, "Envelope 2"). Nothing is learnt from a message that was refused or
 * came before. `page`: of mail that is being stored.
 */
import { MOST_IDS, readContent } from "../protocol/content.js";
import { cameUnsealed, isForged, isHeardOf, mayResend, missed, opened, without } from "../protocol/devices.js";
import { openBody } from "../protocol/envelope2.js";
import { readName } from "../protocol/text.js";
import { counting, fits, newContact } from "../store/contacts.js";
import { result } from "../store/database.js";
import { isListed, isWanted } from "../store/messages.js";
import { keepFile, keepPart, sentPart } from "./files.js";
import { forgetWords, queueAgain, queuePost, sentPost } from "./posts.js";
import { findMessage } from "./references.js";

export async function unseal(page, message, contact) {
  if (await page.isSeen(message)) return;
  const session = await page.session(contact);
  const found = openBody(message, page.device, session.keys);
  const content = found && readContent(found.content);
  if (!found) await miss(page, message, contact, session);
  else if (content.reason) await page.add({ ...message, kind: "refused", reason: content.reason });
  else await take(page, message, contact, { session, key_id: found.key_id, content });
}

/** A goodbye of a device never heard of is not to be told of as a new one. */
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
  await TAKE[content.type](page, key_id || !session.sealed ? message : { ...message, unsealed: true }, content, keeper);
}

/** A stranger is asked for nothing, so of them it shows that something came. */
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

/** A new device is told of in a line, except with somebody's first message. Who was verified is to be asked about it. */
async function tellNew(page, { from, id, announced, at }, contact, session) {
  if (!announced || isHeardOf(session, announced.device)) return;
  const seen = await result(page.stores.seen.getAllKeys(IDBKeyRange.bound(`${from} `, `${from}!`), 2));
  const wrote = seen.some((key) => key !== `${from} ${id}`); // this one may be among them
  if (wrote || session.devices.length > 0) await page.line(contact, { event: contact.verified ? "verified-device" : "device", at });
}

export async function hearUnsealed(page, message) {
  const known = await page.contact(message.from);
  const session = await page.session(known ?? { fingerprint: message.from });
  if (message.kind === "refused" || (!message.announced && session.devices.length === 0)) return {};
  if (known) await tellNew(page, message, known, session);
  page.setSession(cameUnsealed(session, message.announced, Date.now()));
  return session.sealed ? { unsealed: true } : {};
}

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

/** It would not know of this one. The person is told wherever it reads along from now on. */
async function welcome(page, { from, at }) {
  await queuePost(page.stores, from, { type: "hello" });
  for (const contact of await page.acquainted()) await page.line(contact, { event: "own-device", at });
}

function missMine(page, message, session) {
  page.miss(message);
  page.setSession(missed(session, message, Date.now()));
}

// All in the transaction that stores the page. `mail`: the opened envelope.

/** They begin a thread, and so a request. */
const isWords = ({ type }) => type === "text" || type === "file" || type === "unknown";

const besides = ({ re, lasts }, from, me) => ({ ...(re && { re: { of: re.of, quote: re.quote, mine: (re.by ?? from) === me } }), ...(lasts && { lasts }) });

const change = (page, mail, content, contact) => page.change({ ...content, contact: contact.fingerprint, id: mail.id, ts: mail.ts, author: mail.from });

const TAKE = {
  text: (page, mail, content, contact) => page.put({ ...mail, kind: "text", text: content.text, name: readName(content.name) }, contact, besides(content, mail.from, page.me)),
  file: (page, mail, content, contact) =>
    keepFile(page, { contact, direction: "in", content }, (file) =>
      page.put({ ...mail, kind: "text", text: content.text ?? "", name: "" }, contact, { ...besides(content, mail.from, page.me), ...file })),
  part: (page, mail, content, contact) => keepPart(page, { contact: contact.fingerprint, direction: "in", content }),
  unknown: (page, mail, content, contact) => page.put({ ...mail, kind: "unknown", text: "", name: "" }, contact, {}),
  edit: (page, mail, content, contact) => change(page, mail, { ...content, mine: false }, contact),
  delete: (page, mail, content, contact) => change(page, mail, { ...content, mine: false }, contact),
  react: (page, mail, { by = mail.from, ...content }, contact) => change(page, mail, { ...content, mine: by === page.me }, contact),
  setting(page, mail, { lasts }, contact) {
    if (mail.ts <= (contact.lasts_ts ?? 0)) return undefined;
    return page.line({ ...contact, lasts, lasts_ts: mail.ts }, { event: "timer", lasts, at: mail.at });
  },
  async receipt(page, mail, { delivered, read }, contact) {
    for (const id of [...delivered, ...read]) {
      const record = await findMessage(page.stores, contact.fingerprint, id, true);
      const news = { delivered_at: record?.delivered_at ?? mail.at, ...(read.includes(id) && page.receipts && { read_at: record?.read_at ?? mail.at }) };
      if (record && (!record.delivered_at || (news.read_at && !record.read_at))) await page.changed({ ...record, ...news });
    }
  },
  profile: (page, mail, { name }, contact) => page.rename(contact, readName(name)),
  hello: () => undefined,
  async goodbye(page, { announced }, content, contact) {
    page.setSession(without(await page.session(contact), announced.device));
  },
  async resend(page, mail, { ids }, contact) {
    const session = await page.session(contact);
    const later = [];
    for (const id of ids) if ((await sendAgain(page, session, mail, id)) === "ask") later.push(id);
    if (later.length > 0) page.setSession({ ...session, wanted: { device: mail.announced.device, ids: [...new Set([...(session.wanted?.ids ?? []), ...later])].slice(-MOST_IDS) } });
  },
};

async function sendAgain({ stores, me }, session, { announced, from }, id, now = Date.now()) {
  const record = await findMessage(stores, from, id, true);
  const sent = record?.state === "relayed" && !record.deleted_at ? record : ((await sentPost(stores, from, id)) ?? (await sentPart(stores, from, me, id)));
  const may = sent?.queued_for === undefined && sent !== undefined && mayResend(session, announced.device, sent, now);
  if (may === true) queueAgain(stores, sent, from, id);
  return may;
}

/** What another device of mine wrote shows as mine. `chat`: in whose thread; without one it is about the devices themselves. */
async function takeFromMine(page, mail, { chat, ...content }) {
  if (["goodbye", "resend"].includes(content.type)) return TAKE[content.type](page, mail, content, { fingerprint: page.me });
  if (!chat || chat === page.me || !(content.type in MINE)) return undefined;
  const contact = (await page.contact(chat)) ?? newContact(chat, { relay: page.home });
  return MINE[content.type](page, mail, content, contact);
}

const MINE = {
  text: putMine,
  file: (page, mail, content, contact) =>
    keepFile(page, { contact: { ...contact, request: false }, direction: "out", content }, (file) => putMine(page, mail, content, contact, file)),
  part: (page, mail, content, contact) => keepPart(page, { contact: contact.fingerprint, direction: "out", content }),
  edit: (page, mail, content, contact) => change(page, mail, { ...content, mine: true }, contact),
  async delete(page, mail, content, contact) {
    await change(page, mail, { ...content, mine: true }, contact);
    await forgetWords(page.stores, [contact.fingerprint, page.me], content.of);
  },
  react: (page, mail, { by = page.me, ...content }, contact) => change(page, mail, { ...content, mine: by === page.me }, contact),
  setting: TAKE.setting,
};

/** A restored backup's history has it already. */
async function putMine(page, mail, { text = "", ...content }, contact, file) {
  if (await findMessage(page.stores, contact.fingerprint, mail.id, true)) return undefined;
  const gone = content.lasts && (file ? { was_read: true } : { gone_at: mail.at + content.lasts * 1000 });
  return page.putMine(mail, { ...contact, open: true, request: false }, { text, ...besides(content, page.me, page.me), ...gone, ...file });
}
