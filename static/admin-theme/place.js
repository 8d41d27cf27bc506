// Says in which line and column the cursor stands, as the messages about a configuration do.
"use strict";

for (const area of document.querySelectorAll("textarea.monospaced")) {
  const place = document.createElement("output");
  place.className = "place";
  place.setAttribute("aria-live", "off");
  area.after(place);
  const show = () => {
    const before = area.value.slice(0, area.selectionStart).split("\n");
    place.textContent = `line ${before.length}, column ${before.at(-1).length + 1}`;
  };
  for (const event of ["keyup", "click", "focus", "input"]) area.addEventListener(event, show);
  show();
}
