// Short messages at the foot of the page, read out by screen readers, gone after a while.

const STAYS = 7000;

/** Have screen readers read out something that the page shows in another way. */
export function say(words) {
  document.getElementById("told").textContent = words;
}

export function toast(words) {
  const list = document.getElementById("toasts");
  if ([...list.children].some((older) => older.firstChild.textContent === words)) return;
  for (const older of [...list.children].slice(0, -2)) older.remove();
  const note = document.createElement("div");
  note.className = "toast";
  const text = document.createElement("span");
  text.textContent = words;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "OK";
  close.addEventListener("click", () => note.remove());
  note.append(text, close);
  list.append(note);
  // It waits while somebody is about to press its button.
  const leave = () => (note.matches(":hover, :focus-within") ? setTimeout(leave, 1000) : note.remove());
  setTimeout(leave, STAYS);
}
