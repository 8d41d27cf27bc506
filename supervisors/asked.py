"""The panel of what waiting tasks ask for."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from routing.core.clock import microseconds
from supervisors.demands import MOST_TASKS, OLDEST, Demand, find_demands
from supervisors.expression_words import describe_condition
from supervisors.judging import Reason, Severity, judge_queue
from supervisors.panel import Context, Panel, Rows, Scene
from supervisors.waiting import STALE_ON


def load_asked(scene: Scene) -> Context:
    """Return the lanes of a queue, and how many workers meet each."""
    queue, picture = scene.find_queue(), scene.picture
    found = find_demands(queue.id, picture, now=scene.now)
    wanted = scene.channel_ids
    channels = {channel for of_queue, channel in picture.tasks if of_queue == queue.id}
    why = judge_queue(picture, queue, channels).why
    return {
        "rows": [
            {
                "demand": demand,
                "text": describe_demand(demand),
                "code": demand.text if demand.lane.expression else "",
                "channel": picture.setup.channels[demand.channel].name,
                "severity": Severity.OK if demand.capable else Severity.ACT,
                "waiting": min(demand.waiting, MOST_TASKS),
                "is_more": demand.waiting > MOST_TASKS,
                "all": len(demand.meeting),
            }
            for demand in found.demands
            if demand.channel in picture.setup.channels and (not wanted or demand.channel in wanted)
        ],
        "is_complete": found.is_complete,
        "oldest": OLDEST,
        "is_open": why is not None and why.reason is Reason.OTHER_DEMANDS,
    }


def write_asked(scene: Scene) -> Rows:
    """Yield the header, and a row for each lane of a queue with waiting tasks."""
    now_us = microseconds(scene.now)
    yield [
        *("asks_for", "channel", "waiting", "longest_wait_ms"),
        *("meet_it", "available", "free"),
    ]
    for row in load_asked(scene)["rows"]:
        demand: Demand = row["demand"]
        yield [
            *(row["code"] or row["text"], row["channel"], row["waiting"]),
            (now_us - demand.since_us) // 1000,
            *(row["all"], demand.available, demand.free),
        ]


def describe_demand(demand: Demand) -> str:
    """Return what a lane asks of a worker, beyond serving the queue."""
    lane = demand.lane
    if lane.known_worker_sid:
        return _("Only the worker %(sid)s") % {"sid": lane.known_worker_sid}
    if lane.known_worker_name:
        return _("Only the worker called %(name)s") % {"name": lane.known_worker_name}
    return "" if lane.expression is None else describe_condition(lane.expression.node)


PANELS: Final = (
    Panel(
        name="asked",
        load=load_asked,
        write=write_asked,
        from_picture=False,
        stale_on=STALE_ON,
    ),
)
