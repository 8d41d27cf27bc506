// Drives the published worker SDK: takes commands as lines of JSON, tells what comes of them.
"use strict";

const readline = require("node:readline");
const { Supervisor, TaskRouterClient, Worker, Workspace } = require("twilio-taskrouter");

const WORKER = [
  "ready", "activityUpdated", "attributesUpdated", "reservationCreated", "reservationFailed",
  "tokenExpired", "tokenUpdated", "disconnected", "error",
];
const RESERVATION = [
  "accepted", "rejected", "timeout", "canceled", "rescinded", "wrapup", "completed",
];
const TASK = ["updated", "completed", "canceled", "wrapup", "transferInitiated"];
const TRANSFER = ["attemptFailed", "failed", "completed", "canceled"];
const CHANNEL = ["capacityUpdated", "availabilityUpdated"];

const HIDDEN = new Set(["constructor", "domain", "worker", "dataServices", "request", "signaling"]);

const made = new Map();

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// What the SDK made of an answer, without what is its own business.
function plain(value, depth = 0) {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, each]) => [key, plain(each, depth + 1)]));
  }
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Error) return { error: value.name, message: value.message };
  if (Array.isArray(value)) return value.map((each) => plain(each, depth + 1));
  if (value === null || typeof value !== "object" || depth > 5) {
    return typeof value === "function" || (typeof value === "object" && value) ? undefined : value;
  }
  const kept = names(value).map((key) => [key, value[key]]).filter(
    ([, each]) => typeof each !== "function",
  );
  return Object.fromEntries(kept.map(([key, each]) => [key, plain(each, depth + 1)]));
}

// Own properties, and those that the SDK hides behind getters or leaves out of enumeration.
function names(value) {
  const found = new Set();
  for (let of = value; of && of !== Object.prototype; of = Object.getPrototypeOf(of)) {
    for (const name of Object.getOwnPropertyNames(of)) found.add(name);
    if (of.constructor && of.constructor.name === "EventEmitter") break;
  }
  return [...found].filter((name) => !name.startsWith("_") && !HIDDEN.has(name));
}

function listen(emitter, names, of, about) {
  for (const name of names) {
    emitter.on(name, (data) => {
      if (name === "reservationCreated") watch(data, of);
      if (name === "transferInitiated") listen(data, TRANSFER, of, "transfer.");
      say({ of, event: about + name, data: plain(data) });
    });
  }
}

function watch(reservation, of) {
  listen(reservation, RESERVATION, of, "reservation.");
  listen(reservation.task, TASK, of, "task.");
}

function watchAll(worker, of) {
  for (const reservation of worker.reservations.values()) watch(reservation, of);
  for (const channel of worker.channels.values()) listen(channel, CHANNEL, of, "channel.");
}

function only(map, sid) {
  const found = map.get(sid);
  if (!found) throw new Error(`the SDK knows no ${sid}`);
  return found;
}

function target(worker, command) {
  if (command.reservation) {
    const reservation = only(worker.reservations, command.reservation);
    if (command.on === "transfer") return reservation.task.transfers.outgoing;
    return command.on === "task" ? reservation.task : reservation;
  }
  if (command.activity) return only(worker.activities, command.activity);
  if (command.channel) return only(worker.channels, command.channel);
  return worker;
}

function make(command) {
  const { of, kind, token, options } = command;
  if (kind === "workspace") {
    made.set(of, new Workspace(token, options, command.workspace));
    return;
  }
  const worker = new (kind === "supervisor" ? Supervisor : Worker)(token, options);
  made.set(of, worker);
  worker.on("ready", () => watchAll(worker, of));
  listen(worker, WORKER, of, "");
}

async function carryOut(command) {
  if (command.do === "make") return make(command);
  const root = made.get(command.of);
  if (command.do === "look") return plain(target(root, command));
  const object = target(root, command);
  // As if the last change had not been heard of.
  if (command.stale) object.version = String(Number(object.version) - 1);
  const args = (command.args || []).map((each) =>
    each && each.date ? new Date(each.date) : each && each.reservation
      ? only(root.reservations, each.reservation) : each && each.taskOf
        ? only(root.reservations, each.taskOf).task : each);
  return plain(await object[command.do](...args));
}

process.on("uncaughtException", (error) => say({ uncaught: plain(error) }));
process.on("unhandledRejection", (error) => say({ unhandled: plain(error) }));
readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  const command = JSON.parse(line);
  try {
    say({ reply: command.id, result: await carryOut(command) });
  } catch (error) {
    say({ reply: command.id, failed: plain(error) || String(error) });
  }
}).on("close", () => process.exit(0));
say({ started: typeof TaskRouterClient });
