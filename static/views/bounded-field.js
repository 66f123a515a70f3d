// A field that takes no more than can be sent: browsers freeze over megabytes of text, at every key and at every return to them.
import { byId, on, say } from "./dom.js";

/** Says where more is put into the composer than its maxLength lets in (the browser takes what fits), and where a paste has no text. */
export function tellWhatDoesNotFit() {
  const field = byId("chatBody");
  // Later, for what is typed clears what was said.
  const tell = (sentence) => setTimeout(say, 0, byId("chatSendStatus"), sentence, "bad");
  on(field, "beforeinput", ({ data }) => {
    if ((data ?? "").length > room(field)) tell(`This is longer than a message can be: of what you put in, the first ${room(field)} characters are here.`);
  });
  on(field, "paste", ({ clipboardData: { files, types } }) => {
    if (files.length && !types.includes("text/plain")) tell("Only text can be sent: what you pasted has none.");
  });
}

const room = ({ maxLength, value, selectionStart, selectionEnd }) => maxLength - value.length + selectionEnd - selectionStart;
