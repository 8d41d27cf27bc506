// A board on the wall: asks for its tiles every two seconds, says how old they are, and shows no value
// that may be wrong.

import { learn, learnFromPage, serverNow } from "../shared/clock.js";
import { gettext } from "../shared/messages.js";
import { duration } from "./ages.js";
import { play, wake } from "./alarms.js";

const EVERY_MS = 2000;
const LONGEST_MS = 8000; // for one answer
const LATE_MS = 5000;
const STALE_MS = 10_000;
const GONE_MS = 30_000; // from which on values are removed
const ENDED_MS = 30_000; // between two questions whether a link that has ended shows something again
const QUIET_MS = 10_000; // between two sounds

const place = document.getElementById("wall");
const age = document.getElementById("wall-age");
const soundButton = document.getElementById("wall-sound");
const enter = document.getElementById("wall-enter");
let shownAt = performance.now();
let known = null;
let isLoud = false;
let hasEnded = false;
let soundedAt = -QUIET_MS;

learnFromPage();
begin();

async function begin() {
  await exchange();
  showAge();
  setInterval(showAge, 1000);
  for (;;) {
    await refresh();
    await new Promise((done) => setTimeout(done, hasEnded ? ENDED_MS : EVERY_MS));
  }
}

/** Exchange the token after the # for a cookie, and take it out of the address. */
async function exchange() {
  const token = location.hash.slice(1);
  if (!enter || !token) return;
  const body = new FormData(enter);
  body.set("token", token);
  for (;;) {
    try {
      const answer = await fetch(enter.action, { method: "POST", body });
      if (answer.status === 403) return end();
      if (answer.ok) return history.replaceState(null, "", location.pathname);
    } catch {
      // The server is away: the screen may have started before it.
    }
    await new Promise((done) => setTimeout(done, EVERY_MS));
  }
}

async function refresh() {
  const sent = performance.now();
  try {
    const signal = AbortSignal.timeout(LONGEST_MS);
    const answer = await fetch(document.body.dataset.tiles, { cache: "no-store", signal });
    if (answer.status === 401 || answer.status === 403 || answer.status === 404) return end();
    if (!answer.ok) return;
    const html = await answer.text();
    const received = performance.now();
    learn(Number(answer.headers.get("X-Now")), (sent + received) / 2, (received - sent) / 2);
    shownAt = sent;
    put(html);
  } catch {
    // The age tells that no answer came.
  }
}

function put(html) {
  const next = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
  document.getElementById("tiles").replaceWith(next);
  document.getElementById("board-name").textContent = next.dataset.board;
  document.title = next.dataset.board;
  hasEnded = false;
  document.getElementById("wall-ended").hidden = true;
  place.hidden = false;
  showAge();
  const acts = new Set(next.dataset.acts.split(" ").filter(Boolean));
  const isNew = known && [...acts].some((sid) => !known.has(sid));
  known = acts;
  if (isNew && isLoud && next.dataset.quiet === "no") sound();
}

function sound() {
  if (performance.now() - soundedAt < QUIET_MS) return;
  soundedAt = performance.now();
  play();
  document.dispatchEvent(new CustomEvent("cockpit:sound"));
}

/** Show how old the tiles are: live, late, stale, and after half a minute no value at all. */
function showAge() {
  const old = performance.now() - shownAt;
  const state = old < LATE_MS ? "live" : old < STALE_MS ? "late" : old < GONE_MS ? "stale" : "gone";
  document.body.dataset.freshness = state;
  const seconds = Math.round(old / 1000);
  const words = {
    live: gettext("Live"),
    late: gettext("Late %(seconds)s s", { seconds }),
    stale: gettext("Stale for %(seconds)s s", { seconds }),
    gone: gettext("No figures: the server does not answer"),
  };
  const said = hasEnded ? "" : words[state];
  if (age.textContent !== said) age.textContent = said;
  for (const value of document.querySelectorAll("[data-value]")) {
    if (state === "gone") value.textContent = "–";
    else if (value.dataset.since) value.textContent = duration(serverNow() - Number(value.dataset.since));
  }
}

/** Show that the link is revoked or over; another answer brings the board back. */
function end() {
  hasEnded = true;
  place.hidden = true;
  document.getElementById("tiles").replaceChildren();
  document.getElementById("wall-ended").hidden = false;
  showAge();
}

soundButton.addEventListener("click", async () => {
  isLoud = !isLoud && (await wake());
  soundButton.setAttribute("aria-pressed", String(isLoud));
  soundButton.querySelector("span").textContent = isLoud ? gettext("Sound on") : gettext("Start with sound");
  if (isLoud) play();
});

document.getElementById("wall-full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
});
