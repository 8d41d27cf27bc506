// "What happened": each new line of the list is shown once as a toast and announced.

import { announce } from "../shared/announcer.js";
import { clockTime } from "../shared/clock.js";
import { ngettext } from "../shared/messages.js";
import * as toasts from "../shared/toasts.js";

const TOASTS = 3; // lines that are shown one by one; more are counted

const narrow = matchMedia("(max-width: 75rem)");
let known = new Set();

export function start() {
  known = new Set(lines().map((line) => line.id));
  fit();
  narrow.addEventListener("change", fit);
  writeTimes();
}

/** Compare the list after it was redrawn. */
export function show() {
  writeTimes();
  const now = lines();
  const fresh = now.filter((line) => !known.has(line.id)).reverse();
  known = new Set(now.map((line) => line.id));
  for (const line of fresh) announce(sentence(line));
  if (fresh.length > TOASTS) toasts.show(countWords(fresh.length));
  else for (const line of fresh) toasts.show(sentence(line));
}

function countWords(count) {
  return ngettext(
    "%(count)s thing happened. Please look at the list.",
    "%(count)s things happened. Please look at the list.",
    count,
    { count },
  );
}

/** Close the list where it would push the offers down. */
function fit() {
  document.getElementById("happened-all").open = !narrow.matches;
}

function lines() {
  return [...document.querySelectorAll("#happened .happening")];
}

function sentence(line) {
  return line.querySelector("[data-sentence]").textContent.trim();
}

/** Write the times by this computer's time zone. */
function writeTimes() {
  for (const time of document.querySelectorAll("time[data-clock]")) {
    time.textContent = clockTime(Date.parse(time.dateTime));
  }
}
