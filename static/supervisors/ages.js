// Times that go on: each cell knows since when, and from which age on it is worth a look.

import { serverNow } from "../shared/clock.js";
import { gettext } from "../shared/messages.js";

/** Format a duration: 48 s, 12:45, 3:05 h, 2 d 4 h. */
export function duration(milliseconds) {
  const seconds = Math.max(Math.floor(milliseconds / 1000), 0);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const two = (number) => String(number).padStart(2, "0");
  if (hours >= 24) return gettext("%(days)s d %(hours)s h", { days: Math.floor(hours / 24), hours: hours % 24 });
  if (hours) return gettext("%(hours)s:%(minutes)s h", { hours, minutes: two(minutes % 60) });
  if (minutes) return `${minutes}:${two(seconds % 60)}`;
  return gettext("%(seconds)s s", { seconds });
}

/** Update all times of a part of the page. */
export function update(part = document) {
  const now = serverNow();
  for (const element of part.querySelectorAll(".since[data-since]")) {
    const age = now - Number(element.dataset.since);
    const text = duration(age);
    if (element.textContent !== text) element.textContent = text;
    const level = findLevel(element, age / 1000);
    if (element.dataset.level !== level) element.dataset.level = level;
  }
  for (const element of part.querySelectorAll(".until[data-until]")) {
    const text = duration(Number(element.dataset.until) - now);
    if (element.textContent !== text) element.textContent = text;
  }
}

function findLevel({ dataset }, seconds) {
  if (dataset.act && seconds > Number(dataset.act)) return "act";
  return dataset.watch && seconds > Number(dataset.watch) ? "watch" : "ok";
}

export function start() {
  update();
  setInterval(update, 500);
}
