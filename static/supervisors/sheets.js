// On phones the filters are a sheet at the lower edge, closed until they are asked for.

const NARROW = matchMedia("(max-width: 40rem)");

function sheet() {
  return document.getElementById("filters");
}

/** Close the sheet on a narrow screen; on a wide one its form is always there. */
function fit() {
  const filters = sheet();
  if (!filters) return;
  filters.dataset.scripted = "";
  filters.open = !NARROW.matches;
}

export function start() {
  fit();
  NARROW.addEventListener("change", fit);
  document.addEventListener("click", ({ target }) => {
    const filters = sheet();
    if (NARROW.matches && filters?.open && !filters.contains(target)) filters.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const filters = sheet();
    if (event.key !== "Escape" || !NARROW.matches || !filters?.open) return;
    filters.open = false;
    filters.querySelector("summary").focus();
  });
}
