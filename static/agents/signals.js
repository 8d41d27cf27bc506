// Notifications of offers for an agent who is not looking: tab title and icon, and a sentence.

import { announce } from "../shared/announcer.js";
import { gettext, ngettext } from "../shared/messages.js";

const pageTitle = document.title;
let known = new Set(offers().map((offer) => offer.id));

/** Compare the offers after they were redrawn. */
export function show() {
  const now = offers();
  document.title = now.length ? `${titleWords(now.length)} · ${pageTitle}` : pageTitle;
  const jump = document.getElementById("jump");
  jump.hidden = !now.length;
  jump.textContent = ngettext("%(count)s offer", "%(count)s offers", now.length, { count: now.length });
  const icon = document.querySelector("link[rel=icon]");
  const { icon: calm, iconOffers } = document.body.dataset;
  const wanted = now.length ? iconOffers : calm;
  if (icon.getAttribute("href") !== wanted) icon.setAttribute("href", wanted);
  const fresh = now.filter((offer) => !known.has(offer.id));
  known = new Set(now.map((offer) => offer.id));
  for (const offer of fresh) announce(gettext("New offer: %(title)s.", { title: title(offer) }), { urgent: true });
}

function titleWords(count) {
  return ngettext("(%(count)s) Offer", "(%(count)s) Offers", count, { count });
}

function title(offer) {
  return offer.querySelector(".card__title").textContent.trim();
}

function offers() {
  return [...document.querySelectorAll("#offers .offer")];
}
