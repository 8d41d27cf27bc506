// On a phone the channels are one line that opens, so that offers stand near the top.

const narrow = matchMedia("(max-width: 30rem)");

export function start() {
  fit();
  narrow.addEventListener("change", fit);
}

function fit() {
  document.getElementById("channels").open = !narrow.matches;
}
