// Short messages at the bottom of the page, announced by screen readers, removed after a while.

import { announce } from "./announcer.js";
import { gettext } from "./messages.js";

const STAYS = 7000;

export function toast(words) {
  if (show(words)) announce(words);
}

/** Show a message with a button that does something about it. */
export function offer(words, label, act) {
  if (show(words, label, act)) announce(words);
}

/** Show a message that is announced in another way; return whether it is not shown already. */
export function show(words, label = gettext("OK"), act = null) {
  const list = document.getElementById("toasts");
  if ([...list.children].some((older) => older.firstChild.textContent === words)) return false;
  for (const older of [...list.children].slice(0, -2)) older.remove();
  const note = document.createElement("div");
  note.className = "toast";
  const text = document.createElement("span");
  text.textContent = words;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = label;
  close.addEventListener("click", () => {
    note.remove();
    act?.();
  });
  note.append(text, close);
  list.append(note);
  // It stays while the pointer or the focus is on it.
  const leave = () => (note.matches(":hover, :focus-within") ? setTimeout(leave, 1000) : note.remove());
  setTimeout(leave, act ? 2 * STAYS : STAYS);
  return true;
}
