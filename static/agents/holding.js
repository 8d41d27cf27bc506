// "Complete" can be undone for a few seconds: the desk sends it only after that time.
//
// Held completions are also kept in the browser's storage until the server has answered. A closing
// page sends them at once; if that fails, the worker's next desk in this browser sends them.

import { announce } from "../shared/announcer.js";
import { serverNow } from "../shared/clock.js";
import { gettext } from "../shared/messages.js";
import * as shifts from "./shifts.js";

const STORE = "cordboard.completing";
const EARLY_MS = 1500; // how long before the end of the wrap-up a held completion is sent
const OTHERS_MS = 2000; // extra wait for completions held by another page

const timers = new Map(); // task sid → timer, for completions held by this page
const sending = new Map(); // task sid → promise, for completions being sent
let finish = async () => {};

/**
 * Start: send completions left by earlier pages, and those of this page when it closes.
 * @param {(action: string, fields: object) => Promise<boolean>} send resolves to whether the server answered
 */
export function start(send) {
  finish = send;
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-undo]");
    if (button) undo(button.closest(".task").id);
  });
  document.addEventListener("visibilitychange", () => document.hidden && flush());
  addEventListener("pagehide", sendOnTheWayOut);
  for (const [task, record] of mine()) setTimeout(() => complete(task), Math.max(-overdue(record), 0));
}

/** Send again the completions that the server has not answered. */
export function resend() {
  for (const [task, record] of mine()) if (overdue(record) >= 0) complete(task);
}

/** Hold a completion; the card stays in its place and offers to undo it. */
export function hold(form) {
  const { csrfmiddlewaretoken, ...fields } = Object.fromEntries(new FormData(form));
  const card = document.getElementById(fields.task);
  if (!card || "held" in card.dataset) return;
  store({ ...stored(), [card.id]: { action: form.action, fields, worker: worker(), at: Date.now() } });
  const hadFocus = card.contains(document.activeElement);
  shifts.around(() => (card.dataset.held = ""));
  if (hadFocus) card.focus({ preventScroll: true });
  timers.set(card.id, setTimeout(() => complete(card.id), Math.min(holdMs(), beforeDeadline(card))));
  announce(completedWords(card));
}

/** Undo the last held completion, or that of one task. */
export function undo(task = [...timers.keys()].at(-1)) {
  if (!timers.has(task)) return;
  clearTimeout(timers.get(task));
  forget(task);
  const card = document.getElementById(task);
  if (!card) return;
  shifts.around(() => delete card.dataset.held);
  card.focus({ preventScroll: true });
  announce(gettext("Not completed: %(title)s.", { title: title(card) }));
}

/** Return whether any completion is held, or waits for the server's answer. */
export function isHolding() {
  return mine().length > 0;
}

/** Send all completions at once, also those held by other pages of this browser. */
export async function flush() {
  await Promise.all(mine().map(([task]) => complete(task)));
}

function complete(task) {
  if (!sending.has(task)) sending.set(task, send(task).finally(() => sending.delete(task)));
  return sending.get(task);
}

async function send(task) {
  clearTimeout(timers.get(task));
  timers.delete(task);
  const record = stored()[task];
  if (!record) return;
  const card = document.getElementById(task);
  if (card) card.dataset.held = "sent";
  // Without an answer it stays in the storage, and is sent again once the connection is back.
  if (await finish(record.action, fieldsOf(task, record))) forget(task);
}

function forget(task) {
  timers.delete(task);
  const { [task]: _, ...others } = stored();
  store(others);
}

function sendOnTheWayOut() {
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
  for (const task of timers.keys()) {
    const record = stored()[task];
    const { action } = record;
    const body = new URLSearchParams({ csrfmiddlewaretoken: token, ...fieldsOf(task, record) });
    const headers = { "X-Requested-With": "desk" };
    // If it fails, it is still in the storage.
    fetch(action, { method: "POST", body, keepalive: true, headers }).catch(() => {});
  }
}

/** Return the milliseconds until just before the server completes this task by itself, without the outcome. */
function beforeDeadline(card) {
  const until = card.querySelector("[data-until]")?.dataset.until;
  return until ? Math.max(Number(until) - serverNow() - EARLY_MS, 0) : Infinity;
}

/** Return the milliseconds since the time after which no page should still hold this. */
function overdue(record) {
  return Date.now() - (record.at + holdMs() + OTHERS_MS);
}

/** Return what is sent. A record of the previous release names the task only by its key. */
function fieldsOf(task, record) {
  return { ...record.fields, task };
}

function mine() {
  return Object.entries(stored()).filter(([, record]) => record.worker === worker());
}

function stored() {
  return JSON.parse(localStorage.getItem(STORE) ?? "{}");
}

function store(records) {
  localStorage.setItem(STORE, JSON.stringify(records));
}

function worker() {
  return document.body.dataset.worker;
}

function holdMs() {
  return Number(document.body.dataset.undoSeconds) * 1000;
}

/** Return what is announced of a held completion, with the agent's own key to undo it. */
function completedWords(card) {
  const key = JSON.parse(document.body.dataset.keys).undo?.toUpperCase();
  if (!key) return gettext("Completed: %(title)s.", { title: title(card) });
  return gettext("Completed: %(title)s. Press %(key)s to undo.", { title: title(card), key });
}

function title(card) {
  return card.querySelector(".card__title").textContent.trim();
}
