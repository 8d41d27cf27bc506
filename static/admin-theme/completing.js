// Completion in a workflow's text: queues by name, and what expressions may read. It opens while one
// types; the arrow keys choose, Enter takes, Escape closes.

const MOST = 8;
const QUEUE = /"queue"\s*:\s*"([^"\\]*)$/u;
const NAME = /(?<![\w.$])((?:task|worker|taskrouter)\.[\w.$]*)$/u;

/**
 * Propose in a textarea within a frame.
 * @param {{sid: string, name: string}[]} queues
 * @param {string[]} names what expressions may read, with their prefix
 */
export function complete(area, frame, queues, names) {
  const list = document.createElement("ul");
  list.id = "completions";
  list.className = "code__completions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Completions");
  list.hidden = true;
  const count = document.createElement("span");
  count.className = "visually-hidden";
  count.setAttribute("role", "status");
  frame.append(list, count);
  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-controls", list.id);
  let open = null;
  let chosen = 0;

  function show() {
    open = find(area, queues, names);
    list.hidden = !open;
    if (!open) return hide();
    list.replaceChildren(...open.choices.map(draw));
    choose(0);
    place(area, frame, list);
    const several = open.choices.length === 1 ? "completion" : "completions";
    count.textContent = `${open.choices.length} ${several}, Enter takes one`;
  }

  function hide() {
    open = null;
    list.hidden = true;
    count.textContent = "";
    area.removeAttribute("aria-activedescendant");
  }

  function choose(number) {
    chosen = (number + open.choices.length) % open.choices.length;
    for (const [place, option] of [...list.children].entries()) {
      option.setAttribute("aria-selected", String(place === chosen));
    }
    area.setAttribute("aria-activedescendant", list.children[chosen].id);
  }

  function take(number) {
    const { begin, end, choices } = open;
    area.setRangeText(choices[number].text, begin, end, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    hide();
  }

  const KEYS = {
    ArrowDown: () => choose(chosen + 1),
    ArrowUp: () => choose(chosen - 1),
    Enter: () => take(chosen),
    Escape: hide,
  };
  area.addEventListener("input", (event) => event.isTrusted && show());
  area.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || event.metaKey) return;
    if (event.ctrlKey && event.key === " ") {
      event.preventDefault();
      show();
    } else if (open && KEYS[event.key] && !event.ctrlKey && !event.shiftKey) {
      event.preventDefault();
      KEYS[event.key]();
    } else if (open && ["ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"].includes(event.key)) {
      hide();
    }
  });
  for (const name of ["blur", "click"]) area.addEventListener(name, hide);
  // Typing itself scrolls a long line.
  area.addEventListener("scroll", () => open && place(area, frame, list), { passive: true });
  // Before the textarea loses the focus.
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (option) take([...list.children].indexOf(option));
  });
}

function draw({ title, detail }, number) {
  const option = document.createElement("li");
  option.id = `completion-${number}`;
  option.setAttribute("role", "option");
  option.append(title);
  if (detail) {
    const more = document.createElement("small");
    more.textContent = ` ${detail}`;
    option.append(more);
  }
  return option;
}

/** Return what can stand at the cursor, and which part of the text it replaces; null for nothing. */
function find(area, queues, names) {
  const cursor = area.selectionStart;
  if (cursor !== area.selectionEnd) return null;
  const line = area.value.slice(area.value.lastIndexOf("\n", cursor - 1) + 1, cursor);
  const rest = area.value.slice(cursor);
  const queue = QUEUE.exec(line);
  const name = queue ? null : NAME.exec(line);
  if (!queue && !name) return null;
  const typed = (queue ?? name)[1];
  const choices = (queue ? findQueues(typed, queues) : findNames(typed, names)).slice(0, MOST);
  if (!choices.length || (choices.length === 1 && choices[0].text === typed)) return null;
  const after = (queue ? /^[^"\\\n]*/u : /^[\w.$]*/u).exec(rest)[0];
  return { begin: cursor - typed.length, end: cursor + after.length, choices };
}

function findQueues(typed, queues) {
  const wanted = typed.toLowerCase();
  return queues
    .filter(({ sid, name }) => sid.toLowerCase().startsWith(wanted) || name.toLowerCase().includes(wanted))
    .map(({ sid, name }) => ({ text: sid, title: name, detail: `${sid.slice(0, 8)}…` }));
}

function findNames(typed, names) {
  const wanted = typed.toLowerCase();
  const found = names.filter((name) => name.toLowerCase().startsWith(wanted));
  return found.map((name) => ({ text: name, title: name }));
}

/** Put the list below the cursor's line, within the frame. */
function place(area, frame, list) {
  const style = getComputedStyle(area);
  const before = area.value.slice(0, area.selectionStart).split("\n");
  const ink = document.createElement("canvas").getContext("2d");
  ink.font = style.font;
  const column = ink.measureText(before.at(-1)).width - area.scrollLeft;
  const height = Number.parseFloat(style.lineHeight);
  const x = area.offsetLeft + Number.parseFloat(style.paddingLeft) + column;
  const y = area.offsetTop + Number.parseFloat(style.paddingTop) + before.length * height - area.scrollTop;
  const most = frame.clientWidth - list.offsetWidth;
  list.style.setProperty("translate", `${Math.max(Math.min(x, most), 0)}px ${y}px`);
}
