/** What is wrong with the browser's storage, as the person reads it. */
export const SENTENCES = {
  forbidden:
    "This browser does not let the page store anything here, so keys and messages can't be kept. Allow site data for this page, or leave private browsing, and reload it.",
  slow: "The browser does not open what is stored here yet. Close this page where it is open in other tabs. Nothing is lost.",
  lost: "The browser closed this page's storage. It is opened again by itself; what you type is kept meanwhile.",
  stuck: "The browser does not open this page's storage. It is tried on by itself, but often only a reload helps, or free space on the disk. What you typed is kept.",
  full: "This device has no room left: free some space, and all goes on by itself. What is stored stays, and what you type is kept.",
  outdated: "This page is open in another tab in a newer version: reload this one. What you typed is kept.",
  dropped: "The browser deleted what was stored here.",
};

/** States that no waiting ends. */
export const FINAL = ["forbidden", "outdated", "dropped"];
