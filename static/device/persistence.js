/** Whether the browser keeps what is stored here until the person deletes it, or may throw it away when space runs short. */
export class Persistence {
  /** True, false, or null where the browser does not say. */
  async granted() {
    return (await navigator.storage?.persisted?.()) ?? null;
  }

  /** Asks the browser, which may ask the person. Resolves to what granted() then says. */
  async ask() {
    return (await navigator.storage?.persist?.()) ?? null;
  }
}
