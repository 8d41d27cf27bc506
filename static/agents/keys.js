// Single-key shortcuts: not while typing, not with a modifier, and the agent can turn them off.

import * as holding from "./holding.js";
import * as shifts from "./shifts.js";

const AGAIN_MS = 700; // time in which the same key does not press another button
const OFF = "cordboard.keys-off";
const PANELS = ["presence", "offers", "tasks", "queue"];

const ACTIONS = {
  a: () => press(nearest("accept", "offers")),
  r: () => press(nearest("reject", "offers")),
  g: () => press(nearest("grab", "queue")),
  w: () => press(nearest("wrap", "tasks", true)),
  c: () => press(nearest("complete", "tasks", true)),
  u: () => holding.undo(),
  m: openActivities,
  "?": () => document.getElementById("help").showModal(),
};

let last = { key: "", button: "", at: -Infinity };

export function start() {
  const on = document.getElementById("keys-on");
  on.checked = !localStorage.getItem(OFF);
  on.addEventListener("change", () => {
    if (on.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.hidden = false;
    button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
  }
  document.addEventListener("keydown", (event) => {
    const help = event.key === "?";
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if ((!on.checked && !help) || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const action = ACTIONS[event.key.toLowerCase()] ?? panelAction(event.key);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function isTyping(target) {
  return target.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable]") ?? false;
}

function panelAction(key) {
  const panel = document.getElementById(PANELS[Number(key) - 1]);
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
