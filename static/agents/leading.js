// Among several tabs of one desk exactly one rings, and one notifies: the one that has the lock.
//
// The browser passes a lock on when its tab closes or crashes. Without HTTPS browsers have no locks.
// Then a lease in the storage of the page's origin takes its place: one tab writes its name there, and
// renews it until it is closed. Another takes it once it has ended.

const LEASE_MS = 10_000;
const RENEW_MS = 1000;
const CONFIRM_MS = 100;

const locks = navigator.locks;
const prefix = `cordboard.${document.body.dataset.worker}.`;
const tab = Math.random().toString(36).slice(2);
const held = new Set();

/**
 * Lead for a purpose as soon as no other tab does, and until this tab is closed.
 * @param {() => void} then called once this tab leads
 */
export function lead(purpose, then = () => {}) {
  if (!locks) return keepLease(purpose, then);
  const begin = () => {
    held.add(purpose);
    then();
    return new Promise(() => {});
  };
  locks.request(prefix + purpose, begin).catch(() => held.delete(purpose));
}

/** Return whether this tab leads for a purpose. */
export function leads(purpose) {
  return held.has(purpose) && (locks !== undefined || readLease(purpose)?.tab === tab);
}

/** Return whether any tab of this desk leads for a purpose, or is marked. */
export async function isLed(purpose) {
  if (!locks) return readLease(purpose) !== null;
  const state = await locks.query();
  return state.held.some((lock) => lock.name === prefix + purpose);
}

/** Mark this tab as visible while it is, so that others need not notify. */
export function markVisible() {
  let release = () => {};
  const update = () => {
    release();
    release = () => {};
    if (!locks) return document.hidden ? endLease("visible") : writeLease("visible");
    if (document.hidden) return;
    const ended = new Promise((resolve) => (release = resolve));
    locks.request(`${prefix}visible`, { mode: "shared" }, () => ended).catch(() => {});
  };
  document.addEventListener("visibilitychange", update);
  if (!locks) {
    setInterval(update, RENEW_MS);
    addEventListener("pagehide", () => endLease("visible"));
  }
  update();
}

/** Return the moment, in milliseconds, of what all tabs last did for a purpose. */
export function lastTime(purpose) {
  return Number(readItem(`${purpose}.at`)) || 0;
}

/** Note for all tabs that one has done what it leads for. */
export function noteTime(purpose) {
  writeItem(`${purpose}.at`, String(Date.now()));
}

function keepLease(purpose, then) {
  const renew = () => {
    const lease = readLease(purpose);
    if (lease && lease.tab !== tab) return held.delete(purpose);
    writeLease(purpose);
    if (!held.has(purpose)) setTimeout(confirm, CONFIRM_MS);
  };
  // Of two tabs that take a lease at the same moment, the last one to write has it.
  const confirm = () => {
    if (held.has(purpose) || readLease(purpose)?.tab !== tab) return;
    held.add(purpose);
    then();
  };
  setInterval(renew, RENEW_MS);
  addEventListener("storage", ({ key, newValue }) => key === prefix + purpose && newValue === null && renew());
  addEventListener("pagehide", () => endLease(purpose));
  renew();
}

/** Return the lease for a purpose if it has not ended, else null; nor one from before the clock was set back. */
function readLease(purpose) {
  try {
    const lease = JSON.parse(readItem(purpose));
    return lease?.until > Date.now() && lease.until < Date.now() + 2 * LEASE_MS ? lease : null;
  } catch {
    return null;
  }
}

function writeLease(purpose) {
  writeItem(purpose, JSON.stringify({ tab, until: Date.now() + LEASE_MS }));
}

function endLease(purpose) {
  held.delete(purpose);
  if (readLease(purpose)?.tab === tab) writeItem(purpose, null);
}

// A browser may forbid the storage: then nothing is shared, and every tab leads by itself.
const own = new Map();

function readItem(name) {
  try {
    return localStorage.getItem(prefix + name);
  } catch {
    return own.get(name) ?? null;
  }
}

function writeItem(name, value) {
  try {
    if (value === null) localStorage.removeItem(prefix + name);
    else localStorage.setItem(prefix + name, value);
  } catch {
    own.set(name, value);
  }
}
