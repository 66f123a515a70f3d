// What I call myself: a field in each place where one asks for it, all of one setting.
import { attempt, byId, on, say } from "./dom.js";
import { notice } from "./toast.js";

const FORMS = { myNameForm: "myNameStatus", meNameForm: "meNameStatus", settingNameForm: "settingNameStatus" };

export class MyNameView {
  #client;

  constructor(client) {
    this.#client = client;
    for (const [form, status] of Object.entries(FORMS)) on(byId(form), "submit", (event) => this.#save(event, byId(status)));
    on(client.settings, "change", ({ detail }) => detail.name === "name" && this.#show());
    this.#show();
  }

  async #save(event, status) {
    event.preventDefault();
    const { elements, submitter = elements[1] } = event.target;
    say(status, "");
    const saved = await attempt(submitter, status, async () => {
      await this.#client.settings.callMyself(elements[0].value);
      return true;
    });
    if (saved) notice(this.#client.settings.get("name") ? "Name saved" : "You go without a name");
    else elements[0].focus();
  }

  #show() {
    for (const form of Object.keys(FORMS)) byId(form).elements[0].value = this.#client.settings.get("name");
  }
}
