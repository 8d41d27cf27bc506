// The command palette (Ctrl+K): finds by name what a page offers.

const MOST = 12; // entries shown at once

let dialog, input, list, source;
let entries = [];
let chosen = 0;

/**
 * Start.
 * @param {{findAll(): object[], forText(text: string, more: {update()}): object[]}} given the entries,
 *     each with `name`, `hint` and `run`: those with a name of their own, and those for a text, which
 *     may come later, by `update`
 */
export function start(given) {
  source = given;
  dialog = document.getElementById("palette");
  input = dialog.querySelector("input");
  list = dialog.querySelector("[role=listbox]");
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) open();
  });
  input.addEventListener("input", show);
  input.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) choose(chosen + steps[event.key]);
    else if (event.key === "Enter") run(entries[chosen]);
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", ({ target }) => {
    const option = target.closest("[role=option]");
    if (option) run(entries[[...list.children].indexOf(option)]);
  });
}

function open() {
  input.value = "";
  show();
  dialog.showModal();
}

function update() {
  if (dialog.open) show();
}

function show() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = source.findAll().filter(({ name, hint }) => {
    const text = `${name} ${hint}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  entries = [...found, ...(words.length ? source.forText(input.value.trim(), { update }) : [])].slice(0, MOST);
  list.replaceChildren(...entries.map(drawOption));
  choose(0);
}

function drawOption({ name, hint }, index) {
  const option = document.createElement("li");
  option.id = `palette-${index}`;
  option.role = "option";
  option.className = "palette__one";
  const words = document.createElement("bdi");
  words.textContent = name;
  const more = document.createElement("span");
  more.className = "palette__hint";
  more.textContent = hint;
  option.append(words, more);
  return option;
}

function choose(index) {
  chosen = Math.min(Math.max(index, 0), entries.length - 1);
  for (const [number, option] of [...list.children].entries()) {
    option.ariaSelected = String(number === chosen);
    if (number === chosen) option.scrollIntoView({ block: "nearest" });
  }
  dialog.querySelector("[data-none]").hidden = entries.length > 0;
  if (entries.length) input.setAttribute("aria-activedescendant", `palette-${chosen}`);
  else input.removeAttribute("aria-activedescendant");
}

/** Close first: the focus returns to the card that a command is about. */
function run(entry) {
  if (!entry) return;
  dialog.close();
  entry.run();
}
