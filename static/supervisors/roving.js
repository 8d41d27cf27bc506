// A table is one Tab stop. Arrow keys go from row to row, and along the controls of a row.

const ROWS = "[data-row], :scope > li";
const CONTROLS = "a[href], button, input, summary";

/** Return the rows of a table or a list. */
function rowsOf(table) {
  return [...table.querySelectorAll(ROWS)];
}

/** Return the controls of a row; those of its closed menus are not among them. */
function controlsOf(row) {
  return [...row.querySelectorAll(CONTROLS)].filter((each) => !each.closest(".menu__list"));
}

function apply() {
  document.querySelectorAll("[data-rows]").forEach(applyTo);
}

/** Make one row of a table its Tab stop: that with the focus, else the one before, else the first. */
function applyTo(table) {
  const rows = rowsOf(table);
  const current = rows.find((row) => row.contains(document.activeElement)) ?? rows.find((row) => row.tabIndex === 0) ?? rows[0];
  for (const row of rows) {
    setTabIndex(row, row === current ? 0 : -1);
    for (const each of controlsOf(row)) setTabIndex(each, -1);
  }
}

/** Make the row with the focus the Tab stop, before another key is pressed. */
function follow({ target }) {
  const table = target.closest("[data-rows]");
  if (table) applyTo(table);
}

function setTabIndex(element, value) {
  if (element.getAttribute("tabindex") !== String(value)) element.tabIndex = value;
}

/** Move the focus by an arrow key; return whether it had a meaning here. */
function move(key, target) {
  const row = target.closest("[data-row], [data-rows] > li");
  const table = row?.closest("[data-rows]");
  if (!table || target.closest(".menu__list") || target.matches("input:not([type=checkbox]), select, textarea")) return false;
  const forward = getComputedStyle(table).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
  switch (key) {
    case "ArrowDown":
      return step(rowsOf(table), row, 1);
    case "ArrowUp":
      return step(rowsOf(table), row, -1);
    case "Home":
      return focus(rowsOf(table)[0]);
    case "End":
      return focus(rowsOf(table).at(-1));
    case "ArrowLeft":
    case "ArrowRight":
      return step([row, ...controlsOf(row)], target === row ? row : target, key === forward ? 1 : -1);
    case "Enter":
      row.querySelector("a[href]")?.click();
      return target === row;
    default:
      return false;
  }
}

function step(all, current, by) {
  const visible = all.filter((each) => each.checkVisibility());
  return focus(visible[visible.indexOf(current) + by]);
}

function focus(element) {
  if (!element) return true;
  element.focus();
  element.scrollIntoView({ block: "nearest", inline: "nearest" });
  return true;
}

export function start() {
  apply();
  // New controls leave the Tab order before a key can reach them.
  new MutationObserver(apply).observe(document.getElementById("content"), { childList: true, subtree: true });
  document.addEventListener("focusin", follow);
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.key === "Enter" && !event.target.matches("[data-row], [data-rows] > li")) return;
    if (move(event.key, event.target)) event.preventDefault();
  });
}
