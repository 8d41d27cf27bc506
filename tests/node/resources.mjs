// Drive every resource with the official library, against the server that CORDBOARD names.
// Prints a line of JSON for each section: its name, and what went wrong in it, if anything did.

import assert from "node:assert/strict";
import twilio from "twilio";

const client = twilio(process.env.ACCOUNT_SID, process.env.AUTH_TOKEN);
client.taskrouter.baseUrl = process.env.CORDBOARD;
const { workspaces } = client.taskrouter.v1;

const floor = await workspaces.create({ friendlyName: `Node ${process.pid}` });
const at = workspaces(floor.sid);
const queue = await at.taskQueues.create({ friendlyName: "Everybody" });
const workflow = await at.workflows.create({
  friendlyName: "Everything",
  configuration: JSON.stringify({ task_routing: { default_filter: { queue: queue.sid } } }),
});
const available = (await at.activities.list({ available: "true" }))[0];

// Wait until something is there; the router needs a moment.
const eventually = async (look) => {
  for (let left = 200; left > 0; left -= 1) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it never came");
};
const refused = async (promise, status, code) => {
  await assert.rejects(promise, (error) => {
    assert.deepEqual([error.status, error.code], [status, code]);
    return true;
  });
};
const sids = (rows) => rows.map((row) => row.sid);

const sections = {
  async workspaces() {
    const made = await workspaces.create({ friendlyName: `Hall ${process.pid}`, template: "FIFO" });
    assert.ok(made.dateCreated instanceof Date);
    assert.equal(made.multiTaskEnabled, true);
    const renamed = await made.update({ friendlyName: `Foyer ${process.pid}` });
    assert.deepEqual(sids(await workspaces.list({ friendlyName: renamed.friendlyName })), [made.sid]);
    assert.equal((await made.workflows().list()).length, 1);
    assert.equal(await made.remove(), true);
    await refused(made.fetch(), 404, 20404);
  },

  async activities() {
    const made = await at.activities.create({ friendlyName: "Lunch", available: false });
    assert.equal(made.available, false);
    assert.equal((await made.update({ friendlyName: "Pause" })).friendlyName, "Pause");
    assert.equal((await made.fetch()).friendlyName, "Pause");
    assert.deepEqual(sids(await at.activities.list({ friendlyName: "Pause" })), [made.sid]);
    assert.equal(await made.remove(), true);
  },

  async taskChannels() {
    const made = await at.taskChannels.create({ friendlyName: "Mail", uniqueName: "mail" });
    assert.equal((await at.taskChannels("mail").fetch()).sid, made.sid);
    const changed = await made.update({ friendlyName: "E-mail", channelOptimizedRouting: true });
    assert.deepEqual([changed.friendlyName, changed.channelOptimizedRouting], ["E-mail", true]);
    assert.equal((await at.taskChannels.list()).length, 6);
    assert.equal(await made.remove(), true);
  },

  async taskQueues() {
    const made = await at.taskQueues.create({ friendlyName: "Billing", targetWorkers: "level > 1" });
    assert.deepEqual([made.taskOrder, made.maxReservedWorkers], ["FIFO", 1]);
    assert.equal((await made.update({ taskOrder: "LIFO" })).taskOrder, "LIFO");
    assert.equal((await made.fetch()).targetWorkers, "level > 1");
    const evaluateWorkerAttributes = JSON.stringify({ level: 2 });
    assert.equal((await at.taskQueues.list({ evaluateWorkerAttributes })).length, 2);
    await refused(made.update({ targetWorkers: "level >" }), 400, 20001);
    assert.equal(await made.remove(), true);
  },

  async workflows() {
    const { configuration } = workflow;
    const made = await at.workflows.create({ friendlyName: "Again", configuration });
    assert.deepEqual([made.configuration, made.taskReservationTimeout], [configuration, 120]);
    assert.equal((await made.update({ taskReservationTimeout: 30 })).taskReservationTimeout, 30);
    assert.equal((await made.fetch()).documentContentType, "application/json");
    assert.deepEqual(sids(await at.workflows.list({ friendlyName: "Again" })), [made.sid]);
    assert.equal(await made.remove(), true);
  },

  async workersAndTheirChannels() {
    const made = await at.workers.create({ friendlyName: "Ada", attributes: '{"level": 3}' });
    assert.deepEqual([made.activityName, made.available], ["Offline", false]);
    const channel = made.workerChannels();
    assert.equal((await channel.list()).length, 5);
    const chat = await at.workers(made.sid).workerChannels("chat").update({ capacity: 3 });
    assert.deepEqual([chat.configuredCapacity, chat.availableCapacityPercentage], [3, 100]);
    assert.equal((await chat.fetch()).taskChannelUniqueName, "chat");
    await refused(made.update({ friendlyName: "Eve", ifMatch: "7" }), 412, 20412);
    assert.equal((await made.update({ friendlyName: "Eve", ifMatch: "1" })).friendlyName, "Eve");
    assert.equal((await at.workers.list({ targetWorkersExpression: "level == 3" })).length, 1);
    assert.equal(await made.remove(), true);
  },

  async tasksAndReservations() {
    const worker = await at.workers.create({ friendlyName: "Bob", activitySid: available.sid });
    const made = await at.tasks.create({ attributes: '{"a": 1}', taskChannel: "chat", priority: 3 });
    assert.deepEqual([made.attributes, made.priority], ['{"a": 1}', 3]);
    assert.ok(made.virtualStartTime instanceof Date);
    const offer = await eventually(async () => (await made.reservations().list())[0]);
    assert.equal(offer.workerName, "Bob");
    await refused(
      offer.update({ instruction: "call", callFrom: "+15550001", callUrl: "https://a.example/x" }),
      501,
      20501,
    );
    const mine = at.workers(worker.sid).reservations;
    assert.deepEqual(sids(await mine.list({ reservationStatus: "pending" })), [offer.sid]);
    const accepted = await mine(offer.sid).update({ reservationStatus: "accepted" });
    assert.equal(accepted.reservationStatus, "accepted");
    assert.equal((await made.fetch()).assignmentStatus, "assigned");
    await made.update({ assignmentStatus: "wrapping" });
    const done = await made.update({ assignmentStatus: "completed", reason: "solved" });
    assert.deepEqual([done.assignmentStatus, done.reason], ["completed", "solved"]);
    assert.equal((await offer.fetch()).reservationStatus, "completed");
    assert.equal(await made.remove(), true);
    await worker.update({ activitySid: floor.defaultActivitySid });
  },

  async pages() {
    const made = [];
    for (let priority = 0; priority < 5; priority += 1) {
      made.push((await at.tasks.create({ taskChannel: "voice", priority })).sid);
    }
    const assignmentStatus = ["pending", "reserved"];
    assert.deepEqual(sids(await at.tasks.list({ pageSize: 2, assignmentStatus })), made);
    assert.deepEqual(sids(await at.tasks.list({ limit: 3, pageSize: 2, assignmentStatus })), made.slice(0, 3));
    const ordering = "Priority:desc";
    assert.deepEqual(sids(await at.tasks.list({ pageSize: 2, assignmentStatus, ordering })), made.reverse());
    const page = await at.tasks.page({ pageSize: 2, assignmentStatus });
    const next = await page.nextPage();
    assert.deepEqual(sids((await next.previousPage()).instances), sids(page.instances));
  },

  async events() {
    const [task] = await at.tasks.list({ limit: 1, assignmentStatus: ["pending"] });
    const types = (await at.events.list({ taskSid: task.sid, pageSize: 2 })).map((row) => row.eventType);
    assert.equal(types.at(-1), "workflow.entered");
    const [created] = await at.events.list({ eventType: "task.created", taskSid: task.sid });
    const fetched = await created.fetch();
    assert.deepEqual([fetched.resourceSid, fetched.eventData.task_sid], [task.sid, task.sid]);
    assert.ok(fetched.eventDate instanceof Date);
  },

  async statistics() {
    for (const about of [at, at.taskQueues(queue.sid), at.workflows(workflow.sid)]) {
      const now = await about.realTimeStatistics().fetch({ taskChannel: "voice" });
      assert.deepEqual([now.totalTasks, now.tasksByStatus.pending], [5, 5]);
      const past = await about.cumulativeStatistics().fetch({ minutes: 60, splitByWaitTime: "5,30" });
      assert.deepEqual(Object.keys(past.splitByWaitTime), ["5", "30"]);
      const both = await about.statistics().fetch({ minutes: 60 });
      assert.equal(both.cumulative.reservations_accepted, 1);
    }
    const [each] = await at.taskQueues.statistics.list({ friendlyName: "Everybody" });
    assert.equal(each.taskQueueSid, queue.sid);
    const bulk = await at.taskQueues.bulkRealTimeStatistics.create({ queueSids: [queue.sid] });
    assert.equal(bulk.taskQueueResponseCount, 1);
    assert.equal((await at.workers.realTimeStatistics().fetch()).totalWorkers, 1);
    assert.equal((await at.workers.cumulativeStatistics().fetch()).reservationsAccepted, 1);
    assert.equal((await at.workers.statistics().fetch()).realtime.total_workers, 1);
    const [worker] = await at.workers.list();
    const alone = await at.workers(worker.sid).statistics().fetch({ minutes: 60 });
    assert.equal(alone.cumulative.reservations_accepted, 1);
  },

  async errors() {
    await refused(at.tasks(`WT${"0".repeat(32)}`).fetch(), 404, 20404);
    await refused(at.tasks.create({ attributes: "{" }), 400, 20001);
    const stranger = twilio(process.env.ACCOUNT_SID, "x".repeat(32));
    stranger.taskrouter.baseUrl = process.env.CORDBOARD;
    await refused(stranger.taskrouter.v1.workspaces.list(), 401, 20003);
  },
};

for (const [name, section] of Object.entries(sections)) {
  let wrong = null;
  try {
    await section();
  } catch (error) {
    wrong = String(error.stack ?? error);
  }
  console.log(JSON.stringify({ section: name, wrong }));
}
await floor.remove();
