// On a phone the channels collapse to one line, so that offers are near the top.

const narrow = matchMedia("(max-width: 30rem)");

export function start() {
  fit();
  narrow.addEventListener("change", fit);
}

function fit() {
  document.getElementById("channels").open = !narrow.matches;
}
