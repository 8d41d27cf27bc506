// Prevent wrong presses: buttons that have just moved or appeared ignore the pointer for a moment.

import { gettext } from "../shared/messages.js";
import { toast } from "../shared/toasts.js";

const SETTLE_MS = 600;
const TOLERANCE_PX = 4;
const BUTTONS = ":is(.card, .row, .gauge, .happening) :is(button[id], a[data-asks])";

const timers = new Map(); // button id → timer that enables it again

export function start() {
  document.addEventListener("click", guard, true);
}

/** Run a change of the page, and mark every button that it moved or added. */
export function around(change) {
  const before = places();
  change();
  for (const [button, place] of places()) {
    const old = before.get(button);
    const moved = !old || Math.abs(old.top - place.top) + Math.abs(old.left - place.left) > TOLERANCE_PX;
    if (moved) settle(button);
  }
}

/** Return whether a button has just moved or appeared. */
export function isSettling(button) {
  return "settling" in button.dataset;
}

function places() {
  const found = new Map();
  for (const button of document.querySelectorAll(BUTTONS)) {
    const { left, top, width } = button.getBoundingClientRect();
    if (width) found.set(button, { left, top });
  }
  return found;
}

function settle(button) {
  clearTimeout(timers.get(button));
  button.dataset.settling = "";
  timers.set(
    button,
    setTimeout(() => {
      timers.delete(button);
      delete button.dataset.settling;
    }, SETTLE_MS),
  );
}

/** Ignore presses by a pointer. Those by Enter have `detail` 0, and moving keeps the focus. */
function guard(event) {
  if (!event.detail) return;
  const repeated = event.detail > 1 && event.target.closest("form[data-command] button");
  const settling = event.target.closest("[data-settling]");
  if (!repeated && !settling) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!repeated) toast(gettext("That had just moved here. Press again if you mean it."));
}
