// The banner of a lost connection: what is shown may be old, and when the next attempt is.

import { gettext, ngettext } from "../shared/messages.js";

let retryAt = 0;

function banner() {
  return document.getElementById("lost");
}

/** Show that the connection is lost, with the seconds until the next attempt. */
export function show(seconds) {
  retryAt = performance.now() + seconds * 1000;
  banner().hidden = false;
  count();
}

export function hide() {
  banner().hidden = true;
}

/** Count down. Screen readers get the sentence before it, not every second. */
function count() {
  if (banner().hidden) return;
  const seconds = Math.max(Math.ceil((retryAt - performance.now()) / 1000), 0);
  document.getElementById("lost-words").textContent = seconds
    ? ngettext("Trying again in %(seconds)s second.", "Trying again in %(seconds)s seconds.", seconds, { seconds })
    : gettext("Trying again now.");
}

/** @param {() => void} retry tries to connect at once */
export function start(retry) {
  setInterval(count, 1000);
  document.getElementById("retry").addEventListener("click", retry);
}
