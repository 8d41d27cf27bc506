/* Find operations and parameters, open what a link names, copy commands. */

const operations = new Map();
for (const operation of document.querySelectorAll(".operation")) {
  operations.set(operation.id, operation);
}

function show() {
  const named = operations.get(decodeURIComponent(location.hash.slice(1)));
  if (named) {
    named.open = true;
    named.scrollIntoView();
  }
}

addEventListener("hashchange", show);
show();

for (const button of document.querySelectorAll(".copy")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const text = button.closest("figure").querySelector("pre").textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}

const contents = document.querySelector(".contents");
const field = document.getElementById("find");
const found = document.getElementById("found");
const words = new Map();
for (const [id, operation] of operations) {
  const names = [...operation.querySelectorAll("summary, .params dt")];
  words.set(id, names.map((name) => name.textContent).join(" ").toLowerCase());
}

function find() {
  const wanted = field.value.trim().toLowerCase().split(/\s+/);
  let count = 0;
  for (const entry of contents.querySelectorAll("[data-for]")) {
    const text = words.get(entry.dataset.for);
    entry.hidden = !wanted.every((word) => text.includes(word));
    count += entry.hidden ? 0 : 1;
  }
  for (const group of contents.querySelectorAll(".contents__group")) {
    group.hidden = !group.querySelector("[data-for]:not([hidden])");
  }
  const searching = field.value.trim() !== "";
  contents.classList.toggle("finds", searching);
  found.textContent = searching ? `${count} of ${operations.size} operations` : "";
}

document.querySelector(".find").hidden = false;
field.addEventListener("input", find);
addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, textarea")) {
    event.preventDefault();
    field.focus();
  }
});
