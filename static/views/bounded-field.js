// A field that takes no more than can be sent: browsers freeze over megabytes of text, at every key and at every return to them.
import { on } from "./dom.js";

/**
 * Calls `tell` with a sentence where more is put into `field` than its maxLength lets in (the browser takes what fits), and where
 * what is pasted has no text. Call it after listeners of "input" that clear what was told.
 */
export function tellWhatDoesNotFit(field, tell) {
  let refused = "";
  const say = () => refused && tell(refused);
  on(field, "beforeinput", ({ data }) => {
    refused = (data ?? "").length > room(field) ? `This is longer than a message can be: what fits is here, ${field.maxLength} characters in all.` : "";
    say(); // a full field takes nothing, and then no "input" comes
  });
  on(field, "input", say);
  on(field, "paste", ({ clipboardData }) => {
    if (clipboardData.files.length && !clipboardData.types.includes("text/plain")) tell("Only text can be sent: what you pasted has none.");
  });
}

const room = ({ maxLength, value, selectionStart, selectionEnd }) => (maxLength < 0 ? Infinity : maxLength - value.length + selectionEnd - selectionStart);
