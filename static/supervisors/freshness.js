// How old the page is: not since the last fetch, but since the server last confirmed what is shown.

import { clockTime, serverNow } from "../shared/clock.js";
import { gettext } from "../shared/messages.js";
import { duration } from "./ages.js";
import * as panels from "./panels.js";

const LIVE = 2900; // ms; the server confirms every two seconds
const LATE = 10_000;

let known = false; // whether the socket has confirmed anything yet
let pausedAt = 0;

/** Record that the server has confirmed the page. */
export function confirm() {
  known = true;
  panels.confirm();
  show();
}

/** Show at once that nothing is confirmed any more. */
export function lose() {
  show();
}

/** Hold all panels, or let them go on. */
export function togglePause() {
  pausedAt = pausedAt ? 0 : serverNow();
  panels.pause(pausedAt > 0);
  document.getElementById("pause").setAttribute("aria-pressed", String(pausedAt > 0));
  show();
}

function show() {
  const now = serverNow();
  const link = document.getElementById("link-state");
  const [state, words] = describe(now);
  link.dataset.state = state;
  const place = link.querySelector(".link-state__word");
  if (place.textContent !== words) place.textContent = words;
  document.body.dataset.freshness = state;
}

function describe(now) {
  const asOf = panels.trueAsOf();
  const age = now - asOf;
  if (pausedAt) return ["paused", gettext("Paused for %(time)s", { time: duration(now - pausedAt) })];
  if (!known) return ["off", gettext("Not live")];
  if (age <= LIVE) return ["live", gettext("Live")];
  if (age <= LATE) return ["late", gettext("Late %(time)s", { time: duration(age) })];
  return ["lost", gettext("Stale since %(time)s", { time: clockTime(asOf) })];
}

export function start() {
  const button = document.getElementById("pause");
  button.hidden = false;
  button.addEventListener("click", togglePause);
  setInterval(show, 500);
}
