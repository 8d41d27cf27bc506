// Some links lead to a page with choices; this script opens them in a dialog over the desk instead.

import { toLogin } from "./panels.js";
import { toast } from "./toasts.js";

export function start() {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-asks]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    await open(link);
  });
  for (const button of document.querySelectorAll("dialog [data-closes]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
}

async function open(link) {
  const dialog = document.getElementById(link.dataset.asks);
  try {
    const answer = await fetch(link.href, { headers: { "X-Requested-With": "desk" }, cache: "no-store" });
    if (answer.status === 401) return toLogin();
    if (answer.status === 404) return toast("This is no longer possible. Please look again.");
    if (!answer.ok) throw new Error(`${link.pathname}: ${answer.status}`);
    const fetched = new DOMParser().parseFromString(await answer.text(), "text/html");
    dialog.querySelector("[data-choices]").replaceChildren(...fetched.body.childNodes);
    dialog.showModal();
  } catch {
    toast("No answer from the server. Please try again.");
  }
}
