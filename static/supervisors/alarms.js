// Alerts that call: the badge in title and icon, one sound for each new alert to act on, a notification
// of the system while the page is hidden, and a sentence for screen readers.

import { announce } from "../shared/announcer.js";
import { gettext } from "../shared/messages.js";

const LEAST_MS = 10_000; // between two sounds
const FRESH_MS = 5_000; // for which one of several tabs keeps the others quiet
const NOTES = [[880, 0, 0.18], [659.25, 0.2, 0.18], [880, 0.4, 0.3]]; // pitch in hertz, begin and length in seconds
const LOUDNESS = 0.18;

const pageTitle = document.title;
let known = null;
let soundedAt = -LEAST_MS;
let audio = null;

export function start() {
  const bell = document.getElementById("bell");
  if (!bell) return;
  for (const type of ["click", "keydown"]) addEventListener(type, wake, { capture: true, once: true });
  new MutationObserver(update).observe(bell.parentElement, { childList: true, subtree: true, attributes: true });
  update();
  startForm();
}

/** Compare the alerts with those that were shown before. */
function update() {
  const calling = [...document.querySelectorAll("#bell [data-alert]")];
  const title = calling.length ? `(${calling.length}) ${pageTitle}` : pageTitle;
  if (document.title !== title) document.title = title;
  const icon = document.querySelector("link[rel=icon]");
  const { icon: calm, iconAlerts } = document.body.dataset;
  const wanted = calling.length ? iconAlerts : calm;
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
  const fresh = known ? calling.filter((alert) => !known.has(alert.dataset.alert)) : [];
  known = new Set(calling.map((alert) => alert.dataset.alert));
  for (const alert of fresh) announce(alert.textContent, { urgent: alert.dataset.level === "act" });
  const acts = fresh.filter((alert) => alert.dataset.level === "act");
  if (acts.length && isFirst(acts[0].dataset.alert)) call(acts);
}

/** Return whether no other tab of this browser has called with this alert. */
function isFirst(id) {
  try {
    const key = "cordboard:alarm";
    const { id: last, at } = JSON.parse(localStorage.getItem(key) ?? "{}");
    if (last === id && Date.now() - at < FRESH_MS) return false;
    localStorage.setItem(key, JSON.stringify({ id, at: Date.now() }));
  } catch {
    // Without storage each tab calls for itself.
  }
  return true;
}

function call(acts) {
  const { alertSound, alertNotify } = document.body.dataset;
  if (alertSound === "on") sound();
  if (alertNotify !== "on" || !document.hidden || globalThis.Notification?.permission !== "granted") return;
  for (const alert of acts.slice(0, 3)) {
    try {
      const note = new Notification(gettext("Act now"), { body: alert.textContent, tag: alert.dataset.alert });
      note.onclick = () => focus();
    } catch {
      // Browsers of phones allow notifications to service workers only.
    }
  }
}

async function sound() {
  if (performance.now() - soundedAt < LEAST_MS || !(await wake())) return;
  soundedAt = performance.now();
  play();
  document.dispatchEvent(new CustomEvent("cockpit:sound"));
}

/** Let the sound run; resolves to whether the browser allows it. */
export async function wake() {
  audio ??= new AudioContext();
  if (audio.state !== "running") await Promise.race([audio.resume().catch(() => {}), new Promise((done) => setTimeout(done, 400))]);
  return audio.state === "running";
}

/** Play the sound of an alert once. */
export function play() {
  for (const [pitch, after, length] of NOTES) {
    const begin = audio.currentTime + after + 0.02;
    const note = audio.createOscillator();
    const gain = audio.createGain();
    note.type = "triangle";
    note.frequency.value = pitch;
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.01);
    gain.gain.linearRampToValueAtTime(0, begin + length);
    note.connect(gain).connect(audio.destination);
    note.start(begin);
    note.stop(begin + length);
  }
}

/** The choices of the page Alerts: a sound to try, and the browser's permission. */
function startForm() {
  const attempt = document.getElementById("try-alarm");
  if (!attempt) return;
  attempt.hidden = false;
  attempt.addEventListener("click", async () => (await wake()) && play());
  const allow = document.getElementById("allow-alarm");
  const show = () => (allow.hidden = globalThis.Notification?.permission !== "default");
  show();
  allow.addEventListener("click", async () => {
    await Notification.requestPermission();
    show();
  });
}
