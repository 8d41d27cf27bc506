// Menus are <details> and work without scripts; this adds closing by Escape and arrow keys.

export function start() {
  document.addEventListener("click", (event) => closeAll(event.target.closest("details.menu")));
  document.addEventListener("focusin", (event) => closeAll(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details.menu[open]");
    if (!menu) return;
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const items = [...menu.querySelectorAll(".menu__list > button, .menu__list > a")];
      const step = event.key === "ArrowDown" ? 1 : -1;
      const from = items.indexOf(document.activeElement);
      items.at((from < 0 && step < 0 ? -1 : from + step) % items.length)?.focus();
    } else return;
    event.preventDefault();
  });
}

function closeAll(but) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== but) menu.open = false;
  }
}
