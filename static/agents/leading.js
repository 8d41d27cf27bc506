// Among several tabs of one desk exactly one rings, and one notifies: the one that has the lock.
//
// The browser passes a lock on when its tab closes or crashes. Without HTTPS browsers have no locks;
// then every tab leads.

const locks = navigator.locks;
const prefix = `cordboard.${document.body.dataset.worker}.`;
const held = new Set();

/**
 * Lead for a purpose as soon as no other tab does, and until this tab is closed.
 * @param {() => void} then called once this tab leads
 */
export function lead(purpose, then = () => {}) {
  const begin = () => {
    held.add(purpose);
    then();
    return new Promise(() => {});
  };
  if (locks) locks.request(prefix + purpose, begin).catch(() => held.delete(purpose));
  else begin();
}

/** Return whether this tab leads for a purpose. */
export function leads(purpose) {
  return held.has(purpose);
}

/** Return whether any tab of this desk leads for a purpose, or is marked. */
export async function isLed(purpose) {
  if (!locks) return held.has(purpose);
  const state = await locks.query();
  return state.held.some((lock) => lock.name === prefix + purpose);
}

/** Mark this tab as visible while it is, so that others need not notify. */
export function markVisible() {
  let release = () => {};
  const update = () => {
    release();
    release = () => {};
    if (document.hidden || !locks) return;
    const ended = new Promise((resolve) => (release = resolve));
    locks.request(`${prefix}visible`, { mode: "shared" }, () => ended).catch(() => {});
  };
  document.addEventListener("visibilitychange", update);
  update();
}
