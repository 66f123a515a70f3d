// A classic script: it runs before the body is parsed, and whatever becomes of the modules.

// Shows what the page says of itself (#notStarted) where the modules did not start it, and keeps what is typed, sent and pressed before the
// views listen. Whoever has no keys here is welcomed at once.
(() => {
  const LONGEST_START_MS = 20_000;
  let held = "button[type=button], a[data-link]"; // what waits when it is pressed
  const letLinksGo = () => (held = "button[type=button]");
  const failed = () => (document.documentElement.toggleAttribute("data-failed", true), letLinksGo());
  const tooLong = setTimeout(failed, LONGEST_START_MS);
  const lost = ({ target }) => target instanceof HTMLElement && target.matches("script, link[rel=stylesheet], link[rel=modulepreload]") && failed();

  addEventListener("error", lost, true); // a file that did not come, or came altered
  addEventListener("io3233-started", () => {
    letLinksGo(); // the router follows them
    clearTimeout(tooLong);
    removeEventListener("error", lost, true);
    document.documentElement.removeAttribute("data-failed");
  });
  const isMarked = () => {
    try {
      return localStorage.getItem("io3233_address") !== null; // see store/browser.js
    } catch {
      return true; // storage is forbidden: nobody knows
    }
  };
  const isHome = /^\/(newchat\/?)?$/.test(location.pathname) && !location.search && !location.hash;
  document.documentElement.toggleAttribute("data-new", isHome && !isMarked());

  // Views may fill the fields as they begin; a form that nobody listens to is the browser's, which the CSP lets submit nothing.
  const [typed, sent] = [new Map(), new Set()];
  // What is on top, or says what is wrong, acts at once; a thread has guest.js.
  const isTheirs = (element) => element.closest("dialog, .notice, .lost, #chatThread");
  const keepText = ({ target }) => isTheirs(target) || (typed.set(target, target.value), sent.delete(target.form));
  // What is wired by then acts once, and not on a field that a view has just filled.
  const keepForm = (event) => {
    if (isTheirs(event.target)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    sent.add(event.target);
  };
  let pressed = null;
  const keepPress = (event) => {
    const element = event.target.closest(held);
    const opensTab = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (!opensTab && event.target.closest("a[data-link]")) pressed = null; // the newest press counts
    if (!element || isTheirs(element) || (opensTab && element.matches("a"))) return;
    event.preventDefault(); // a link would load the page anew, without what was typed
    event.stopImmediatePropagation();
    pressed = element;
  };
  addEventListener("click", keepPress, true);
  addEventListener("input", keepText);
  addEventListener("submit", keepForm, true);
  addEventListener("io3233-live", () => {
    removeEventListener("input", keepText);
    removeEventListener("submit", keepForm, true);
    removeEventListener("click", keepPress, true);
    for (const [field, text] of typed) {
      field.value = text;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    for (const form of sent) form.requestSubmit();
    pressed?.click();
  });

  addEventListener("DOMContentLoaded", () => {
    document.getElementById("reloadPage").addEventListener("click", (event) => {
      event.preventDefault();
      location.reload();
    });
  });
})();

// The page never paints in the wrong theme. "system" is the default.
(() => {
  const PREFERENCE = "io3233_theme";
  const PAGE_COLOURS = { light: "#f6f5f1", dark: "#121715" };
  const system = matchMedia("(prefers-color-scheme: dark)");

  function preference() {
    try {
      return localStorage.getItem(PREFERENCE) ?? "system";
    } catch {
      return "system";
    }
  }

  function apply(choice = preference()) {
    const dark = choice === "dark" || (choice === "system" && system.matches);
    const theme = dark ? "dark" : "light";
    document.documentElement.dataset.theme = theme;
    document.querySelector('meta[name="theme-color"]').content = PAGE_COLOURS[theme];
  }

  function choose(choice) {
    try {
      localStorage.setItem(PREFERENCE, choice);
    } catch (error) {
      console.warn("The theme lasts for this visit only:", error.message);
    }
    apply(choice);
  }

  system.addEventListener("change", () => apply());
  addEventListener("storage", (event) => event.key === PREFERENCE && apply());
  window.theme = { preference, choose };
  apply();
})();
