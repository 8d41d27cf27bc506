// Logging out: held completions are sent first, and an available agent is asked in a dialog.

import { gettext } from "../shared/messages.js";
import * as holding from "./holding.js";
import { freeze, toLogin } from "./panels.js";
import { toast } from "../shared/toasts.js";

export function start() {
  const dialog = document.getElementById("log-out");
  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-log-out]");
    if (!form) return;
    event.preventDefault();
    await logOut(form.action, new FormData(form, event.submitter), dialog);
  });
  dialog.addEventListener("click", (event) => {
    if (!event.target.closest("[data-closes]")) return;
    event.preventDefault();
    dialog.close();
  });
}

async function logOut(address, body, dialog) {
  try {
    await holding.flush();
    freeze(true);
    const headers = { "X-Requested-With": "desk" };
    const answer = await fetch(address, { method: "POST", body, headers, redirect: "manual" });
    if (answer.status !== 200) return toLogin(); // a redirect, or already logged out
    freeze(false);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    dialog.replaceChildren(...page.body.childNodes);
    dialog.showModal();
  } catch {
    freeze(false);
    toast(gettext("No answer from the server. You are still logged in."));
  }
}
