// Refresh a part of a page every few seconds while the page is visible.

const EVERY_MS = 4000;
const part = document.querySelector("[data-live]");
const first = statusOf();

function statusOf() {
  return part.querySelector("[data-status]").dataset.status;
}

async function refresh() {
  if (!document.hidden) {
    const answer = await fetch(part.dataset.live, { cache: "no-store" });
    if (!answer.ok || answer.redirected) return; // logged out, or the task was deleted
    globalThis.Idiomorph.morph(part, await answer.text(), {
      morphStyle: "innerHTML",
      callbacks: { beforeAttributeUpdated: (name) => name !== "open" },
    });
    // The rest of the page is reloaded, unless a reason has been typed in.
    if (statusOf() !== first && !document.getElementById("reason").value) return location.reload();
  }
  if (!part.querySelector("[data-over]")) setTimeout(next, EVERY_MS);
}

function next() {
  refresh().catch(() => setTimeout(next, EVERY_MS));
}

if (!part.querySelector("[data-over]")) setTimeout(next, EVERY_MS);
