// Copy buttons beside telephone numbers and addresses in a task's attributes.

import { announce } from "../shared/announcer.js";
import { gettext } from "../shared/messages.js";
import { toast } from "../shared/toasts.js";

const SHOWN_MS = 2000;

export function start() {
  // The buttons are hidden without this script, as they would do nothing.
  document.documentElement.dataset.copies = "";
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const done = await copy(button.dataset.copy, button).catch(() => false);
    if (!done) return toast(gettext("The browser did not allow copying. Please select the text instead."));
    announce(gettext("Copied %(name)s", { name: button.dataset.name }));
    button.dataset.copied = "";
    setTimeout(() => delete button.dataset.copied, SHOWN_MS);
  });
}

/** Copy a text; pages without HTTPS have only the older way, by a selection. */
async function copy(text, button) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return true;
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  button.after(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  button.focus();
  return done;
}
