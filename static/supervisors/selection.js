// The selection of rows: by sid, over refreshes and over the pages of one list. It is kept for the tab,
// and ends when the filters change, as its rows would be out of sight for another reason than paging.

import { gettext, ngettext } from "../shared/messages.js";
import { offer, toast } from "../shared/toasts.js";

const CHECK = 2000; // ms between two looks at what has become of the selection
const HEADERS = { "X-Requested-With": "cockpit" };
const STORE = `selection:${location.pathname}`;

const selected = new Map(); // sid → the value of its box
const waited = new Set(); // the sids of selected tasks that waited when they were selected
let lastBox = null;

export const bar = document.querySelector("form[data-selection]");
const allMatch = bar?.querySelector("[data-all]");
const most = Number(bar?.dataset.most);

/** Name the selected rows in the form of an act. */
export function fill(body) {
  body.delete("subject");
  if (!allMatch.checked) body.set("subjects", [...selected.values()].join(" "));
  return body;
}

export function clear() {
  if (!bar) return;
  selected.clear();
  waited.clear();
  allMatch.checked = false;
  save();
  show();
}

export function start() {
  if (!bar) return;
  bar.dataset.scripted = "";
  document.addEventListener("change", (event) => {
    const box = event.target.closest("[data-select]");
    if (box) mark([box], box.checked);
    if (event.target !== allMatch) return;
    save();
    show();
  });
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-select]");
    if (!box) return;
    if (event.shiftKey) markUpTo(box, box.checked);
    lastBox = box;
  });
  document.addEventListener("keydown", press);
  bar.addEventListener("reset", (event) => {
    event.preventDefault();
    clear();
  });
  if (bar.dataset.check) document.addEventListener("cockpit:shown", check);
  new MutationObserver(show).observe(document.getElementById("content"), { childList: true, subtree: true });
  addEventListener("pageshow", (event) => event.persisted && restore());
  restore();
  if (bar.dataset.check) check();
}

function press(event) {
  const typing = event.target.closest("input:not([type=checkbox]), select, textarea, dialog[open]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.body.dataset.singleKeys === "off") return;
  const box = event.target.closest("[data-row]")?.querySelector("[data-select]");
  if (event.key === "Escape") clear();
  if (event.key === "*") allMatch.click();
  if (event.key === "x") box?.click();
  if (event.key === "X" && box) {
    mark([box], true);
    markUpTo(box, true);
    lastBox = box;
  }
}

// --- What is selected ----------------------------------------------------------------------------

/** Mark all boxes from the last one that was pressed to this one. */
function markUpTo(box, on) {
  if (!lastBox?.isConnected) return;
  const all = [...document.querySelectorAll("[data-select]")];
  const [from, to] = [all.indexOf(lastBox), all.indexOf(box)].sort((a, b) => a - b);
  mark(all.slice(from, to + 1), on);
}

function mark(boxes, on) {
  for (const box of boxes) {
    const sid = box.dataset.select;
    if (on && selected.size >= most && !selected.has(sid)) {
      toast(gettext("At most %(most)s rows can be selected.", { most }));
      break;
    }
    if (on) selected.set(sid, box.value);
    else selected.delete(sid);
    if (on && "waits" in box.dataset) waited.add(sid);
    else waited.delete(sid);
  }
  save();
  show();
  if (bar.dataset.check) check();
}

/** Show the selection in the boxes of this page and in the bar. */
function show() {
  const here = new Set();
  let isNewer = false;
  for (const box of document.querySelectorAll("[data-select]")) {
    const sid = box.dataset.select;
    box.checked = selected.has(sid);
    box.closest("[data-row]")?.toggleAttribute("data-selected", box.checked);
    if (!box.checked) continue;
    here.add(sid);
    isNewer ||= selected.get(sid) !== box.value;
    selected.set(sid, box.value);
  }
  if (isNewer) save();
  if (!waited.size || allMatch.checked) tellChanged("");
  bar.toggleAttribute("data-filled", selected.size > 0 || allMatch.checked);
  const place = bar.querySelector("[data-selected]");
  const words = allMatch.checked ? allMatch.dataset.words : describe(selected.size, selected.size - here.size);
  if (place.textContent !== words) place.textContent = words;
}

function describe(count, others) {
  if (!count) return "";
  if (!others) return ngettext("%(count)s selected", "%(count)s selected", count, { count });
  return ngettext(
    "%(count)s selected, %(others)s of them not on this page",
    "%(count)s selected, %(others)s of them not on this page",
    count,
    { count, others },
  );
}

// --- From page to page ---------------------------------------------------------------------------

function save() {
  const rows = [...selected].map(([sid, value]) => [sid, value, waited.has(sid)]);
  const kept = { filters: bar.dataset.madeWith, all: allMatch.checked, rows };
  try {
    if (rows.length || kept.all) sessionStorage.setItem(STORE, JSON.stringify(kept));
    else sessionStorage.removeItem(STORE);
  } catch {
    // Without a store, the selection ends with the page.
  }
}

function load() {
  try {
    return JSON.parse(sessionStorage.getItem(STORE));
  } catch {
    return null;
  }
}

/** Take up the selection of the page before, if it was made with the same filters. */
function restore() {
  const kept = load();
  selected.clear();
  waited.clear();
  allMatch.checked = false;
  if (kept?.filters === bar.dataset.madeWith) {
    take(kept.rows);
    allMatch.checked = kept.all;
  } else if (kept?.rows.length) {
    sessionStorage.removeItem(STORE);
    const count = kept.rows.length;
    const words = ngettext(
      "The filters have changed: %(count)s row is no longer selected.",
      "The filters have changed: %(count)s rows are no longer selected.",
      count,
      { count },
    );
    offer(words, gettext("Select them again"), () => {
      take(kept.rows);
      save();
      show();
    });
  }
  show();
}

function take(rows) {
  for (const [sid, value, waits] of rows.slice(0, most)) {
    selected.set(sid, value);
    if (waits) waited.add(sid);
  }
}

// --- What has become of the selected tasks -------------------------------------------------------

let checking = false;
let checkAgain = false;

/** Ask how many of the selected tasks have stopped to wait, at most once every two seconds. */
async function check() {
  checkAgain = checking;
  if (checking || !waited.size || allMatch.checked) return;
  checking = true;
  const body = new FormData();
  body.set("csrfmiddlewaretoken", bar.elements.csrfmiddlewaretoken.value);
  body.set("subjects", [...waited].join(" "));
  body.set("size", selected.size);
  try {
    const answer = await fetch(bar.dataset.check, { method: "POST", body, headers: HEADERS, cache: "no-store" });
    if (answer.ok && waited.size) tellChanged((await answer.json()).words);
  } catch {
    // The connection is lost, which the page says.
  }
  setTimeout(() => {
    checking = false;
    if (checkAgain) check();
  }, CHECK);
}

function tellChanged(words) {
  const place = bar.querySelector("[data-changed]");
  if (place.textContent !== words) place.textContent = words;
}
