// Show the cursor's line and column, as the messages about a configuration use them.
"use strict";

// After an error, focus the wrong field, so that its message is announced.
const wrong = document.querySelector(".form-row.errors :is(textarea, input, select)");
if (wrong) {
  const message = wrong.closest(".form-row").querySelector(".errorlist");
  message?.setAttribute("role", "alert");
  wrong.focus();
}

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
