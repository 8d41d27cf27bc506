// Narrow the waiting tasks and the tasks in hand, and choose their order. Without this script the
// links and the forms load the page again.

import { narrow } from "./panels.js";

const PAUSE = 250; // ms without typing before a search

let timer = 0;

export function start() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-narrows]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    narrow(link.dataset.narrows, link.href);
  });
  document.addEventListener("input", ({ target }) => {
    if (!target.form?.matches("[data-narrows]")) return;
    clearTimeout(timer);
    timer = setTimeout(search, PAUSE, target.form);
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-narrows]")) return;
    event.preventDefault();
    clearTimeout(timer);
    search(event.target);
  });
}

function search(form) {
  const url = new URL(form.action);
  for (const [name, value] of new FormData(form)) {
    if (value.trim()) url.searchParams.set(name, value);
  }
  narrow(form.dataset.narrows, url);
}
