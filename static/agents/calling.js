// "Sound and notifications": the dialog, the button that shows the state, and the saved settings.

import { gettext, language } from "../shared/messages.js";
import * as notifying from "./notifying.js";
import { toLogin } from "./panels.js";
import * as ringing from "./ringing.js";
import * as shifts from "./shifts.js";

const SAVE_AFTER_MS = 250;
const NOT_SAVED = gettext("Not saved: no answer from the server. Please try again.");
const HINTS = {
  granted: "",
  default: gettext("This browser has to allow notifications first."),
  denied: gettext("This browser blocks notifications of this page. You can allow them in its settings for this site."),
  unsupported: gettext("This browser has no notifications for this page."),
};
const STATES = {
  on: { word: gettext("Sound on"), name: gettext("Sound on. Sound and notifications"), title: gettext("Sound is on") },
  off: { word: gettext("Sound off"), name: gettext("Sound off. Sound and notifications"), title: gettext("Sound is off") },
  muted: {
    word: gettext("Sound muted"),
    name: gettext("Sound muted. Sound and notifications"),
    title: gettext("Sound is muted"),
  },
};
const percent = new Intl.NumberFormat(language, { style: "percent" });

const dialog = document.getElementById("calling");
const form = dialog.querySelector("form");
const button = document.querySelector("[data-opens=calling]");
const banner = document.getElementById("muted");
let settings = JSON.parse(dialog.dataset.settings);
let timer = 0;

export function start() {
  ringing.start(showState);
  notifying.start();
  form.addEventListener("input", () => {
    showChoices();
    clearTimeout(timer);
    timer = setTimeout(save, SAVE_AFTER_MS);
  });
  document.getElementById("try-sound").addEventListener("click", () => {
    ringing.test(form.elements.tone.value, Number(form.elements.volume.value));
  });
  document.getElementById("allow-notifications").addEventListener("click", async () => {
    await notifying.ask();
    showChoices();
  });
  apply(settings);
}

/** Apply settings that were saved here or in another tab. */
export function apply(given) {
  settings = given;
  ringing.apply(settings);
  notifying.apply(settings);
  if (!timer) fillForm();
  showState();
}

/** Compare the offers after they were redrawn. */
export function update() {
  ringing.update();
  notifying.update();
}

async function save() {
  const mine = timer;
  const status = document.getElementById("calling-status");
  try {
    const headers = { "X-Requested-With": "desk" };
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers });
    if (answer.status === 401) return toLogin();
    const reply = await answer.json();
    status.textContent = reply.ok ? gettext("Saved.") : reply.error.message;
    // What was chosen since is saved next, and stands in the form.
    if (timer !== mine) return undefined;
    timer = 0;
    if (reply.ok) apply(reply.settings);
  } catch {
    if (timer === mine) timer = 0;
    status.textContent = NOT_SAVED;
  }
}

function fillForm() {
  const { elements } = form;
  elements.sound.checked = settings.sound;
  elements.tone.value = settings.tone;
  elements.volume.value = settings.volume;
  elements.notifications.checked = settings.notifications;
  for (const box of form.querySelectorAll("[name=calling]")) box.checked = !settings.silent.includes(box.value);
  showChoices();
}

/** Show what follows from the choices in the form. */
function showChoices() {
  const { volume, notifications } = form.elements;
  document.getElementById("volume-words").textContent = percent.format(volume.value / 100);
  const state = notifying.permission();
  document.getElementById("notifications-hint").textContent = notifications.checked ? HINTS[state] : "";
  document.getElementById("allow-notifications").hidden = !(notifications.checked && state === "default");
}

async function showState() {
  const isOn = settings.sound && settings.volume > 0;
  const isMuted = await ringing.isMuted();
  const state = isMuted ? "muted" : isOn ? "on" : "off";
  button.dataset.state = state;
  const { word, name, title } = STATES[state];
  button.setAttribute("aria-label", name);
  button.title = title;
  document.getElementById("sound-word").textContent = word;
  if (banner.hidden === isMuted) shifts.around(() => (banner.hidden = !isMuted));
}
