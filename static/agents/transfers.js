// "Transfer" links to a page; this script opens its choices in a dialog over the desk instead.

import { toLogin } from "./panels.js";
import { toast } from "./toasts.js";

export function start() {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-transfer]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    await open(link);
  });
  const dialog = document.getElementById("transfer");
  dialog.querySelector("[data-closes]").addEventListener("click", () => dialog.close());
}

async function open(link) {
  const dialog = document.getElementById("transfer");
  try {
    const answer = await fetch(link.href, { headers: { "X-Requested-With": "desk" }, cache: "no-store" });
    if (answer.status === 401) return toLogin();
    if (answer.status === 404) return toast("This task cannot be transferred any more.");
    if (!answer.ok) throw new Error(`transfer: ${answer.status}`);
    const fetched = new DOMParser().parseFromString(await answer.text(), "text/html");
    dialog.querySelector("[data-choices]").replaceChildren(...fetched.body.childNodes);
    dialog.showModal();
  } catch {
    toast("No answer from the server. Please try again.");
  }
}
