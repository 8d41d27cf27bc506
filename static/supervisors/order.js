// Rows keep their order while the pointer, the focus or an open menu is in their table: values change,
// places do not. So a press never hits the row that has just moved under it.

import { ngettext } from "../shared/messages.js";

let released = false; // let go by the button, until the pointer or the focus has left
let waiting = 0;
const OPEN = "details.menu[open], [data-selected]";
const HOLDS = CSS.supports("selector(:popover-open)") ? `${OPEN}, :popover-open` : OPEN;

/**
 * Put the rows of a new panel into the order in which they are shown, where it is held.
 * @param {Element} panel as it is shown
 * @param {Element} next as it will be
 */
export function keep(panel, next) {
  const tables = [...panel.querySelectorAll("[data-rows]")];
  const coming = [...next.querySelectorAll("[data-rows]")];
  for (const [index, table] of tables.entries()) {
    if (coming[index] && isHeld(table)) hold(table, coming[index]);
  }
}

/** Return whether the order of a table is held. */
function isHeld(table) {
  if (released) return false;
  return table.matches(":hover, :focus-within") || table.querySelector(HOLDS) !== null;
}

function hold(table, coming) {
  const rows = [...coming.children].filter((row) => row.id);
  const shown = [...table.children].map((row) => row.id).filter(Boolean);
  const place = new Map(shown.map((id, index) => [id, index]));
  const ordered = [...rows].sort((one, other) => (place.get(one.id) ?? Infinity) - (place.get(other.id) ?? Infinity));
  const moved = rows.filter((row, index) => ordered[index] !== row).length;
  const after = rows.at(-1)?.nextSibling ?? null;
  for (const row of ordered) coming.insertBefore(row, after);
  show(moved);
}

function show(moved) {
  waiting = moved;
  const chip = document.getElementById("order-held");
  chip.hidden = !moved;
  chip.textContent = ngettext(
    "Order held, %(count)s would move",
    "Order held, %(count)s would move",
    moved,
    { count: moved },
  );
}

/** @param {() => void} refresh fetches what was held */
export function start(refresh) {
  const letGo = () => {
    released = true;
    show(0);
    refresh();
  };
  document.getElementById("order-held").addEventListener("click", letGo);
  const left = () => {
    released = false;
    if (waiting && !document.querySelector("[data-rows]:is(:hover, :focus-within)")) {
      show(0);
      refresh();
    }
  };
  document.addEventListener("pointerout", (event) => {
    const table = event.target.closest?.("[data-rows]");
    if (table && !table.contains(event.relatedTarget)) setTimeout(left);
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.closest("[data-rows]")) setTimeout(left);
  });
}
