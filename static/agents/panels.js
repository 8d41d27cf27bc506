// Panels: fetched again when their contents change, and morphed in place, so that focus,
// open menus and running countdowns stay. The page keeps no state that could diverge.

import { learn } from "../shared/clock.js";
import * as shifts from "./shifts.js";
import { tick } from "./ticking.js";

const GATHER = 60; // ms in which changes are collected into one fetch
const PAUSE = { queue: 400 }; // ms between two fetches of a panel that changes all the time
const HOVERED = 1500; // the same while the pointer is on the panel, so that rows do not move
const RETRY = 3000;
const SAFETY = 45_000;
const OURS = new Set(["style", "aria-busy", "data-held", "data-settling", "data-copied"]);
const NAMES = ["presence", "offers", "tasks", "queue"];
const ON_EVENTS = ["happened"]; // fetched when the server names it, and not from time to time

const state = new Map([...NAMES, ...ON_EVENTS].map((name) => [name, { wanted: false, timer: 0, busy: null, last: 0 }]));
let whenFresh = () => {};
let refreshAt = 0;
let frozen = false;

/** Mark these panels as stale; they are fetched soon, each by one request at a time. */
export function stale(names) {
  for (const name of names) {
    const panel = state.get(name);
    if (!panel || panel.wanted) continue;
    panel.wanted = true;
    if (!panel.busy) schedule(name, panel, GATHER);
  }
}

/** Fetch nothing while the session may be ending; catch up if it continues. */
export function freeze(on) {
  frozen = on;
  if (!on) staleAll();
}

export function staleAll() {
  stale(NAMES);
}

/** Fetch one panel and wait until it shows the state as of this call or later. */
export async function refresh(name) {
  const panel = state.get(name);
  if (panel.busy) await panel.busy;
  clearTimeout(panel.timer);
  await run(name, panel);
}

function schedule(name, panel, delay) {
  const wanted = document.querySelector(`#${name} .rows:hover`) ? HOVERED : (PAUSE[name] ?? 0);
  const pause = wanted - (performance.now() - panel.last);
  clearTimeout(panel.timer);
  panel.timer = setTimeout(() => run(name, panel), Math.max(delay, pause));
}

function run(name, panel) {
  panel.wanted = false;
  if (frozen) return undefined;
  panel.busy = fetchPanel(name)
    .catch(() => {
      panel.wanted = true;
      panel.failed = true;
    })
    .finally(() => {
      panel.busy = null;
      panel.last = performance.now();
      if (panel.wanted) schedule(name, panel, panel.failed ? RETRY : GATHER);
      panel.failed = false;
    });
  return panel.busy;
}

async function fetchPanel(name) {
  const sent = performance.now();
  const url = new URL(document.body.dataset.panels + name, location.href);
  url.search = query();
  const answer = await fetch(url, { headers: { "X-Requested-With": "desk" }, cache: "no-store" });
  if (answer.status === 401) return toLogin();
  if (answer.status === 403) return location.reload();
  if (!answer.ok) throw new Error(`panel ${name}: ${answer.status}`);
  const html = await answer.text();
  const received = performance.now();
  const panel = document.getElementById(name);
  put(panel, html);
  const shown = document.getElementById(name);
  learn(Number(shown.dataset.now), (sent + received) / 2, (received - sent) / 2);
  tick();
  planRefresh(shown);
  whenFresh(name);
}

/** Return the workspace and the selected queue from the page's URL. */
function query() {
  const kept = new URLSearchParams(location.search);
  const workspace = new URL(document.body.dataset.socket, location.href).searchParams.get("workspace");
  kept.set("workspace", workspace);
  return kept.toString();
}

export function toLogin() {
  const next = encodeURIComponent(location.pathname + location.search);
  location.assign(`${document.body.dataset.login}?next=${next}`);
}

function put(panel, html) {
  const focused = panel.contains(document.activeElement) ? document.activeElement : null;
  const card = focused?.closest(".card, .row, .happening")?.id;
  shifts.around(() =>
    globalThis.Idiomorph.morph(panel, html, {
      morphStyle: "outerHTML",
      // This also leaves out the children of the element in focus, which may be a card.
      ignoreActiveValue: document.activeElement?.matches("input, select, textarea") ?? false,
      callbacks: { beforeAttributeUpdated: (name, node) => !isOurs(name, node) },
    }),
  );
  if (!focused || focused.isConnected) return;
  // The focused element is gone. The next button must not get the focus: a second Enter would press it.
  const next = (card && document.getElementById(card)) || document.getElementById(`${panel.id}-title`);
  (next.closest("[hidden]") ? document.getElementById("presence-title") : next).focus({ preventScroll: true });
}

/** Return whether the script or the agent sets this attribute, which the server does not know. */
function isOurs(name, node) {
  return OURS.has(name) || (name === "open" && node.matches("details"));
}

/** Refresh when a task can be grabbed because it has waited long enough, which no event reports. */
function planRefresh(panel) {
  if (panel.id !== "queue") return;
  clearTimeout(refreshAt);
  const { refreshAt: moment, now } = panel.dataset;
  if (!moment) return;
  const wait = Math.min(Number(moment) - Number(now) + 300, 3_600_000);
  refreshAt = setTimeout(() => stale(["queue"]), Math.max(wait, 300));
}

/**
 * Start: keep the panels fresh even if a message is lost.
 * @param {(name: string) => void} then called after each update of a panel
 */
export function start(then) {
  whenFresh = then;
  planRefresh(document.getElementById("queue"));
  setInterval(() => document.hidden || staleAll(), SAFETY * (0.9 + Math.random() * 0.2));
  document.addEventListener("visibilitychange", () => document.hidden || staleAll());
  addEventListener("pageshow", (event) => event.persisted && staleAll());
}

const SELECTIONS = {
  queue: ["queue", "channel", "search", "order"],
  tasks: ["tasks", "find", "compact"],
};

/** Show what a link selects in a panel; the page's URL keeps the selections of all panels. */
export function narrow(name, link) {
  const url = new URL(location.href);
  for (const parameter of SELECTIONS[name]) {
    const value = new URL(link).searchParams.get(parameter);
    if (value) url.searchParams.set(parameter, value);
    else url.searchParams.delete(parameter);
  }
  history.replaceState(null, "", url);
  return refresh(name);
}
