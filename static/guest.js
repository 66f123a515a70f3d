// A classic script behind the composer, so that whoever opens an invite link reads whom it leads to, and can write, before any module has
// come. What they write outlives a reload, and is handed over.
document.getElementById("welcomeHost").textContent = location.host; // or all below moves later
(() => {
  const ITEM = "io3233_guest";
  const PLACE = /^#chat=[0-9a-f]{64}(&at=\d+)?$/i; // the page's own, see router.js
  const PLAIN_NAME = /^(?!.*\p{M}{5})[\p{L}\p{N}][\p{L}\p{M}\p{N} .'’-]{0,63}$/u; // of what readName takes, what needs no second look
  const SHORT = 24; // a longer name would make the field grow
  const given = [location.hash.slice(1), location.search].map((text) => new URLSearchParams(text));
  const invite = given.find((parameters) => parameters.has("chat") || parameters.has("fp"));
  const fingerprint = (invite?.get("chat") ?? invite?.get("fp") ?? "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(fingerprint) || PLACE.test(location.hash)) return;

  const byId = (id) => document.getElementById(id);
  const claimed = (invite.get("name") ?? "").normalize("NFC").trim();
  const name = PLAIN_NAME.test(claimed) ? claimed : "";
  const [form, field] = [byId("composer"), byId("chatBody")];
  const listening = new AbortController();
  const kept = read();
  const sent = [];

  function read() {
    try {
      return JSON.parse(sessionStorage.getItem(ITEM)) ?? {};
    } catch (error) {
      console.warn("What was written before a reload can't be read:", error.message);
      return {};
    }
  }

  function keep(text) {
    try {
      if (text) sessionStorage.setItem(ITEM, JSON.stringify({ fingerprint, text }));
      else sessionStorage.removeItem(ITEM);
    } catch (error) {
      console.warn("What is written is kept in this page only:", error.message);
    }
  }

  const written = () => [...sent, field.value].filter(Boolean).join("\n");

  function draw(text) {
    const [line, bubble] = [document.createElement("div"), document.createElement("div")];
    line.className = "chat-line chat-line-out head tail";
    bubble.className = "chat-bubble";
    bubble.dir = "auto";
    bubble.append(text);
    line.append(bubble);
    byId("chatMessages").append(line);
  }

  function fillAvatar(avatar) {
    avatar.textContent = name.slice(0, name.codePointAt(0) > 0xffff ? 2 : 1).toUpperCase();
    avatar.style.setProperty("--hue", Math.round((parseInt(fingerprint.slice(0, 2), 16) * 360) / 256));
  }

  function send(event) {
    event.preventDefault();
    const text = field.value;
    field.focus();
    if (!text.trim()) return;
    sent.push(text);
    field.value = "";
    draw(text);
    keep(written());
  }

  function show() {
    document.documentElement.toggleAttribute("data-guest", true);
    document.body.dataset.view = "chats";
    document.body.toggleAttribute("data-thread", true);
    for (const id of ["view-chats", "chatThread", "guestCard"]) byId(id).hidden = false;
    byId("chatEmptyHint").hidden = true;
    for (const place of [byId("threadName"), byId("guestRow").querySelector("bdi")]) place.textContent = name || "Private chat";
    for (const avatar of [byId("threadAvatar"), byId("guestAvatar"), byId("guestRow").querySelector(".avatar")]) fillAvatar(avatar);
    byId("guestTitle").textContent = name ? `Opening your chat with ${name}…` : "Opening your private chat…";
    byId("guestText").textContent = `Only ${name ? `you and ${name}` : "the two of you"} can read it. No account, no phone number.`;
    byId("guestName").placeholder = `Your name (${name || "they"} see${name ? "s" : ""} it)`;
    field.placeholder = name && name.length <= SHORT ? `Say hello to ${name}…` : "Say hello…";
    if (kept.fingerprint === fingerprint) field.value = kept.text;
  }

  const { signal } = listening;
  form.addEventListener("submit", send, { signal });
  field.addEventListener("input", () => keep(written()), { signal });
  field.addEventListener("keydown", (event) => event.key === "Enter" && !event.isComposing && event.keyCode !== 229 && !event.shiftKey && send(event), { signal });
  byId("guestForm").addEventListener("submit", (event) => event.preventDefault(), { signal });
  show();

  /** From now on somebody else listens. Returns what was written. */
  function end() {
    const all = { fingerprint, sent, typed: field.value };
    listening.abort();
    keep("");
    delete window.guest;
    document.documentElement.removeAttribute("data-guest");
    return all;
  }
  window.guest = { fingerprint, end };
})();
