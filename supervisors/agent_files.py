"""The panel of agents, and their figures as rows of a file; names and units stay English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routing.core.clock import microseconds
from routing.core.rates import Ratio
from supervisors import agent_columns
from supervisors.agent_figures import FloorFigures
from supervisors.agents import (
    STALE_ON,
    describe_agent,
    describe_hands,
    find_agents,
    load_agents,
)
from supervisors.panel import Panel, Rows, Scene
from supervisors.picture import Worker

_UNITS: Final = {"duration_ms": "_ms", "ratio": "_percent"}
_CHUNK: Final = 500


def write_agents(scene: Scene) -> Rows:
    """Yield the header, and a row for each agent that passes the filters, on all pages."""
    channels = [each.sid for each in scene.channels]
    figures = FloorFigures(scene.workspace, now=scene.now, channels=channels)
    columns = [one for one in agent_columns.COLUMNS.values() if one.of_figures]
    yield [
        *("agent", "agent_sid", "state", "activity", "since_ms", "in_hand", "oldest_in_hand_ms"),
        *("on_offer", "slots_busy", "slots_free", "serves"),
        *(f"{one.name}{_UNITS.get(one.kind, '')}" for one in columns),
    ]
    found = agent_columns.sort_workers(scene, find_agents(scene), figures)
    for start in range(0, len(found), _CHUNK):
        some = found[start : start + _CHUNK]
        hands = describe_hands([worker.id for worker in some])
        for worker in some:
            yield _write_agent(scene, worker, hands) + [
                value.percent if isinstance(value, Ratio) else value
                for one in columns
                if one.read is not None
                for value in (one.read(scene, worker, figures.of(worker.sid)),)
            ]


def _write_agent(scene: Scene, worker: Worker, hands: Mapping[int, Mapping[str, Any]]) -> list[Any]:
    now_us = microseconds(scene.now)
    found = describe_agent(scene, worker, hands)
    slots = [each["slots"] for each in found["slots"]]
    oldest_us = found["oldest_us"]
    return [
        *(worker.name, worker.sid, found["state"], agent_columns.name_activity(scene, worker)),
        *((now_us - worker.since_us) // 1000, worker.in_hand),
        (now_us - oldest_us) // 1000 if oldest_us else None,
        worker.on_offer,
        *(sum(each.busy for each in slots), sum(each.free - each.kept for each in slots)),
        len(worker.serves),
    ]


PANELS: Final = (
    Panel(
        name="agents",
        load=load_agents,
        from_picture=False,
        stale_on=STALE_ON,
        shows_desks=True,
        write=write_agents,
    ),
)
