// Notifications of offers for an agent who is not looking: tab title and icon, a sentence, a sound.

import { announce } from "./announcer.js";

const SOUND = "cordboard.sound";
const pageTitle = document.title;
let known = new Set(offers().map((offer) => offer.id));
let audio = null;

export function start() {
  const on = document.getElementById("sound-on");
  on.checked = Boolean(localStorage.getItem(SOUND));
  on.addEventListener("change", () => {
    if (on.checked) localStorage.setItem(SOUND, "1");
    else localStorage.removeItem(SOUND);
    if (on.checked) play();
  });
  show();
}

/** Compare the offers after they were redrawn. */
export function show() {
  const now = offers();
  document.title = now.length ? `(${now.length}) ${now.length === 1 ? "Offer" : "Offers"} · ${pageTitle}` : pageTitle;
  const jump = document.getElementById("jump");
  jump.hidden = !now.length;
  jump.textContent = now.length === 1 ? "1 offer" : `${now.length} offers`;
  const icon = document.querySelector("link[rel=icon]");
  const { icon: calm, iconOffers } = document.body.dataset;
  const wanted = now.length ? iconOffers : calm;
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
  const fresh = now.filter((offer) => !known.has(offer.id));
  known = new Set(now.map((offer) => offer.id));
  if (!fresh.length) return;
  for (const offer of fresh) announce(`New offer: ${title(offer)}.`, { urgent: true });
  if (localStorage.getItem(SOUND)) play();
}

function title(offer) {
  return offer.querySelector(".card__title").textContent.trim();
}

function offers() {
  return [...document.querySelectorAll("#offers .offer")];
}

/** Play two soft notes; browsers allow it after the first interaction with the page. */
function play() {
  audio ??= new AudioContext();
  [523.25, 659.25].forEach((pitch, index) => {
    const begin = audio.currentTime + index * 0.14;
    const note = audio.createOscillator();
    const volume = audio.createGain();
    note.frequency.value = pitch;
    volume.gain.setValueAtTime(0, begin);
    volume.gain.linearRampToValueAtTime(0.12, begin + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0005, begin + 0.5);
    note.connect(volume).connect(audio.destination);
    note.start(begin);
    note.stop(begin + 0.55);
  });
}
