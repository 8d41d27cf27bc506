// Some links lead to a page with choices; this script opens them in a dialog over the desk instead.

import { gettext } from "../shared/messages.js";
import { toLogin } from "./panels.js";
import { toast } from "../shared/toasts.js";

const DRAFT_AFTER_MS = 500;

const draft = { timer: 0, form: null, saved: Promise.resolve() };

export function start() {
  document.addEventListener("input", ({ target }) => {
    if (!target.form?.dataset.drafts) return;
    clearTimeout(draft.timer);
    draft.form = target.form;
    draft.timer = setTimeout(saveDraft, DRAFT_AFTER_MS);
  });
  document.addEventListener("close", saveDraft, true);
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
  saveDraft();
  await draft.saved;
  const part = await fetchPart(link.href);
  if (!part) return;
  dialog.querySelector("[data-choices]").replaceChildren(...part.body.childNodes);
  for (const button of dialog.querySelectorAll("[data-without-script]")) button.hidden = true;
  dialog.showModal();
  document.dispatchEvent(new Event(`${dialog.id}-open`));
}

/** Keep what was typed so far on the server: the task may end by itself before it is completed. */
function saveDraft() {
  clearTimeout(draft.timer);
  const { form } = draft;
  draft.form = null;
  if (!form) return;
  const address = form.dataset.drafts;
  const request = { method: "POST", body: new FormData(form), headers: { "X-Requested-With": "desk" }, keepalive: true };
  // One after the other, so that an older draft never replaces a newer one.
  draft.saved = draft.saved.then(() => fetch(address, request)).catch(() => {});
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
