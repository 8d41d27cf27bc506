"""The panels of tasks, and their rows as a file; names and units stay English."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from routing import models
from routing.actions.supervision.batches import MOST_ROWS
from routing.core.clock import microseconds
from supervisors import tasks, waiting
from supervisors.panel import Panel, Rows, Scene
from supervisors.scanning import Row, read_rows
from supervisors.tasks import describe_rows

HEADER: Final = (
    *("task", "task_sid", "person", "status", "severity", "queue", "queue_sid", "channel"),
    *("priority", "created", "age_ms", "in_queue_ms", "agents", "agent_sids", "deadline_in_ms"),
)
_CHUNK: Final = 500


def write_tasks(scene: Scene) -> Rows:
    """Yield the header, and the tasks of the view on all pages, at most `MOST_ROWS`."""
    yield HEADER
    found = tasks.find_matching(scene, most=MOST_ROWS)
    yield from write_rows(scene, found.rows if found else ())


def write_waiting(scene: Scene) -> Rows:
    """Yield the header, and the oldest tasks that wait in a queue."""
    yield HEADER
    sids = waiting.list_oldest(scene.find_queue(), scene)
    rows = models.Task.objects.filter(workspace=scene.workspace, sid__in=sids)
    yield from write_rows(scene, read_rows(rows.order_by("date_created", "pk")))


def write_rows(scene: Scene, rows: Sequence[Row]) -> Iterator[list[Any]]:
    """Yield a row of the file for each task."""
    for start in range(0, len(rows), _CHUNK):
        some = rows[start : start + _CHUNK]
        for row, shown in zip(some, describe_rows(scene, some), strict=True):
            yield _write(scene, row, shown)


def _write(scene: Scene, row: Row, shown: dict[str, Any]) -> list[Any]:
    now_us = microseconds(scene.now)
    queue, entered_us, deadline_us = shown["queue"], shown["entered_us"], shown["deadline_us"]
    return [
        *(shown["title"], row.sid, shown["person"], row.status, shown["severity"].key),
        *(queue.name if queue else "", queue.sid if queue else "", shown["channel"]),
        row.priority,
        row.created.astimezone(scene.zone).isoformat(timespec="milliseconds"),
        (now_us - shown["since_us"]) // 1000,
        (now_us - entered_us) // 1000 if entered_us else None,
        ", ".join(one["name"] for one in shown["holders"]),
        " ".join(one["sid"] for one in shown["holders"] if one["sid"]),
        (deadline_us - now_us) // 1000 if deadline_us else None,
    ]


PANELS: Final = (
    Panel(
        name="tasks",
        load=tasks.load_tasks,
        write=write_tasks,
        from_picture=False,
        stale_on=tasks.STALE_ON,
    ),
    Panel(
        name="waiting",
        load=waiting.load_waiting,
        write=write_waiting,
        from_picture=False,
        stale_on=waiting.STALE_ON,
    ),
)
