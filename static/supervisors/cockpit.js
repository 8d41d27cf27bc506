// The cockpit. Everything also works as plain links and forms without this script. With it, the page
// updates itself: the socket reports stale panels, they are fetched again, and ages go on.

import * as clock from "../shared/clock.js";
import * as menus from "../shared/menus.js";
import * as palette from "../shared/palette.js";
import * as socket from "../shared/socket.js";
import * as ages from "./ages.js";
import * as alarms from "./alarms.js";
import * as finding from "./finding.js";
import * as freshness from "./freshness.js";
import * as keys from "./keys.js";
import * as lost from "./lost.js";
import * as panels from "./panels.js";
import * as roving from "./roving.js";
import * as sheets from "./sheets.js";

clock.learnFromPage();
ages.start();
menus.start();
panels.start();
alarms.start();
freshness.start();
roving.start();
sheets.start();
keys.start();
palette.start(finding);
lost.start(socket.retry);

socket.start({
  name: "floor",
  live: lost.hide,
  lost(seconds) {
    lost.show(seconds);
    freshness.lose();
  },
  loggedOut: panels.toLogin,
  refused: () => location.reload(),
  event(frame) {
    if (frame.now) clock.learn(frame.now, performance.now(), 1000);
    panels.stale(frame.stale ?? [], frame.at);
    freshness.confirm();
  },
});
