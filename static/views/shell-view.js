// The frame around the views: the rail, which on a phone is three tabs and the
// screen "Me", and the menu of the list's head.
import { asMenu, copy, showMenu } from "./dialogs.js";
import { byId, on } from "./dom.js";
import { canScan, scan } from "./qr.js";

/** One screen at a time; style.css says the same. */
export const PHONE = matchMedia("(max-width: 47.99em), (max-height: 29.99em)");

const RAIL = ["tab-newchat", "tab-chats", "tab-library", "tab-keys", "tab-server", "tab-about", "tab-me", "railFoot"];
const IN_ME = ["tab-newchat", "tab-keys", "tab-server", "tab-about"];

export class ShellView {
  #router;

  constructor(client, router) {
    this.#router = router;
    asMenu(byId("listMenu"));
    on(byId("listMenuOpen"), "click", () => showMenu(byId("listMenu"), byId("listMenuOpen")));
    on(byId("listPaste"), "click", () => this.#offerField());
    byId("listScan").hidden = !canScan();
    on(byId("listScan"), "click", () => this.#scan());
    on(byId("listInvite"), "click", () => invite(client.inviteLink()));
    on(PHONE, "change", () => this.#arrange());
    this.#arrange();
  }

  /** The router came to "Me", which is a phone's. */
  show() {
    if (!PHONE.matches) this.#router.replace("/newchat", false);
  }

  /** Each button is in the page once: on the rail and in the list's menu, or in "Me". The focus stays on what is moved. */
  #arrange() {
    const focused = document.activeElement;
    if (PHONE.matches) {
      byId("meViews").append(...IN_ME.map(byId));
      byId("meFoot").append(byId("railFoot"));
      byId("meShortcuts").append(byId("shortcuts"));
    } else {
      byId("viewTabs").append(...RAIL.map(byId));
      byId("listMenu").append(byId("shortcuts"));
      if (this.#router.view === "me") this.show();
    }
    focused.focus({ preventScroll: true });
  }

  #offerField() {
    this.#router.go("/newchat");
    byId("openChatFp").focus();
  }

  /** What was scanned goes where a link is pasted, and is opened from there. */
  async #scan() {
    const found = await scan("Scan an invite");
    if (found === null) return;
    this.#offerField();
    byId("openChatFp").value = found;
    byId("openChatForm").requestSubmit();
  }
}

/** Hands my link to an app where the browser can, else to the clipboard. */
function invite(url) {
  return navigator.share ? share(url) : copy(url, "Invite link");
}

/** Opens the share sheet; whoever closes it wanted that. */
export async function share(url) {
  try {
    await navigator.share({ title: "Chat with me on io3233", url });
  } catch (error) {
    if (error.name !== "AbortError") await copy(url, "Invite link");
  }
}
