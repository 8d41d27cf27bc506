"""The page of one queue: its figures, why tasks wait in it, and who serves it."""

from __future__ import annotations

from typing import Final

from routing.core.clock import microseconds
from supervisors.judging import Judged, Reason, judge_queue
from supervisors.panel import Context, Panel, Rows, Scene
from supervisors.picture import State, count_slots, find_state
from supervisors.queue_files import write_queues
from supervisors.wording import GRAB_POLICIES, STATES, describe_trouble

MOST_STAFF: Final = 100
_ORDER: Final = {state: place for place, state in enumerate(reversed(State))}


def load_queue(scene: Scene) -> Context:
    """Return the figures of a queue, over its channels and for each."""
    judged = judge_here(scene)
    setup = scene.picture.setup
    parts = judged.channels if len(judged.channels) > 1 else ()
    return {
        "judged": judged,
        "links": {
            status: scene.list_link(
                queue=(judged.queue.sid,), channel=scene.view.channel, status=(status,)
            )
            for status in ("pending", "reserved", "assigned", "wrapping")
        },
        "policy": GRAB_POLICIES.get(judged.queue.grab_policy, judged.queue.grab_policy),
        "channels": [
            {
                "name": setup.channels[pk].name,
                "judged": judge_queue(scene.picture, judged.queue, (pk,)),
            }
            for pk in parts
            if pk in setup.channels
        ],
    }


def load_why(scene: Scene) -> Context:
    """Return why tasks wait in a queue, in one sentence."""
    judged = judge_here(scene)
    why = judged.why
    return {
        "judged": judged,
        "sentence": describe_trouble(judged, scene.picture.setup),
        "points_below": why is not None and why.reason is Reason.OTHER_DEMANDS,
    }


def load_staff(scene: Scene) -> Context:
    """Return those who serve a queue, the least occupied first."""
    picture, queue = scene.picture, scene.find_queue()
    setup = picture.setup
    found = [
        (find_state(worker, multi_task=setup.multi_task), worker)
        for worker in picture.workers.values()
        if queue.id in worker.serves
    ]
    found.sort(key=lambda pair: (_ORDER[pair[0]], pair[1].name.casefold()))
    wanted = scene.channel_ids
    return {
        "staff": [
            {
                "worker": worker,
                "link": scene.worker_link(worker.sid),
                "state": state.value,
                "unreachable": worker.id in picture.unreachable,
                "state_name": STATES[state],
                "activity": setup.activities.get(worker.activity),
                "loads": [
                    {
                        "channel": setup.channels[load.channel].name,
                        "load": load,
                        "slots": count_slots(load, available=worker.available),
                    }
                    for load in worker.loads
                    if load.channel in setup.channels
                    and (not wanted or load.channel in wanted)
                    and (load.capacity or load.busy or load.offered)
                ],
            }
            for state, worker in found[:MOST_STAFF]
        ],
        "total": len(found),
        "more": max(len(found) - MOST_STAFF, 0),
    }


def write_staff(scene: Scene) -> Rows:
    """Yield the header, and a row for each of those who serve a queue that the page shows."""
    now_us = microseconds(scene.now)
    yield [
        *("agent", "agent_sid", "state", "activity", "since_ms"),
        *("slots_busy", "slots_offered", "slots_free"),
    ]
    for one in load_staff(scene)["staff"]:
        worker, slots = one["worker"], [each["slots"] for each in one["loads"]]
        yield [
            *(worker.name, worker.sid, one["state"]),
            one["activity"].name if one["activity"] else "",
            (now_us - worker.since_us) // 1000,
            *(sum(each.busy for each in slots), sum(each.offered for each in slots)),
            sum(each.free - each.kept for each in slots),
        ]


def judge_here(scene: Scene) -> Judged:
    """Return the view's queue, judged on the view's channels."""
    queue, wanted = scene.find_queue(), scene.channel_ids
    channels = {
        channel
        for of_queue, channel in {**scene.picture.tasks, **scene.picture.recent}
        if of_queue == queue.id and (not wanted or channel in wanted)
    }
    return judge_queue(scene.picture, queue, channels)


PANELS: Final = (
    Panel(name="queue", load=load_queue, write=write_queues),
    Panel(name="why", load=load_why),
    Panel(name="staff", load=load_staff, write=write_staff),
)
