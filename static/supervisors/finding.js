// What the command palette finds: the pages at once, queues and agents by a question to the server.

const PAUSE = 150; // ms without typing before the server is asked

let timer = 0;
let known = { text: "", found: [] };

/** Return everything that has a name on this page. */
export function findAll() {
  const pages = [...document.querySelectorAll(".rail a")];
  return pages.map((link) => ({ name: link.textContent.trim(), hint: link.dataset.key, run: () => link.click() }));
}

/** Return what the server has found for a text, and ask it about a new one. */
export function forText(text, { update }) {
  if (known.text === text) return known.found;
  clearTimeout(timer);
  timer = setTimeout(async () => {
    known = { text, found: await ask(text) };
    update();
  }, PAUSE);
  return [];
}

async function ask(text) {
  const { find, workspace } = document.body.dataset;
  try {
    const query = new URLSearchParams({ workspace, q: text });
    const answer = await fetch(`${find}?${query}`, { headers: { "X-Requested-With": "cockpit" }, cache: "no-store" });
    if (!answer.ok) return [];
    const { found } = await answer.json();
    return found.map(({ name, kind, address }) => ({ name, hint: kind, run: () => location.assign(address) }));
  } catch {
    return [];
  }
}
