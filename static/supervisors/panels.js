// Panels: fetched again when they are stale, and morphed in place, so that focus and menus stay.

import { learn, serverNow } from "../shared/clock.js";
import { gettext } from "../shared/messages.js";
import * as ages from "./ages.js";
import * as order from "./order.js";

const SPREAD = 300; // ms at random before a fetch, as all pages hear of a change at once
const RETRY = 3000;
const SLOW = 1000; // ms after which a fetch is shown as busy
const LEAST = 1000; // ms between two fetches that time alone causes
const MOST = 86_400_000;
const OURS = new Set(["aria-busy", "data-failed", "data-level", "data-selected"]);

const state = new Map();
let paused = false;

/**
 * Fetch these panels soon, each by one request at a time.
 *
 * @param {number} at the moment of the change in ms, before which no panel may have been rendered
 */
export function stale(names, at = serverNow()) {
  for (const name of names) {
    const panel = state.get(name);
    if (!panel) continue;
    panel.since = Math.max(panel.since, at);
    if (panel.wanted) continue;
    panel.wanted = true;
    if (!panel.busy) schedule(name, panel, Math.random() * SPREAD);
  }
}

export function staleAll() {
  stale([...state.keys()]);
}

/** Record that the server has confirmed what the panels show, but for those that are stale. */
export function confirm() {
  const now = serverNow();
  for (const panel of state.values()) if (!panel.wanted && !panel.busy) panel.asOf = now;
}

/** Return the moment as of which all panels are known to be true. */
export function trueAsOf() {
  return Math.min(...[...state.values()].map((panel) => panel.asOf));
}

/** Hold all panels as they are, or let them go on. */
export function pause(on) {
  paused = on;
  if (on) return;
  for (const [name, panel] of state) if (panel.wanted && !panel.busy) schedule(name, panel, 0);
}

/** Fetch one panel now, and wait until it is shown. */
export async function refresh(name) {
  const panel = state.get(name);
  if (!panel) return;
  if (panel.busy) await panel.busy;
  clearTimeout(panel.timer);
  await run(name, panel);
}

function schedule(name, panel, delay) {
  clearTimeout(panel.timer);
  panel.timer = setTimeout(() => paused || run(name, panel), delay);
}

function run(name, panel) {
  panel.wanted = false;
  const slow = setTimeout(() => document.getElementById(name).setAttribute("aria-busy", "true"), SLOW);
  panel.busy = fetchPanel(name, panel)
    .then(() => setFailed(name, false))
    .catch(() => {
      panel.wanted = true;
      setFailed(name, true);
    })
    .finally(() => {
      clearTimeout(slow);
      document.getElementById(name).removeAttribute("aria-busy");
      panel.busy = null;
      const rest = panel.failed ? RETRY : panel.rests;
      panel.rests = 0;
      if (panel.wanted) schedule(name, panel, rest + Math.random() * SPREAD);
    });
  return panel.busy;
}

function setFailed(name, failed) {
  state.get(name).failed = failed;
  const element = document.getElementById(name);
  if (failed) element.dataset.failed = gettext("Could not be loaded. Trying again.");
  else delete element.dataset.failed;
}

async function fetchPanel(name, panel) {
  const sent = performance.now();
  const asOf = serverNow();
  const headers = { "X-Requested-With": "cockpit" };
  if (panel.since) headers["X-Since"] = String(Math.floor(panel.since));
  if (panel.etag) headers["If-None-Match"] = panel.etag;
  const answer = await fetch(address(name), { headers, cache: "no-store" });
  if (answer.status === 401) return toLogin();
  if (answer.status === 503 && answer.headers.has("Retry-After")) {
    // Others are served first. The panel stays as it is, and its age goes on.
    panel.wanted = true;
    panel.rests = 1000 * Number(answer.headers.get("Retry-After"));
    return undefined;
  }
  if (answer.status === 403 || answer.status === 404) return location.reload();
  if (!answer.ok && answer.status !== 304) throw new Error(`panel ${name}: ${answer.status}`);
  const received = performance.now();
  learn(Number(answer.headers.get("X-Now")), (sent + received) / 2, (received - sent) / 2);
  panel.asOf = asOf;
  if (answer.status === 304) return undefined;
  panel.etag = answer.headers.get("ETag");
  put(document.getElementById(name), await answer.text());
  plan(name);
  return undefined;
}

/** Return where a panel is fetched: the view of this page. */
function address(name) {
  const { panels, view } = document.body.dataset;
  return `${panels}${name}?${view}`;
}

export function toLogin() {
  const next = encodeURIComponent(location.pathname + location.search);
  location.assign(`${document.body.dataset.login}?next=${next}`);
}

/** Fetch a panel again at the moment at which time alone changes it. */
function plan(name) {
  const panel = state.get(name);
  clearTimeout(panel.alarm);
  const at = Number(document.getElementById(name).dataset.refreshAt);
  if (!at) return;
  const delay = Math.min(Math.max(at - serverNow(), LEAST), MOST);
  panel.alarm = setTimeout(() => stale([name]), delay);
}

function put(panel, html) {
  const focused = panel.contains(document.activeElement) ? document.activeElement : null;
  const row = focused?.closest("[data-row]")?.id;
  const next = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
  order.keep(panel, next);
  globalThis.Idiomorph.morph(panel, next, {
    morphStyle: "outerHTML",
    ignoreActiveValue: document.activeElement?.matches("input, select, textarea") ?? false,
    callbacks: { beforeAttributeUpdated: (name, node) => !isOurs(name, node) },
  });
  ages.update(document.getElementById(panel.id));
  document.dispatchEvent(new CustomEvent("cockpit:shown"));
  if (!focused || focused.isConnected) return;
  // The focused element is gone; the next row must not get the focus, as Enter would press it.
  const place = (row && document.getElementById(row)) || document.getElementById(`${panel.id}-title`);
  place?.focus({ preventScroll: true });
}

/** Return whether the script or the user sets this attribute, which the server does not know. */
function isOurs(name, node) {
  if (name === "tabindex" && node.closest("[data-rows]")) return true;
  return OURS.has(name) || (name === "open" && node.matches("details"));
}

export function start() {
  for (const { id } of document.querySelectorAll("[data-panel]")) {
    const asOf = Number(document.body.dataset.confirmed);
    state.set(id, { wanted: false, timer: 0, busy: null, failed: false, etag: "", since: 0, rests: 0, alarm: 0, asOf });
    plan(id);
  }
  order.start(staleAll);
  document.addEventListener("visibilitychange", () => document.hidden || staleAll());
  addEventListener("pageshow", (event) => event.persisted && staleAll());
}
