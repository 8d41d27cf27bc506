// Single keys: off while typing, with a modifier, or if the user has switched them off.

import * as freshness from "./freshness.js";

const GO_MS = 1500; // time after `g` in which the next key leads to a page

let goUntil = 0;

const ACTIONS = {
  "/": () => (document.querySelector("[data-search]") ?? document.getElementById("channel-menu").firstElementChild).focus(),
  f: openFilters,
  j: () => goToRow(1),
  k: () => goToRow(-1),
  p: freshness.togglePause,
  "?": () => document.getElementById("help").showModal(),
};

export function start() {
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.hidden = false;
    button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
  }
  if (document.body.dataset.singleKeys !== "on") return;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (press(event)) event.preventDefault();
  });
}

function isTyping(target) {
  return target.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable]") ?? false;
}

/** Carry out a key; return whether it has a meaning here. */
function press({ key }) {
  const now = performance.now();
  if (now < goUntil) {
    goUntil = 0;
    const link = document.querySelector(`.rail [data-key="${CSS.escape(key)}"]`);
    link?.click();
    return Boolean(link);
  }
  if (key === "g") {
    goUntil = now + GO_MS;
    return true;
  }
  const action = ACTIONS[key];
  return action ? action() !== false : false;
}

function openFilters() {
  const sheet = document.getElementById("filters");
  if (sheet) {
    sheet.open = true;
    sheet.querySelector("select, input:not([type=hidden])").focus();
    return;
  }
  const menu = document.getElementById("channel-menu");
  menu.open = true;
  menu.querySelector("a").focus();
}

function rows() {
  return [...document.querySelectorAll("[data-rows] [data-row], [data-rows] > li")].filter((row) => row.checkVisibility());
}

function goToRow(step) {
  const all = rows();
  const current = all.indexOf(document.activeElement?.closest("[data-row], [data-rows] > li"));
  const row = all[current < 0 && step < 0 ? all.length - 1 : Math.min(Math.max(current + step, 0), all.length - 1)];
  if (!row) return false;
  row.focus();
  row.scrollIntoView({ block: "nearest" });
  return true;
}
