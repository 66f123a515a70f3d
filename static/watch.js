// A classic script, so that it runs whatever becomes of the modules: it shows
// what the page says of itself (#notStarted) where they did not start it.
(() => {
  const LONGEST_START_MS = 20_000;
  const failed = () => document.documentElement.toggleAttribute("data-failed", true);
  const tooLong = setTimeout(failed, LONGEST_START_MS);
  const lost = ({ target }) => target instanceof HTMLElement && target.matches("script, link[rel=stylesheet], link[rel=modulepreload]") && failed();

  addEventListener("error", lost, true); // a file that did not come, or came altered
  addEventListener("io3233-started", () => {
    clearTimeout(tooLong);
    removeEventListener("error", lost, true);
    document.documentElement.removeAttribute("data-failed");
  });
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("reloadPage").addEventListener("click", (event) => {
      event.preventDefault();
      location.reload();
    });
  });
})();
