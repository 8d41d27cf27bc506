// The server's time: ages and countdowns use its clock, not this computer's.

import { gettext, language } from "./messages.js";

let known = { server: Date.now(), at: performance.now(), doubt: Infinity };

/**
 * Set the server's time from an answer.
 * @param {number} server milliseconds by the server's clock
 * @param {number} at performance.now() at about that moment
 * @param {number} doubt how far off `at` may be, in milliseconds
 */
export function learn(server, at, doubt) {
  if (!Number.isFinite(server)) return;
  const apart = Math.abs(server - (known.server + at - known.at));
  // A more precise reading wins; a less precise one only when this clock has slept or jumped.
  if (doubt <= known.doubt || apart > doubt + 1500) known = { server, at, doubt };
}

/** Return the server's time in milliseconds. */
export function serverNow() {
  return known.server + performance.now() - known.at;
}

/** Set the server's time from the page itself. */
export function learnFromPage() {
  const panel = document.querySelector("[data-now]");
  const [load] = performance.getEntriesByType("navigation");
  if (panel && load) learn(Number(panel.dataset.now), load.responseStart, load.responseStart);
}

/** Format an age for a column: 0:07, 12:45, 3 h 05, 2 d 4 h. */
export function age(milliseconds) {
  const seconds = Math.max(Math.floor(milliseconds / 1000), 0);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const two = (number) => String(number).padStart(2, "0");
  if (hours >= 24) return gettext("%(days)s d %(hours)s h", { days: Math.floor(hours / 24), hours: hours % 24 });
  if (hours) return gettext("%(hours)s h %(minutes)s", { hours, minutes: two(minutes % 60) });
  return `${minutes}:${two(seconds % 60)}`;
}

/** Format a moment as a time of day: 11:08. */
export function clockTime(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString(language, { hour: "numeric", minute: "2-digit" });
}
