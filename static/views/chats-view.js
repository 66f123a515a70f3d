// Which thread is open: the address bar says it, and only the person changes it.
import { ChatSearch } from "./chat-search.js";
import { ComposerView } from "./composer-view.js";
import { ContactView, block } from "./contact-view.js";
import { byId, fillAvatar, icon, offerFocus, on, say } from "./dom.js";
import { ClientError } from "../protocol/errors.js";
import { displayName } from "../protocol/format.js";
import { takeInviteFromLocation } from "../protocol/address.js";
import { GuestView, openChat } from "./newchat-view.js";
import { FileRows } from "./files.js";
import { AskBar, MessageExtras } from "./message-extras.js";
import { MessageMenu } from "./message-menu.js";
import { PHONE, threadPath } from "./router.js";
import { notice } from "./dialogs.js";
import { ThreadView } from "./thread-view.js";

const touch = matchMedia("(pointer: coarse)");

export class ChatsView {
  #client;
  #router;
  #threads;
  #thread;
  #search;
  #composer;
  #panel;
  #guest;
  #asks;
  #contact = null;

  constructor(client, router, threads) {
    this.#client = client;
    this.#router = router;
    this.#threads = threads;
    this.#thread = new ThreadView(client);
    this.#search = new ChatSearch(client, this.#thread);
    this.#composer = new ComposerView(client);
    this.#panel = new ContactView(client, (contact) => threads.archive(contact));
    this.#guest = new GuestView(client);
    this.#asks = new AskBar(client);
    const find = (seq) => this.#thread.message(seq);
    new MessageMenu(client, find, () => ({ contact: this.#contact, answering: this.#composer.answering }));
    new FileRows(client, find);
    new MessageExtras(client, find, (seq) => this.#thread.open(this.#contact.fingerprint, displayName(this.#contact), { seq }));
    on(client.store, "contact", ({ detail }) => this.#contactChanged(detail.contact));
    on(client.store, "contact-removed", ({ detail }) => this.#contactRemoved(detail.fingerprint));
    on(client.relays, "relays", () => this.#showHead());
    on(byId("contactOpen"), "click", () => this.#contact && this.#panel.open(this.#contact)); // a guest has the head before it is anybody's
    on(byId("chatSearchOpen"), "click", () => this.search());
    on(byId("threadMenuOpen"), "click", ({ currentTarget }) => this.#showMenu(currentTarget));
    on(byId("contactSearch"), "click", () => this.#panel.close() || this.search());
    on(byId("requestAccept"), "click", () => client.store.updateContact(this.#contact.fingerprint, { request: false }));
    on(byId("requestBlock"), "click", () => block(client, this.#contact));
  }

  /** Nothing is awaited for a listed contact: what is typed or sent from here on is for them. */
  async show({ thread, seq, byPerson }) {
    const contact = thread && (this.#threads.contact(thread) ?? (await this.#client.store.contact(thread)));
    if (thread !== this.#router.place.thread) return; // the person has moved on
    if (thread && !mayShow(contact, seq)) return this.#refuse(contact);
    if (contact) return this.#open(contact, seq, byPerson);
    if (await this.#takeInvite()) return;
    if (this.#contact?.open && !PHONE.matches) return this.#router.replace(threadPath(this.#contact.fingerprint), byPerson);
    this.#close();
    if (byPerson && PHONE.matches) offerFocus(byId("listMenuOpen"), byId("threads")); // a list that has the focus stays as it is
  }

  search() {
    return this.#contact && this.#router.view === "chats" && this.#search.open(this.#contact);
  }

  #showMenu(anchor) {
    const { fingerprint } = this.#contact ?? {};
    if (this.#threads.contact(fingerprint)) this.#threads.showMenu(fingerprint, anchor, { contact: () => this.#panel.open(this.#contact), search: () => this.search() });
  }

  hide() {
    if (this.#contact?.blocked) this.#close(); // it is not come back to
    this.#thread.left();
    this.#client.showThread(null);
    if (this.#router.view === "chats") return;
    this.#panel.close();
    this.#search.keepFor(null);
    this.#composer.answering.leave();
  }

  async #open(contact, seq, byPerson) {
    const again = this.#thread.contact === contact.fingerprint && seq === null && !contact.unread;
    this.#contact = contact;
    this.#showHead();
    this.#setScreen(contact.fingerprint);
    this.#panel.follow(contact);
    this.#composer.open(contact); // before anything is awaited: what is typed from here on is theirs
    await (again ? this.#thread.shown() : this.#thread.open(contact.fingerprint, displayName(contact), { seq, unread: contact.unread }));
    if (contact.fingerprint !== this.#router.place.thread) return;
    if (byPerson) this.#focus();
    await this.#client.showThread(contact.fingerprint);
  }

  // A phone's keyboard would cover what the person came to read.
  #focus() {
    offerFocus(byId(touch.matches ? "threadName" : "chatBody"), byId("chatThread"));
  }

  /** An address without a relay is no invite: nobody who was removed or blocked comes back by the browser's history. */
  #refuse(contact) {
    this.#close();
    this.#router.replace("/chats", false);
    notice(contact ? "You blocked this contact: the settings list whom you blocked." : "This chat is not on this device. To open one, use an invite link or an address.");
  }

  #close() {
    this.#contact = null;
    this.#panel.close();
    this.#composer.close();
    this.#thread.clear();
    this.#setScreen(null);
    this.#client.showThread(null);
  }

  #setScreen(fingerprint) {
    this.#search.keepFor(fingerprint);
    byId("chatThread").hidden = !fingerprint;
    byId("chatEmptyHint").hidden = Boolean(fingerprint);
    document.body.toggleAttribute("data-thread", Boolean(fingerprint));
    this.#threads.active = fingerprint;
  }

  async #takeInvite() {
    const link = location.href;
    const invite = takeInviteFromLocation(location, history);
    if (!invite) return false;
    if (!window.guest) this.#close(); // a guest has the chat on screen
    try {
      if (invite.error) throw invite.error;
      const contact = await openChat(this.#client, invite);
      if (contact && window.guest) await this.#guest.saveName();
      if (contact && this.#waits()) this.#router.replace(threadPath(contact.fingerprint));
      else if (!contact && this.#waits()) this.#close();
    } catch (error) {
      if (window.guest && this.#waits()) this.#close();
      this.#explain(error, link);
    }
    return true;
  }

  // Looking somebody up takes a while: another thread may be open by then.
  #waits() {
    return this.#router.view === "chats" && !this.#router.place.thread;
  }

  /** The link is gone from the address bar: it is kept to be tried again, over a reload, too. */
  #explain(error, link) {
    if (!(error instanceof ClientError)) throw error;
    if (this.#waits()) this.#router.replace("/newchat");
    if (this.#router.view === "newchat") history.replaceState({ invite: link }, "", location.href);
    byId("openChatFp").value = link;
    say(byId("openChatStatus"), error.message, "bad");
    notice(error.message);
  }

  #contactChanged(contact) {
    if (contact.fingerprint !== this.#contact?.fingerprint) return;
    const renamed = displayName(contact) !== displayName(this.#contact);
    this.#contact = contact;
    this.#showHead();
    if (renamed) this.#thread.rename(displayName(contact));
  }

  #contactRemoved(fingerprint) {
    if (fingerprint !== this.#contact?.fingerprint) return;
    this.#close();
    if (this.#router.view === "chats") this.#router.replace("/chats");
  }

  #showHead() {
    const contact = this.#contact;
    if (!contact) return;
    byId("threadName").textContent = displayName(contact);
    fillAvatar(byId("threadAvatar"), contact, displayName(contact));
    byId("requestBar").hidden = !contact.request;
    byId("threadMenuOpen").hidden = contact.blocked; // it has no row
    this.#guest.show(contact);
    this.#asks.show(contact, displayName(contact));
    byId("threadDetail").replaceChildren(...marks(contact, this.#client.relays.home));
    this.#showBanner(this.#client.relays.get(contact.relay));
  }

  /** While their server can't be reached. What it asks or refuses is in the notice above. */
  #showBanner(relay) {
    const away = relay?.state === "offline";
    byId("banner").hidden = !away;
    if (away) byId("banner").textContent = `No connection to ${new URL(relay.origin).host}. Messages wait here and go by themselves.`;
  }
}

/** A blocked contact's messages are only read one by one, from the library. */
const mayShow = (contact, seq) => contact && (!contact.blocked || seq !== null);

function marks({ verified, muted, blocked, relay, invited, last_seq }, home) {
  const shown = invited && !last_seq ? [mark("", "invited you")] : [];
  shown.push(verified ? mark("check", "verified") : mark("", "not verified"));
  if (relay && relay !== home) shown.push(mark("", `via ${new URL(relay).host}`));
  if (muted) shown.push(mark("muted", "muted"));
  if (blocked) shown.push(mark("close", "blocked"));
  return shown;
}

function mark(name, words) {
  const element = document.createElement("span");
  element.className = `mark ${name && words}`;
  element.append(...(name ? [icon(name)] : []), words);
  return element;
}
