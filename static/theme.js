// A classic script, so that the page never paints in the wrong theme: it runs
// before the body is parsed. "system" (the default) follows the system.
(() => {
  const PREFERENCE = "io3233_theme";
  const PAGE_COLOURS = { light: "#f6f5f1", dark: "#121715" };
  const system = matchMedia("(prefers-color-scheme: dark)");

  function preference() {
    try {
      return localStorage.getItem(PREFERENCE) ?? "system";
    } catch {
      return "system"; // storage is forbidden: follow the system
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
