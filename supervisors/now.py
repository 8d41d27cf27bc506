"""The page Now: the whole floor at a glance."""

from __future__ import annotations

from typing import Final

from routing.core.clock import microseconds
from supervisors.judging import judge_queues
from supervisors.panel import Context, Panel, Rows, Scene
from supervisors.picture import State
from supervisors.wording import STATE_HINTS, STATES, describe_trouble

MOST_TROUBLES: Final = 20


def load_totals(scene: Scene) -> Context:
    """Return the sums over the floor, on the chosen channels or on all."""
    picture, channels = scene.picture, scene.channel_ids
    everyone = picture.everyone
    return {
        "tasks": picture.tasks_of(None, channels),
        "longest": picture.longest_of(None, channels),
        "workers": everyone.workers,
        "available": everyone.available,
        "free": everyone.free_for(channels) if channels else everyone.free,
        "slots": scene.sum_slots(everyone),
        "recent": picture.recent_of(None, channels),
    }


def write_totals(scene: Scene) -> Rows:
    """Yield the header, and the sums over the floor in one row."""
    found = load_totals(scene)
    tasks, recent, slots = found["tasks"], found["recent"], found["slots"]
    longest = found["longest"]
    waited_ms = (microseconds(scene.now) - longest.since_us) // 1000 if longest else None
    values = {
        "waiting": tasks.waiting,
        "on_offer": tasks.offered,
        "in_work": tasks.in_work,
        "wrapping": tasks.wrapping,
        "longest_wait_ms": waited_ms,
        "overdue": recent.overdue,
        "service_level_percent": recent.level.percent,
        "answered_30m": recent.answered_30m,
        "abandoned_30m": recent.abandoned_30m,
        "agents": found["workers"],
        "available": found["available"],
        "free_now": found["free"],
        "slots_free": None if slots is None else slots.for_router,
    }
    yield list(values)
    yield list(values.values())


def load_troubles(scene: Scene) -> Context:
    """Return the queues in which tasks wait, worst first."""
    setup = scene.picture.setup
    judged = judge_queues(scene.picture, scene.channel_ids)
    troubles = [each for each in judged if each.why is not None or each.severity]
    return {
        "troubles": [
            {
                "judged": each,
                "link": scene.queue_link(each.queue.sid),
                "why": describe_trouble(each, setup),
                "is_below": each.is_below_goal,
            }
            for each in troubles[:MOST_TROUBLES]
        ],
        "more": max(len(troubles) - MOST_TROUBLES, 0),
        "queues": len(setup.queues),
    }


def load_floor(scene: Scene) -> Context:
    """Return how many agents are in each state, and in each activity."""
    picture = scene.picture
    everyone = picture.everyone
    return {
        "workers": everyone.workers,
        "unreachable": len(picture.unreachable),
        "states": [
            {
                "key": state.value,
                "link": scene.agents_link(state=(state.value,)),
                "name": STATES[state],
                "hint": STATE_HINTS[state],
                "count": everyone.by_state.get(state.value, 0),
            }
            for state in reversed(State)
        ],
        "activities": [
            {"activity": activity, "count": everyone.by_activity.get(pk, 0)}
            for pk, activity in picture.setup.activities.items()
        ],
    }


PANELS: Final = (
    Panel(name="totals", load=load_totals, write=write_totals),
    Panel(name="troubles", load=load_troubles),
    Panel(name="floor", load=load_floor),
)
