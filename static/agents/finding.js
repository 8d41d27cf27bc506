// What the command palette of the desk finds: commands, activities, tasks, receivers of a transfer.

import { gettext } from "../shared/messages.js";
import { ACTIONS } from "./keys.js";

/** Return everything that has a name of its own. */
export function findAll() {
  const tasks = [...document.querySelectorAll("#offers .card, #tasks .card, #queue .row")].map((card) => ({
    name: card.querySelector("[id^=title-]").textContent.trim(),
    hint: document.getElementById(`${card.closest("[data-panel]").id}-title`).firstChild.textContent.trim(),
    run: () => goTo(card),
  }));
  const activities = [...document.querySelectorAll("#activity-menu .menu__list button")].map((button) => ({
    name: button.querySelector(".activity").textContent.trim(),
    hint: gettext("activity"),
    run: () => button.click(),
  }));
  const commands = [...palette().querySelectorAll("[data-action]")].map(({ dataset }) => ({
    name: dataset.name,
    hint: dataset.key,
    run: ACTIONS[dataset.action],
  }));
  const pages = [...palette().querySelectorAll("[data-page]")].map((link) => ({
    name: link.textContent,
    hint: "",
    run: () => link.click(),
  }));
  return [...tasks, ...activities, ...commands, ...pages];
}

/** Return the entries that look for a text elsewhere. */
export function forText(text) {
  const find = (id) => () => {
    const field = document.getElementById(id);
    if (!field) return;
    field.value = text;
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const found = [{ name: gettext("Find “%(text)s” in waiting tasks", { text }), hint: "", run: find("queue-search") }];
  const links = document.querySelectorAll("#tasks [data-key=transfer]");
  const focused = document.querySelector("#tasks .card:focus-within [data-key=transfer]");
  const link = focused ?? (links.length === 1 ? links[0] : null);
  if (link) {
    const run = () => {
      document.addEventListener("transfer-open", find("transfer-search"), { once: true });
      link.click();
    };
    found.push({ name: gettext("Transfer to a colleague or queue called “%(text)s”", { text }), hint: "", run });
  }
  return found;
}

function palette() {
  return document.getElementById("palette");
}

function goTo(card) {
  card.scrollIntoView({ block: "center" });
  card.focus();
}
