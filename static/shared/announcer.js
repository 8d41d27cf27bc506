// The announcer: one queue before two live regions, so that screen readers get every sentence once.
//
// Sentences that come together are read together. The next ones wait until these can have been read.

import { ngettext } from "./messages.js";

const GATHER_MS = 250;
const MOST = 6; // sentences that are read at once; the others are counted
const READING_MS = { least: 1200, most: 8000, letter: 45 };

const queues = { said: [], told: [] }; // sentences by live region; the first is assertive
let timer = 0;

/** Announce a sentence; one that cannot wait goes before the others. */
export function announce(sentence, { urgent = false } = {}) {
  queues[urgent ? "said" : "told"].push(sentence);
  timer ||= setTimeout(next, GATHER_MS);
}

function next() {
  const region = queues.said.length ? "said" : "told";
  const sentences = queues[region].splice(0);
  if (!sentences.length) {
    timer = 0;
    return;
  }
  const more = sentences.length - MOST;
  if (more > 0) sentences.splice(MOST, more, ngettext("And %(more)s more.", "And %(more)s more.", more, { more }));
  const text = sentences.join(" ");
  const line = document.createElement("span");
  line.textContent = text;
  document.getElementById(region).replaceChildren(line);
  const pause = READING_MS.letter * text.length;
  timer = setTimeout(next, Math.min(Math.max(pause, READING_MS.least), READING_MS.most));
}
