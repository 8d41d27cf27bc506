// Some links lead to a page with choices; this script opens them in a dialog over the desk instead.

import { gettext } from "../shared/messages.js";
import { toLogin } from "./panels.js";
import { toast } from "../shared/toasts.js";

export function start() {
  document.addEventListener("click", async (event) => {
    const closes = event.target.closest("dialog [data-closes]");
    const link = event.target.closest("a[data-asks]");
    if (!closes && (!link || event.ctrlKey || event.metaKey || event.shiftKey)) return;
    event.preventDefault();
    if (closes) closes.closest("dialog").close();
    else await open(link);
  });
}

async function open(link) {
  const dialog = document.getElementById(link.dataset.asks);
  const part = await fetchPart(link.href);
  if (!part) return;
  dialog.querySelector("[data-choices]").replaceChildren(...part.body.childNodes);
  for (const button of dialog.querySelectorAll("[data-without-script]")) button.hidden = true;
  dialog.showModal();
  document.dispatchEvent(new Event(`${dialog.id}-open`));
}

/** Fetch a part of a page as a document; without one, a toast has said why. */
export async function fetchPart(address) {
  try {
    const answer = await fetch(address, { headers: { "X-Requested-With": "desk" }, cache: "no-store" });
    if (answer.status === 401) return toLogin();
    if (answer.status === 404) return toast(gettext("This is no longer possible. Please look again."));
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return toast(gettext("No answer from the server. Please try again."));
  }
}
