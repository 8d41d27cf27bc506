// The command palette (Ctrl+K): finds commands, activities, tasks, and receivers of a transfer.

import { ACTIONS } from "./keys.js";

const MOST = 12; // entries shown at once

let dialog, input, list;
let entries = [];
let chosen = 0;

export function start() {
  dialog = document.getElementById("palette");
  input = dialog.querySelector("input");
  list = dialog.querySelector("[role=listbox]");
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) open();
  });
  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) choose(chosen + steps[event.key]);
    else if (event.key === "Enter") run(entries[chosen]);
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", ({ target }) => {
    const option = target.closest("[role=option]");
    if (option) run(entries[[...list.children].indexOf(option)]);
  });
}

function open() {
  input.value = "";
  show();
  dialog.showModal();
}

function show() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = findAll().filter(({ name, hint }) => {
    const text = `${name} ${hint}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  entries = [...found, ...(words.length ? forText(input.value.trim()) : [])].slice(0, MOST);
  list.replaceChildren(...entries.map(drawOption));
  choose(0);
}

/** Return everything that has a name of its own. */
function findAll() {
  const tasks = [...document.querySelectorAll("#offers .card, #tasks .card, #queue .row")].map((card) => ({
    name: card.querySelector("[id^=title-]").textContent.trim(),
    hint: document.getElementById(`${card.closest("[data-panel]").id}-title`).firstChild.textContent.trim(),
    run: () => goTo(card),
  }));
  const activities = [...document.querySelectorAll("#activity-menu .menu__list button")].map((button) => ({
    name: button.querySelector(".activity").textContent.trim(),
    hint: dialog.dataset.activity,
    run: () => button.click(),
  }));
  const commands = [...dialog.querySelectorAll("[data-action]")].map(({ dataset }) => ({
    name: dataset.name,
    hint: dataset.key,
    run: ACTIONS[dataset.action],
  }));
  const pages = [...dialog.querySelectorAll("[data-page]")].map((link) => ({
    name: link.textContent,
    hint: "",
    run: () => link.click(),
  }));
  return [...tasks, ...activities, ...commands, ...pages];
}

/** Return the entries that look for a text elsewhere. */
function forText(text) {
  const find = (id) => () => {
    const field = document.getElementById(id);
    if (!field) return;
    field.value = text;
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const found = [{ name: dialog.dataset.find.replace("%s", text), hint: "", run: find("queue-search") }];
  const links = document.querySelectorAll("#tasks [data-key=transfer]");
  const focused = document.querySelector("#tasks .card:focus-within [data-key=transfer]");
  const link = focused ?? (links.length === 1 ? links[0] : null);
  if (link) {
    const run = () => {
      document.addEventListener("transfer-open", find("transfer-search"), { once: true });
      link.click();
    };
    found.push({ name: dialog.dataset.transfer.replace("%s", text), hint: "", run });
  }
  return found;
}

function drawOption({ name, hint }, index) {
  const option = document.createElement("li");
  option.id = `palette-${index}`;
  option.role = "option";
  option.className = "palette__one";
  const words = document.createElement("bdi");
  words.textContent = name;
  const more = document.createElement("span");
  more.className = "palette__hint";
  more.textContent = hint;
  option.append(words, more);
  return option;
}

function choose(index) {
  chosen = Math.min(Math.max(index, 0), entries.length - 1);
  for (const [number, option] of [...list.children].entries()) {
    option.ariaSelected = String(number === chosen);
    if (number === chosen) option.scrollIntoView({ block: "nearest" });
  }
  dialog.querySelector("[data-none]").hidden = entries.length > 0;
  if (entries.length) input.setAttribute("aria-activedescendant", `palette-${chosen}`);
  else input.removeAttribute("aria-activedescendant");
}

/** Close first: the focus returns to the card that a command is about. */
function run(entry) {
  if (!entry) return;
  dialog.close();
  entry.run();
}

function goTo(card) {
  card.scrollIntoView({ block: "center" });
  card.focus();
}
