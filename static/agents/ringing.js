// The sound of offers: repeated until each is answered or gone, made by Web Audio, by one tab only.

import { serverNow } from "../shared/clock.js";
import { isLed, lastTime, lead, leads, noteTime } from "./leading.js";

const EVERY_MS = 4000;
const AWAKE_WITHIN_MS = 400;
const LOUDEST = 0.4;

/** The notes of each sound: the pitch in hertz, the begin and the length in seconds. */
const TONES = {
  bell: { wave: "sine", notes: [[523.25, 0, 0.5], [659.25, 0.14, 0.5]] },
  chime: { wave: "triangle", notes: [[783.99, 0, 0.3], [987.77, 0.16, 0.3], [1174.66, 0.32, 0.6]] },
  pulse: { wave: "square", notes: [[440, 0, 0.12], [440, 0.2, 0.12], [440, 0.4, 0.12]] },
};

let settings = null;
let audio = null;
let timer = 0;
let isBlocked = false;
let wantsLead = false;
let known = new Set();
let whenChanged = () => {};

/** Start: browsers allow sound from the first gesture on. A click has ended, so what moves then moves no target. */
export function start(then) {
  whenChanged = then;
  for (const type of ["click", "keydown"]) addEventListener(type, unlock, { capture: true });
}

export function apply(given) {
  settings = given;
  update();
}

/** Return the offers whose channels call and whose time is not over. */
export function callingOffers() {
  const now = serverNow();
  return [...document.querySelectorAll("#offers .offer")].filter(
    (offer) => Number(offer.dataset.deadline) > now && !settings?.silent.includes(offer.dataset.channel),
  );
}

/** Ring if there are offers; at once for a new one. */
export function update() {
  if (!settings) return;
  const offers = callingOffers();
  const isNew = offers.some((offer) => !known.has(offer.id));
  known = new Set(offers.map((offer) => offer.id));
  if (!offers.length || !isOn()) stop();
  else if (isNew || !timer) ring(isNew);
}

/** Return whether offers stand, but the browser allows no sound in any tab of this desk. */
export async function isMuted() {
  return isBlocked && isOn() && known.size > 0 && !(await isLed("ring"));
}

/** Play a sound once, to try it. */
export async function test(tone, volume) {
  if (await wake()) play(tone, volume);
}

function isOn() {
  return settings.sound && settings.volume > 0;
}

/** Ring, but no sooner than an interval after the last ring of any tab; for a new offer sooner. */
async function ring(isNew = false) {
  ringAfter(EVERY_MS);
  isBlocked = !(await wake());
  whenChanged();
  if (isBlocked) return;
  if (!leads("ring")) return rest();
  if (!timer) return;
  const passed = sinceLastRing();
  if (passed < (isNew ? EVERY_MS / 4 : EVERY_MS)) return ringAfter(EVERY_MS - passed);
  noteTime("ring");
  ringAfter(EVERY_MS);
  play(settings.tone, settings.volume);
  document.dispatchEvent(new CustomEvent("desk:ring", { detail: [...known] }));
}

/** Return the milliseconds since any tab rang; after the clock was set back, Infinity. */
function sinceLastRing() {
  const passed = Date.now() - lastTime("ring");
  return passed < 0 ? Infinity : passed;
}

function ringAfter(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(again, milliseconds);
}

function again() {
  timer = 0;
  update();
}

function stop() {
  if (timer) whenChanged();
  clearTimeout(timer);
  timer = 0;
  isBlocked = false;
  if (sinceLastRing() > EVERY_MS / 2) rest();
}

/** Suspend the context: it costs power even without a sound. */
function rest() {
  if (audio?.state === "running") audio.suspend();
}

/** Let the context run; resolves to whether the browser allows it. */
async function wake() {
  audio ??= new AudioContext();
  if (audio.state !== "running") {
    const late = new Promise((resolve) => setTimeout(resolve, AWAKE_WITHIN_MS));
    await Promise.race([audio.resume().catch(() => {}), late]);
  }
  if (audio.state !== "running") return false;
  // Only a tab that can sound may lead.
  if (!wantsLead) lead("ring", () => timer && ring());
  wantsLead = true;
  return true;
}

async function unlock() {
  if (wantsLead || !settings || !isOn() || !(await wake())) return;
  timer = 0;
  update();
}

function play(tone, volume) {
  const { wave, notes } = TONES[tone] ?? TONES.bell;
  const loudness = LOUDEST * (volume / 100) ** 2 * (wave === "square" ? 0.4 : 1);
  for (const [pitch, after, length] of notes) {
    const begin = audio.currentTime + after + 0.02;
    const note = audio.createOscillator();
    const gain = audio.createGain();
    note.type = wave;
    note.frequency.value = pitch;
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(loudness, begin + 0.02);
    gain.gain.exponentialRampToValueAtTime(0.0005, begin + length);
    note.connect(gain).connect(audio.destination);
    note.start(begin);
    note.stop(begin + length + 0.05);
  }
}
