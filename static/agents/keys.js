// Shortcuts of one key: never while typing, never with a modifier, and the agent can switch them off.

const OFF = "cordboard.keys-off";
const PANELS = ["presence", "offers", "tasks", "queue"];

const ACTIONS = {
  a: () => nearest("accept", "offers")?.click(),
  r: () => nearest("reject", "offers")?.click(),
  g: () => nearest("grab", "queue")?.click(),
  w: () => nearest("wrap", "tasks", true)?.click(),
  c: () => nearest("complete", "tasks", true)?.click(),
  m: openActivities,
  "?": () => document.getElementById("help").showModal(),
};

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
 * The button of this kind on the card in focus, else the first one that can be pressed.
 * @param {boolean} sure without focus only where there is no doubt which one is meant
 */
function nearest(key, panelId, sure = false) {
  const pressable = `[data-key="${key}"]:not([aria-disabled="true"])`;
  const card = document.activeElement?.closest?.(".card, .row");
  const own = card?.querySelector(`[data-key="${key}"]`);
  if (own) return own;
  const all = document.querySelectorAll(`#${panelId} ${pressable}`);
  return sure && all.length > 1 ? null : all[0];
}

function openActivities() {
  const menu = document.getElementById("activity-menu");
  menu.open = true;
  (menu.querySelector("[aria-current]") ?? menu.querySelector("button")).focus();
}
