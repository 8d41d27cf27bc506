"""The figures of queues as rows of a file; names and units stay English in every language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from routing.core.clock import microseconds
from supervisors.columns import COLUMNS, Column
from supervisors.judging import Judged, judge_queues
from supervisors.panel import Rows, Scene

_UNITS: Final = {
    "since": "_ms",
    "duration_ms": "_ms",
    "minutes": "_minutes",
    "level": "_percent",
}
"""The ends of the names of columns by their kind."""


def write_queues(scene: Scene) -> Rows:
    """Yield the header, and a row for each queue of the view, worst first."""
    yield [
        *("queue", "queue_sid", "severity"),
        *(f"{each.name}{_UNITS.get(each.kind, '')}" for each in COLUMNS.values()),
    ]
    yield from _write_rows(scene)


def _write_rows(scene: Scene) -> Iterator[list[Any]]:
    now_us = microseconds(scene.now)
    for judged in judge_queues(scene.picture, scene.channel_ids):
        if scene.view.queue and judged.queue.sid not in scene.view.queue:
            continue
        yield [
            *(judged.queue.name, judged.queue.sid, judged.severity.key),
            *(_write(column, judged, now_us) for column in COLUMNS.values()),
        ]


def _write(column: Column, judged: Judged, now_us: int) -> Any:
    """Return a value without words; a time is how long it has been."""
    match column.name:
        case "service_level":
            return judged.recent.level.percent
        case "overdue":
            return judged.recent.overdue
        case "grab_policy":
            return judged.queue.grab_policy
    value = column.read(judged)
    if column.kind == "since" and value is not None:
        return (now_us - value) // 1000
    return "" if value == float("inf") else value
