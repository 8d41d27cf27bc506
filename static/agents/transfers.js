// The transfer dialog: finds receivers while the agent types, and names the chosen one.

import { gettext } from "../shared/messages.js";
import { fetchPart } from "./questions.js";

const PAUSE = 200; // ms without typing before a search

let dialog;
let timer = 0;
let searches = 0;

export function start() {
  dialog = document.getElementById("transfer");
  dialog.addEventListener("input", ({ target }) => {
    if (target.name !== "search") return;
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE, target.form);
  });
  dialog.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-search]")) return;
    event.preventDefault();
    clearTimeout(timer);
    search(event.target);
  });
  dialog.addEventListener("change", nameReceiver);
}

/** Replace the receivers by those who match; the note and a choice that is still shown stay. */
async function search(form) {
  const number = ++searches;
  const chosen = dialog.querySelector("[name=to]:checked")?.value;
  const part = await fetchPart(`${form.action}?${new URLSearchParams(new FormData(form))}`);
  if (!part || number !== searches || !form.isConnected) return;
  dialog.querySelector("#transfer-receivers").replaceWith(part.getElementById("transfer-receivers"));
  const same = [...dialog.querySelectorAll("[name=to]")].find((radio) => radio.value === chosen);
  if (same) same.checked = true;
  nameReceiver();
}

/** Name the chosen receiver on the button, so that the press confirms the choice. */
function nameReceiver() {
  const chosen = dialog.querySelector("[name=to]:checked");
  dialog.querySelector("[data-send]").textContent = chosen
    ? gettext("Transfer to %(name)s", { name: chosen.dataset.name })
    : gettext("Transfer");
}
