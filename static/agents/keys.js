// Single-key shortcuts: not while typing, not with a modifier, and the agent can change them or turn
// them off.

import * as holding from "./holding.js";
import * as shifts from "./shifts.js";

const AGAIN_MS = 700; // time in which the same key does not press another button
const PANELS = ["presence", "offers", "tasks", "queue"];

/** What each action does, by its name. */
export const ACTIONS = {
  accept: () => press(nearest("accept", "offers")),
  reject: () => press(nearest("reject", "offers")),
  grab: () => press(nearest("grab", "queue")),
  wrap: () => press(nearest("wrap", "tasks", true)),
  complete: () => press(nearest("complete", "tasks", true)),
  undo: () => holding.undo(),
  transfer: () => press(nearest("transfer", "tasks", true)),
  next: () => goToTask(1),
  previous: () => goToTask(-1),
  activities: openActivities,
  channels: goToChannels,
  search: () => document.getElementById("queue-search")?.focus(),
  help: () => document.getElementById("help").showModal(),
};

/** For each key the name of its action; the agent chooses the keys on their own page. */
const names = new Map(Object.entries(JSON.parse(document.body.dataset.keys)).map(([name, key]) => [key, name]));

let last = { key: "", button: "", at: -Infinity };

export function start() {
  showKeys();
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.hidden = false;
    button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
  }
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const action = ACTIONS[names.get(event.key.toLowerCase())] ?? panelAction(event.key);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** Let the style sheet show the keys on buttons, which stay when a panel is redrawn. */
function showKeys() {
  const { style, dataset } = document.documentElement;
  for (const [key, name] of names) style.setProperty(`--key-${name}`, JSON.stringify(key.toUpperCase()));
  if (names.size > 1) dataset.keys = "on";
}

function isTyping(target) {
  return target.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable]") ?? false;
}

function panelAction(key) {
  const panel = names.size > 1 && document.getElementById(PANELS[Number(key) - 1]);
  if (!panel) return undefined;
  return () => {
    panel.scrollIntoView({ block: "nearest" });
    const first = panel.querySelector(".card button, .row button:not([aria-disabled='true']), summary");
    (first ?? panel.querySelector("[tabindex='-1']")).focus();
  };
}

/**
 * Return the button of this kind on the card in focus, else the first enabled one.
 * @param {boolean} sure without focus, only if the button is unambiguous
 */
function nearest(key, panelId, sure = false) {
  const card = document.activeElement?.closest?.(".card, .row");
  if (card?.matches(`#${panelId} *`)) return card.querySelector(`[data-key="${key}"]`);
  const all = document.querySelectorAll(`#${panelId} [data-key="${key}"]:not([aria-disabled="true"])`);
  return sure && all.length > 1 ? null : all[0];
}

/** Press a button, unless another one was first in its panel a moment ago. */
function press(button) {
  if (!button || button.closest("[data-held]")) return;
  const { key } = button.dataset;
  const now = performance.now();
  const again = key === last.key && button.id !== last.button && now - last.at < AGAIN_MS;
  const inFocus = button.closest(".card, .row").contains(document.activeElement);
  if (again || (shifts.isSettling(button) && !inFocus)) return;
  last = { key, button: button.id, at: now };
  button.click();
}

function openActivities() {
  const menu = document.getElementById("activity-menu");
  menu.open = true;
  (menu.querySelector("[aria-current]") ?? menu.querySelector("button")).focus();
}

function goToTask(step) {
  const cards = [...document.querySelectorAll("#tasks .card")];
  const focused = cards.indexOf(document.activeElement?.closest(".card"));
  const next = focused === -1 && step < 0 ? cards.length - 1 : focused + step;
  const card = cards[Math.min(Math.max(next, 0), cards.length - 1)];
  card?.scrollIntoView({ block: "nearest" });
  card?.focus();
}

function goToChannels() {
  document.getElementById("channels").open = true;
  document.querySelector("#channels .switch")?.focus();
}
