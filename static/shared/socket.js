// The live connection: receives events, sends commands, and reconnects by itself.

const LOGGED_OUT = 4401;
const REFUSED = 4403;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 20_000;
const PING_EVERY = 10_000;
const ANSWER_WITHIN = 6000;

let handlers = {};
let socket = null;
let attempts = 0;
let timer = 0;
let pings = 0;
let lastId = 0;
let leaving = false;
const waiting = new Map(); // id → resolve, for commands that have no reply yet

/**
 * Open the connection and keep it open.
 * @param {{name: string, event(frame), live(), lost(seconds), loggedOut(), refused()}} given the name
 *     that frames begin with, and callbacks
 */
export function start(given) {
  handlers = given;
  addEventListener("pagehide", () => (leaving = true));
  addEventListener("pageshow", (event) => {
    leaving = false;
    if (event.persisted) retry();
  });
  addEventListener("online", retry);
  addEventListener("offline", giveUp);
  connect();
}

/** Try again at once. */
export function retry() {
  if (socket?.readyState === WebSocket.OPEN || socket?.readyState === WebSocket.CONNECTING) return;
  clearTimeout(timer);
  connect();
}

export function isOpen() {
  return socket?.readyState === WebSocket.OPEN;
}

/**
 * Send a command; resolves with the reply, or with null if none came.
 * @returns {Promise<{ok: boolean, error?: {reason: string, message: string}} | null>}
 */
export function send(command, args = {}) {
  const id = ++lastId;
  const replied = new Promise((resolve) => {
    waiting.set(id, resolve);
    setTimeout(() => settle(id, null), ANSWER_WITHIN);
  });
  socket.send(JSON.stringify({ ...args, id, command }));
  return replied;
}

function settle(id, reply) {
  waiting.get(id)?.(reply);
  waiting.delete(id);
}

function connect() {
  const url = new URL(document.body.dataset.socket, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const mine = (socket = new WebSocket(url));
  mine.onmessage = ({ data }) => mine === socket && hear(JSON.parse(data));
  mine.onclose = ({ code }) => mine === socket && drop(code);
}

function hear(frame) {
  if ("reply" in frame) return settle(frame.reply, frame);
  if (frame.event === `${handlers.name}.ready`) {
    attempts = 0;
    clearInterval(pings);
    pings = setInterval(ping, PING_EVERY);
    handlers.live();
  }
  handlers.event(frame);
}

/** Detect a connection that is dead without having been closed. */
async function ping() {
  const asked = socket;
  if (isOpen() && (await send(`${handlers.name}.ping`)) === null && asked === socket) giveUp();
}

function giveUp() {
  if (!socket) return;
  const dead = socket;
  drop(0);
  dead.close();
}

function drop(code) {
  socket = null;
  clearInterval(pings);
  clearTimeout(timer);
  for (const id of [...waiting.keys()]) settle(id, null);
  if (leaving) return;
  if (code === LOGGED_OUT) return handlers.loggedOut();
  if (code === REFUSED) return handlers.refused();
  const longest = Math.min(FIRST_WAIT * 2 ** attempts++, LONGEST_WAIT);
  // Random delay, so that a thousand desks do not reconnect at the same moment.
  const wait = longest * (0.5 + Math.random() / 2);
  handlers.lost(Math.ceil(wait / 1000));
  timer = setTimeout(connect, wait);
}
