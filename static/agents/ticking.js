// The ages and countdowns of the desk, updated several times a second.

import { age, serverNow } from "../shared/clock.js";
import { gettext, ngettext } from "../shared/messages.js";

/** Format the time left in few characters, to fit into a ring. */
function left(milliseconds) {
  const seconds = Math.max(Math.ceil(milliseconds / 1000), 0);
  if (seconds < 100) return String(seconds);
  return seconds < 3600 ? age(seconds * 1000) : gettext("%(hours)s h", { hours: Math.floor(seconds / 3600) });
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Update every age and countdown; return whether an offer has just expired. */
export function tick() {
  const now = serverNow();
  let over = false;
  for (const element of document.querySelectorAll("time[data-age]")) {
    write(element, age(now - Date.parse(element.dateTime)));
  }
  for (const clock of document.querySelectorAll("[data-limit]")) {
    const since = Date.parse(clock.querySelector("time").dateTime);
    clock.classList.toggle("facts__clock--over", Math.floor((now - since) / 1000) > Number(clock.dataset.limit));
  }
  for (const element of document.querySelectorAll("[data-until]")) {
    write(element, age(Number(element.dataset.until) - now));
  }
  for (const offer of document.querySelectorAll("[data-deadline]")) {
    const rest = Number(offer.dataset.deadline) - now;
    const part = Math.min(Math.max(rest / (Number(offer.dataset.seconds) * 1000), 0), 1);
    offer.style.setProperty("--left", part.toFixed(4));
    offer.classList.toggle("offer--hurry", rest < 10_000);
    const words = offer.querySelector("[data-left]");
    write(words, left(rest));
    const seconds = Math.max(Math.ceil(rest / 1000), 0);
    const name = ngettext("%(seconds)s second to answer", "%(seconds)s seconds to answer", seconds, { seconds });
    words.parentElement.setAttribute("aria-label", name);
    over ||= rest < -1500 && rest > -1800;
  }
  return over;
}
