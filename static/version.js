/** The client's version, as the footer and the about page show it. */
export const VERSION = "2.1.0";
