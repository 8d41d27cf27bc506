// The agent's desk. Everything also works as plain forms without this script. With it, the page
// updates itself: the socket reports stale panels, they are fetched again, and commands use the socket.

import * as clock from "../shared/clock.js";
import * as menus from "../shared/menus.js";
import { gettext, ngettext } from "../shared/messages.js";
import * as palette from "../shared/palette.js";
import * as socket from "../shared/socket.js";
import * as calling from "./calling.js";
import * as channels from "./channels.js";
import * as commands from "./commands.js";
import * as copying from "./copying.js";
import * as finding from "./finding.js";
import * as happenings from "./happenings.js";
import * as holding from "./holding.js";
import * as keys from "./keys.js";
import * as leaving from "./leaving.js";
import * as narrowing from "./narrowing.js";
import * as panels from "./panels.js";
import * as questions from "./questions.js";
import * as shifts from "./shifts.js";
import * as signals from "./signals.js";
import * as ticking from "./ticking.js";
import * as transfers from "./transfers.js";

const banner = document.getElementById("lost");
const link = document.getElementById("link-state");

function showLink(state, word) {
  link.dataset.state = state;
  link.querySelector(".link-state__word").textContent = word;
}

let retryAt = 0;

/** Count down to the next attempt. Screen readers get the sentence above it, not every second. */
function showRetry() {
  if (banner.hidden) return;
  const seconds = Math.ceil((retryAt - performance.now()) / 1000);
  document.getElementById("lost-words").textContent =
    seconds > 0
      ? ngettext("Trying again in one second.", "Trying again in %(seconds)s seconds.", seconds, { seconds })
      : gettext("Trying again now.");
}
setInterval(showRetry, 1000);

channels.start();
copying.start();
clock.learnFromPage();
ticking.tick();
setInterval(() => ticking.tick() && panels.stale(["offers", "presence"]), 250);

shifts.start();
function showOffers() {
  signals.show();
  calling.update();
}
const whenFresh = { offers: showOffers, happened: happenings.show };
panels.start((name) => whenFresh[name]?.());
calling.start();
showOffers();
happenings.start();
menus.start();
keys.start();
palette.start(finding);
commands.start();
questions.start();
transfers.start();
leaving.start();
narrowing.start();

socket.start({
  name: "desk",
  live() {
    shifts.around(() => (banner.hidden = true));
    showLink("live", gettext("Live"));
    holding.resend();
  },
  lost(seconds) {
    shifts.around(() => (banner.hidden = false));
    showLink("lost", gettext("Not live"));
    retryAt = performance.now() + seconds * 1000;
    showRetry();
  },
  loggedOut: panels.toLogin,
  refused: () => location.reload(),
  event(frame) {
    if (frame.now) clock.learn(frame.now, performance.now(), 1000);
    if (frame.event === "desk.language") location.reload();
    if (frame.settings) calling.apply(frame.settings);
    panels.stale(frame.stale ?? []);
  },
});

document.getElementById("retry").addEventListener("click", socket.retry);
