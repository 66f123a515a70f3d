/** The client's version, as the footer and the about page show it. */
export const VERSION = "1.0.0";
