// The editor of a workflow's text: line numbers with marks, an outline that follows, and completion of
// queues and names. Without it the page has the outline of the text that the server last got.

import { complete } from "./completing.js";

const DEBOUNCE_MS = 600;
const area = document.getElementById("id_configuration");
const outline = document.getElementById("outline");
const content = document.getElementById("outline-content");
const state = document.getElementById("outline-state");
let timer;
let asked;

if (area && outline) start();

function start() {
  const frame = document.createElement("div");
  frame.className = "code";
  const numbers = document.createElement("div");
  numbers.className = "code__numbers";
  numbers.setAttribute("aria-hidden", "true");
  const lines = document.createElement("div");
  lines.className = "code__lines";
  numbers.append(lines);
  area.before(frame);
  frame.append(numbers, area);
  area.setAttribute("aria-describedby", `${area.getAttribute("aria-describedby") ?? ""} outline-state`.trim());
  const follow = () => lines.style.setProperty("translate", `0 ${-area.scrollTop}px`);
  area.addEventListener("scroll", follow, { passive: true });
  area.addEventListener("input", () => {
    drawNumbers(lines);
    clearTimeout(timer);
    timer = setTimeout(() => check(lines), DEBOUNCE_MS);
  });
  outline.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-line]");
    if (!link) return;
    event.preventDefault();
    goTo(Number(link.dataset.line));
    follow();
  });
  const insert = document.getElementById("queue-insert");
  if (insert) {
    insert.hidden = false;
    insert.addEventListener("click", insertQueue);
  }
  const queues = [...document.querySelectorAll("#queue-choice option")].map(({ value, dataset }) => ({
    sid: value,
    name: dataset.name,
  }));
  const written = area.value.match(/(?<![\w.$])(?:task|worker)(?:\.[\w$]+)+/gu) ?? [];
  const names = new Set([...JSON.parse(outline.dataset.names), ...written]);
  complete(area, frame, queues, [...names].sort());
  drawNumbers(lines);
}

// Numbers of lines; a line with a problem has a mark beside its number.
function drawNumbers(lines) {
  const marks = new Map();
  for (const link of content.querySelectorAll(".outline__problems a[data-line]")) {
    const line = Number(link.dataset.line);
    marks.set(line, marks.get(line) || "error" in link.dataset);
  }
  const parts = [];
  let plain = "";
  const count = area.value.split("\n").length;
  for (let line = 1; line <= count; line += 1) {
    if (!marks.has(line)) {
      plain += `${line}\n`;
      continue;
    }
    const mark = document.createElement("span");
    mark.className = marks.get(line) ? "code__error" : "code__doubt";
    mark.textContent = `${marks.get(line) ? "✖" : "!"} ${line}\n`;
    parts.push(plain, mark);
    plain = "";
  }
  lines.replaceChildren(...parts, plain);
}

async function check(lines) {
  asked?.abort();
  asked = new AbortController();
  const sent = new FormData();
  sent.append("configuration", area.value);
  sent.append("csrfmiddlewaretoken", area.form.elements.csrfmiddlewaretoken.value);
  try {
    const answer = await fetch(outline.dataset.check, {
      method: "POST",
      body: sent,
      signal: asked.signal,
    });
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    content.innerHTML = await answer.text();
    const count = Number(content.firstElementChild.dataset.errors);
    say(count === 0 ? "No errors" : `${count} ${count === 1 ? "error" : "errors"}`);
  } catch (error) {
    if (error.name === "AbortError") return;
    say("The text could not be checked; saving checks it again.");
  }
  drawNumbers(lines);
}

function say(words) {
  if (state.textContent !== words) state.textContent = words;
}

function goTo(line) {
  const rows = area.value.split("\n");
  const begin = rows.slice(0, line - 1).reduce((sum, row) => sum + row.length + 1, 0);
  area.focus();
  area.setSelectionRange(begin, begin + (rows[line - 1] ?? "").length);
  const height = Number.parseFloat(getComputedStyle(area).lineHeight);
  area.scrollTop = Math.max((line - 1) * height - area.clientHeight / 3, 0);
}

// Put the chosen sid at the cursor; inside a text that is a sid already, in its place.
function insertQueue() {
  const sid = document.getElementById("queue-choice").value;
  let [begin, end] = [area.selectionStart, area.selectionEnd];
  const before = /"(WQ[0-9a-fA-F…]*)$/u.exec(area.value.slice(0, begin));
  if (before && begin === end) {
    const after = /^[0-9a-fA-F…]*/u.exec(area.value.slice(end));
    begin -= before[1].length;
    end += after[0].length;
  }
  area.focus();
  area.setRangeText(sid, begin, end, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}
