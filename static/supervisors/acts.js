// Commands: their dialogs open over the page, and the answer is a message with a way back. All of it
// also works as plain links and forms without this script.

import { announce } from "../shared/announcer.js";
import { gettext } from "../shared/messages.js";
import { toast } from "../shared/toasts.js";
import { staleAll } from "./panels.js";
import * as selection from "./selection.js";

const STAYS = 12000; // ms for which a result can be undone by its message
const POLL = 1000;
const HEADERS = { "X-Requested-With": "cockpit" };

let lastUndo = null;
let ofSelection = false; // whether the act that goes on is about the selection

const dialog = document.createElement("dialog");
dialog.className = "dialog act-dialog";
dialog.setAttribute("aria-labelledby", "act-title");
document.body.append(dialog);

document.addEventListener("click", (event) => {
  if (event.target.closest(".act-dialog [data-closes]")) {
    event.preventDefault();
    dialog.close();
    return;
  }
  const link = event.target.closest("a[data-act]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  link.closest("details")?.removeAttribute("open");
  ofSelection = false;
  if ("atOnce" in link.dataset) post(...splitAddress(link.href));
  else ask(link.href);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-act-form]")) {
    if (!dialog.contains(form)) return;
    event.preventDefault();
    post(form.action, new FormData(form), form.querySelector("button.button--main"));
  } else if (form === selection.bar) {
    event.preventDefault();
    ofSelection = true;
    ask(event.submitter.formAction, selection.fill(new FormData(form)));
  }
});

/** Show a dialog of the server. */
async function ask(address, body = null) {
  const answer = await send(address, body);
  if (answer) await show(answer);
}

async function post(address, body, button = null) {
  button?.setAttribute("aria-busy", "true");
  const answer = await send(address, body);
  button?.removeAttribute("aria-busy");
  if (answer) await show(answer);
}

async function send(address, body) {
  try {
    const method = body === null ? "GET" : "POST";
    const answer = await fetch(address, { method, body, headers: HEADERS, cache: "no-store" });
    if (answer.status !== 401) return answer;
    location.assign(document.body.dataset.login + "?next=" + encodeURIComponent(location.pathname + location.search));
  } catch {
    toast(gettext("No answer from the server. Please try again."));
  }
  return null;
}

/** Show what the server answers: a result, a refusal, or a dialog. */
async function show(answer) {
  const type = answer.headers.get("Content-Type") ?? "";
  if (type.startsWith("application/json")) {
    const reply = await answer.json();
    if (!reply.ok) return refuse(reply.error.message);
    dialog.close();
    if (ofSelection) selection.clear();
    staleAll(); // what one does oneself is shown at once, whatever the live connection does
    return tell(reply);
  }
  if (answer.status >= 500 || answer.status === 403 || answer.status === 404) {
    return refuse(gettext("This is no longer possible. Please look again."));
  }
  const part = new DOMParser().parseFromString(await answer.text(), "text/html");
  dialog.replaceChildren(...part.body.childNodes);
  if (!dialog.open) dialog.showModal();
  (dialog.querySelector("[aria-invalid=true], #act-typed, .act__field :is(input, select)") ?? dialog.querySelector("h1"))?.focus();
}

function refuse(words) {
  if (!dialog.open) return toast(words);
  let note = dialog.querySelector(".act__refused");
  if (!note) {
    note = document.createElement("p");
    note.className = "act__refused act__error";
    note.setAttribute("role", "alert");
    dialog.querySelector(".dialog__do")?.before(note);
  }
  note.textContent = words;
}

/** Show a result with the ways to undo it and to look at it. */
function tell({ words, undo, address }) {
  announce(words);
  lastUndo = undo;
  const list = document.getElementById("toasts");
  for (const older of [...list.children].slice(0, -2)) older.remove();
  const note = document.createElement("div");
  note.className = "toast";
  const text = document.createElement("span");
  text.textContent = words;
  note.append(text);
  if (undo) {
    const back = document.createElement("button");
    back.type = "button";
    back.textContent = gettext("Undo");
    back.addEventListener("click", () => {
      note.remove();
      undoLast(undo);
    });
    note.append(back);
  }
  const link = document.createElement("a");
  link.href = address;
  link.textContent = gettext("Show");
  note.append(link);
  list.append(note);
  const leave = () => (note.matches(":hover, :focus-within") ? setTimeout(leave, 1000) : note.remove());
  setTimeout(leave, STAYS);
}

function undoLast(address) {
  if (!address) return;
  lastUndo = null;
  ofSelection = false;
  const body = new FormData();
  body.set("csrfmiddlewaretoken", csrfToken());
  post(address, body);
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox]), select, textarea, dialog[open]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.body.dataset.singleKeys === "off") return;
  if (event.key === "u") undoLast(lastUndo);
  if (event.key === ".") openMenu(event.target.closest("[data-row]"));
});

/** Open the menu of a row, and put the focus on its first entry. */
function openMenu(row) {
  const menu = row?.querySelector("details.acts");
  if (!menu) return;
  menu.open = true;
  menu.querySelector("a")?.focus();
}

function csrfToken() {
  return document.querySelector("input[name=csrfmiddlewaretoken]").value;
}

/** Split a link into the address of the command, and a form with its arguments. */
function splitAddress(href) {
  const address = new URL(href);
  const body = new FormData();
  for (const [name, value] of address.searchParams) body.append(name, value);
  body.set("csrfmiddlewaretoken", csrfToken());
  address.search = new URLSearchParams({ workspace: address.searchParams.get("workspace") });
  return [address.href, body];
}

// --- The progress of an act ----------------------------------------------------------------------

async function follow() {
  const shown = document.querySelector("#batch[data-running]");
  if (!shown) return;
  const answer = await send(location.href, null);
  if (!answer?.ok) return void setTimeout(follow, 3 * POLL);
  const part = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("batch");
  if (!("running" in part.dataset)) return location.reload();
  shown.replaceWith(part);
  setTimeout(follow, POLL);
}

selection.start();
setTimeout(follow, POLL);
