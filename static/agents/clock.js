// The server's time: ages and countdowns use its clock, not this computer's.

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
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours) return `${hours} h ${two(minutes % 60)}`;
  return `${minutes}:${two(seconds % 60)}`;
}

/** Format a moment as a time of day: 11:08. */
export function clockTime(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

/** Format the time left in few characters, to fit into a ring. */
function left(milliseconds) {
  const seconds = Math.max(Math.ceil(milliseconds / 1000), 0);
  if (seconds < 100) return String(seconds);
  return seconds < 3600 ? age(seconds * 1000) : `${Math.floor(seconds / 3600)} h`;
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
    words.parentElement.setAttribute("aria-label", `${Math.max(Math.ceil(rest / 1000), 0)} seconds to answer`);
    over ||= rest < -1500 && rest > -1800;
  }
  return over;
}
