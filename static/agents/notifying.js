// System notifications of offers, while no tab of this desk is visible; closed with the offer.

import { gettext } from "../shared/messages.js";
import { isLed, lead, leads, markVisible } from "./leading.js";
import { callingOffers } from "./ringing.js";

const shown = new Map(); // offer id → notification
let known = null;
let isWanted = false;

export function start() {
  lead("notify");
  markVisible();
}

export function apply(settings) {
  isWanted = settings.notifications;
  if (!isWanted) for (const id of [...shown.keys()]) close(id);
}

/** Return what the browser says: `granted`, `denied`, `default`, or `unsupported`. */
export function permission() {
  return globalThis.Notification?.permission ?? "unsupported";
}

/** Ask the browser for permission; only ever called by a press of a button. */
export async function ask() {
  await Notification.requestPermission();
}

/** Compare the offers after they were redrawn. */
export async function update() {
  const offers = callingOffers();
  const ids = new Set(offers.map((offer) => offer.id));
  const fresh = offers.filter((offer) => known && !known.has(offer.id));
  known = ids;
  for (const id of [...shown.keys()]) if (!ids.has(id)) close(id);
  if (!fresh.length || !isWanted || permission() !== "granted" || !document.hidden) return;
  if (!leads("notify") || (await isLed("visible"))) return;
  for (const offer of fresh) if (known.has(offer.id)) open(offer);
}

function open(offer) {
  const title = offer.querySelector(".card__title").textContent.trim();
  const body = [...offer.querySelectorAll(".facts__person, .facts__one")]
    .slice(0, 2)
    .map((fact) => fact.textContent.trim())
    .join(" · ");
  try {
    const note = new Notification(gettext("New offer: %(title)s", { title }), { body, tag: offer.id, requireInteraction: true });
    note.onclick = () => {
      focus();
      note.close();
    };
    shown.set(offer.id, note);
    document.dispatchEvent(new CustomEvent("desk:notify", { detail: offer.id }));
  } catch {
    // Browsers of phones allow notifications to service workers only.
  }
}

function close(id) {
  shown.get(id).close();
  shown.delete(id);
}
