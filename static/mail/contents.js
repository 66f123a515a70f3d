/**
 * What each type of content does to what is kept here. `page` is the page of mail that is being stored (arrivals.js), `mail` the opened
 * envelope; all of it happens in the transaction that stores the page.
 */
import { mayResend, without } from "../protocol/devices.js";
import { MOST_IDS } from "../protocol/content.js";
import { readName } from "../protocol/names.js";
import { newContact } from "../store/store.js";
import { keepFile, keepPart, sentPart } from "./parts.js";
import { findMessage } from "./references.js";
import { forgetWords, queuePost, sentPost } from "./posts.js";
import { contentOf } from "./sealing.js";

/** Types that begin a thread, and so a request. */
export const isWords = ({ type }) => type === "text" || type === "file" || type === "unknown";

/** Takes one content of a contact. `contact` is its record, which the page keeps. */
export function takeContent(page, mail, content, contact) {
  return TAKE[content.type](page, mail, content, contact);
}

/** What a text or a file has beside its words; `from` is who wrote it. */
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

/** Queues what was sent before, under its own id. */
export function queueAgain(stores, sent, contact, id) {
  const resent = (sent.resent ?? 0) + 1;
  if (sent.part) stores.parts.put({ ...sent.part, resent });
  if (sent.part) return queuePost(stores, contact, sent.content, { id, at: sent.at, seq: sent.part.seq });
  if (sent.content) return stores.posts.put({ ...sent, resent, queued_for: contact, copied: false });
  stores.messages.put({ ...sent, resent });
  return queuePost(stores, contact, contentOf(sent), { id, at: sent.at, ...(sent.file && { seq: sent.seq }) });
}

/**
 * Takes a content from another device of mine: what it wrote shows here as written by me. `chat` says in whose thread; without one it
 * is about the devices themselves.
 */
export async function takeFromMine(page, mail, { chat, ...content }) {
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

/** What is in the history of a restored backup is here already. */
async function putMine(page, mail, { text = "", ...content }, contact, file) {
  if (await findMessage(page.stores, contact.fingerprint, mail.id, true)) return undefined;
  const gone = content.lasts && (file ? { was_read: true } : { gone_at: mail.at + content.lasts * 1000 });
  return page.putMine(mail, { ...contact, open: true, request: false }, { text, ...besides(content, page.me, page.me), ...gone, ...file });
}
