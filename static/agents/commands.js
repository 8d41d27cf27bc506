// Every button is a plain form; this script sends it over the socket instead, and shows progress.

import { gettext, ngettext } from "../shared/messages.js";
import * as holding from "./holding.js";
import { refresh, staleAll, toLogin } from "./panels.js";
import * as socket from "../shared/socket.js";
import { toast } from "../shared/toasts.js";

const NEEDS_ROOM = new Set(["task.grab", "worker.set_activity"]); // commands that a held task may block
const NO_ANSWER = gettext("No answer from the server. It is not certain whether that was done; please look.");

const OFFLINE = {
  ok: false,
  error: {
    reason: "offline",
    message: gettext("You are offline, so nothing was done. Please try again when you are back."),
  },
};

export function start() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-command]");
    if (!form) return;
    event.preventDefault();
    press(form, event.submitter ?? form.querySelector("button"));
  });
  holding.start(complete);
}

async function press(form, button) {
  if (button.getAttribute("aria-busy") === "true") return;
  if (form.dataset.command === "task.complete") {
    form.closest("dialog")?.close();
    return holding.hold(form);
  }
  if (NEEDS_ROOM.has(form.dataset.command) && holding.isHolding()) {
    button.setAttribute("aria-busy", "true");
    await holding.flush();
    await refresh("queue");
    button.removeAttribute("aria-busy");
  }
  if (button.getAttribute("aria-disabled") === "true") {
    const why = document.getElementById(button.getAttribute("aria-describedby").split(" ").at(-1));
    toast(why.textContent.trim());
    return;
  }
  const command = form.dataset.command;
  const fields = new FormData(form, button);
  form.closest("details.menu")?.removeAttribute("open");
  form.closest("dialog")?.close();
  if (command === "worker.set_activity" && leaves(button)) {
    if (!(await confirmLeaving(button))) return;
    fields.set("reject_offers", "true");
  }
  button.setAttribute("aria-busy", "true");
  try {
    let reply = await ask(form.action, command, fields);
    if (reply?.error?.reason === "offers_pending" && (await confirmLeaving(button))) {
      fields.set("reject_offers", "true");
      reply = await ask(form.action, command, fields);
    }
    if (!reply?.ok) toast(reply?.error?.message ?? NO_ANSWER);
    if (socket.isOpen() && reply) await refresh(form.dataset.refreshes ?? form.closest("[data-panel]")?.id ?? "tasks");
    else staleAll();
  } finally {
    // The panel may have been redrawn since, so look the button up again.
    const same = button.isConnected ? button : document.getElementById(button.id);
    same?.removeAttribute("aria-busy");
  }
}

/** Send a held completion; resolves to whether the server answered. */
async function complete(action, held) {
  const fields = new FormData();
  fields.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  for (const [name, value] of Object.entries(held)) fields.set(name, value);
  const { task } = held;
  const reply = await ask(action, "task.complete", fields);
  if (!reply) toast(NO_ANSWER);
  if (!reply || reply === OFFLINE) return false;
  // Another page, or a supervisor, may have completed it before.
  const done = reply.ok || ["not_now", "not_found"].includes(reply.error.reason);
  if (!done) {
    toast(reply.error.message);
    const card = document.getElementById(task);
    if (card) delete card.dataset.held;
  }
  await refresh("tasks").catch(staleAll);
  return true;
}

function ask(action, command, fields) {
  if (!navigator.onLine) return OFFLINE;
  if (!socket.isOpen()) return post(action, fields);
  const { csrfmiddlewaretoken, ...args } = Object.fromEntries(fields);
  return socket.send(command, args);
}

/** Without the socket, submit a command as a form. */
async function post(action, fields) {
  try {
    const headers = { "X-Requested-With": "desk" };
    const answer = await fetch(action, { method: "POST", body: fields, headers });
    if (answer.status === 401) return toLogin();
    return await answer.json();
  } catch {
    return null;
  }
}

function leaves(button) {
  const offered = Number(document.getElementById("presence").dataset.offered);
  return offered > 0 && button.dataset.available === "false";
}

/** Ask whether open offers may be rejected, in a native dialog, which manages the focus. */
function confirmLeaving(button) {
  const dialog = document.getElementById("leave");
  const offered = Number(document.getElementById("presence").dataset.offered);
  const activity = button.querySelector(".activity").textContent.trim();
  const rejects = ngettext(
    "Going to “%(activity)s” rejects your open offer, so that other agents can take it.",
    "Going to “%(activity)s” rejects your %(offers)s open offers, so that other agents can take them.",
    offered,
    { activity, offers: offered },
  );
  const keeps = gettext("You keep the tasks that you have accepted.");
  document.getElementById("leave-words").textContent = `${rejects} ${keeps}`;
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "leave"), { once: true });
    dialog.showModal();
  });
}
