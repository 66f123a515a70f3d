// One contact, beside the chat where there is room, else over it.
import { confirmed, copy, notice, onClose, showModal, withdraw } from "./dialogs.js";
import { byId, fillAvatar, on, say } from "./dom.js";
import { displayName, formatSpan } from "../protocol/format.js";
import { canScan, drawQr, scan } from "./media.js";
import { safetyNumber } from "../protocol/crypto.js";

const SWITCHES = { contactVerified: "verified", contactMuted: "muted", contactBlocked: "blocked" };
const ROOMY = matchMedia("(min-width: 64em) and (min-height: 30em)");

export class ContactView {
  #client;
  #dialog = byId("contactDialog");
  #contact = null;

  constructor(client, archive) {
    this.#client = client;
    on(byId("contactNameForm"), "submit", (event) => this.#rename(event));
    for (const [id, field] of Object.entries(SWITCHES)) on(byId(id), "change", (event) => this.#switch(event.target, field));
    on(byId("contactTimer"), "change", ({ target }) => client.changes.setTimer(this.#contact.fingerprint, Number(target.value)).finally(() => this.#show(this.#contact)));
    on(byId("contactRemove"), "click", () => this.#remove());
    on(byId("contactCopy"), "click", () => copy(this.#contact.fingerprint, "Address"));
    on(byId("contactArchive"), "click", () => this.#archive(archive));
    on(byId("safetyScan"), "click", () => this.#compare());
    on(this.#dialog, "keydown", (event) => event.key === "Escape" && (event.preventDefault(), this.close()));
    onClose(this.#dialog, () => document.body.removeAttribute("data-contact"));
    on(client.store, "contact", ({ detail }) => this.#changed(detail.contact));
    on(client.store, "contact-removed", ({ detail, remote }) => remote && this.#removed(detail.fingerprint));
    byId("safetyScan").hidden = !canScan();
  }

  open(contact) {
    this.#fill(contact);
    byId("contactDetails").open = false;
    if (this.#dialog.open) return;
    if (!ROOMY.matches) return showModal(this.#dialog);
    document.body.toggleAttribute("data-contact", true);
    this.#dialog.show();
  }

  close() {
    this.#dialog.close();
  }

  follow(contact) {
    if (this.#dialog.open && contact.fingerprint !== this.#contact.fingerprint) this.#fill(contact);
  }

  #fill(contact) {
    say(byId("contactStatus"), "");
    byId("contactName").value = contact.name;
    this.#show(contact);
    this.#showSafetyNumber(contact);
    this.#dialog.scrollTop = 0;
  }

  #changed(contact) {
    if (!this.#dialog.open || contact.fingerprint !== this.#contact.fingerprint) return;
    const hadKey = this.#contact.public_key;
    this.#show(contact);
    if (!hadKey) this.#showSafetyNumber(contact);
  }

  // By another tab: no question about it can be answered any more.
  #removed(fingerprint) {
    if (!this.#dialog.open || fingerprint !== this.#contact.fingerprint) return;
    withdraw();
    this.close();
    notice(`${displayName(this.#contact)} was removed in another tab`);
  }

  #show(contact) {
    this.#contact = contact;
    const name = displayName(contact);
    fillAvatar(byId("contactAvatar"), contact, name);
    byId("contactTitle").textContent = name;
    byId("contactMark").textContent = contact.verified ? "✓ verified" : "not verified";
    byId("contactMark").classList.toggle("good", contact.verified);
    byId("contactCalls").hidden = !contact.their_name;
    byId("contactCallsName").textContent = contact.their_name;
    byId("contactArchive").hidden = contact.blocked; // it has no row
    byId("contactArchiveLabel").textContent = contact.open ? "Archive" : "Unarchive";
    byId("contactAddress").textContent = contact.fingerprint;
    byId("contactRelay").textContent = contact.relay;
    for (const [id, field] of Object.entries(SWITCHES)) byId(id).checked = contact[field];
    byId("contactVerified").disabled = byId("safetyScan").disabled = !contact.public_key;
    this.#showTimer(contact);
  }

  #showTimer({ lasts = 0, devices }) {
    const select = byId("contactTimer");
    select.querySelector("[data-chosen]")?.remove();
    select.value = lasts;
    if (select.value !== String(lasts)) select.append(unusual(lasts));
    select.disabled = !(devices > 0);
    byId("contactTimerHint").textContent = devices > 0 ? "On both sides, and for both of you." : "Once they have written with a client that can do this.";
  }

  async #archive(archive) {
    this.close();
    await archive(this.#contact);
  }

  /** The same number: nobody sits between, and that is kept. */
  async #compare() {
    const { fingerprint } = this.#contact;
    const [mine, theirs] = [byId("safetyNumber").textContent.replaceAll(" ", ""), await scan("Scan the code on their screen")];
    if (theirs === null || fingerprint !== this.#contact.fingerprint) return;
    if (theirs !== mine) return say(byId("contactStatus"), NOT_THE_SAME, "bad");
    await this.#client.store.updateContact(fingerprint, { verified: true });
    say(byId("contactStatus"), "The same number: verified.", "good");
  }

  #showSafetyNumber({ public_key }) {
    const box = byId("safetyQr");
    box.replaceChildren();
    const number = public_key && safetyNumber(this.#client.identity.public_key, public_key);
    byId("safetyNumber").textContent = number || "Shown as soon as the server has given their key.";
    if (number) drawQr(box, number.replaceAll(" ", ""));
  }

  async #rename(event) {
    event.preventDefault();
    await this.#client.store.updateContact(this.#contact.fingerprint, { name: byId("contactName").value.trim() });
    say(byId("contactStatus"), "Name saved on this device.", "good");
  }

  // Their mail may come meanwhile, and show the box as it was. In the end it shows what is stored.
  async #switch({ checked }, field) {
    const { fingerprint } = this.#contact;
    try {
      const agreed = field !== "blocked" || !checked || (await mayBlock(this.#contact));
      if (agreed) await this.#client.store.updateContact(fingerprint, { [field]: checked, ...(field === "blocked" && { request: false }) });
    } finally {
      this.#show(this.#contact);
    }
  }

  async #remove() {
    const agreed = await confirmed({
      title: `Remove ${displayName(this.#contact)}?`,
      text: "The contact, the name, the verified mark, the draft and all messages both ways are deleted from this device. This cannot be undone.",
      ok: "Remove with history",
      danger: true,
    });
    if (!agreed) return;
    this.close();
    await this.#client.store.removeContact(this.#contact.fingerprint);
  }
}

function unusual(lasts) {
  const option = new Option(formatSpan(lasts), lasts, false, true);
  option.dataset.chosen = "";
  return option;
}

export async function block(client, contact) {
  if (await mayBlock(contact)) await client.store.updateContact(contact.fingerprint, { blocked: true, request: false });
}

const NOT_THE_SAME =
  "This is not the same number. It may be another contact's code: let them open this chat and show theirs. If it is, somebody may sit between you.";

function mayBlock(contact) {
  return confirmed({
    title: `Block ${displayName(contact)}?`,
    text: "What they send is fetched and dropped: it cannot be read later, not even after you unblock them. They are not told.",
    ok: "Block",
    danger: true,
  });
}
