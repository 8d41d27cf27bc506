"""The past of one agent by day, as a table and as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from routing.core.rates import Ratio
from supervisors.agent import find_worker
from supervisors.panel import Context, Panel, Rows, Scene
from supervisors.past_days import MOST_DAYS, PastDay, count_days, list_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the days.

    Arguments:
        name: its name in the file, with its unit.
        note: the key of its figure's note.
        kind: how a value is shown: `count`, `duration_ms`, `ratio` or `decimal`.
        of_slots: whether it has no value with multitasking off.
    """

    name: str
    note: str
    title: Promise
    kind: str
    read: Callable[[PastDay], Any]
    of_slots: bool = False


def _count(name: str, note: str, title: Promise, counted: str) -> Column:
    return Column(
        name=name, note=note, title=title, kind="count", read=lambda day: day.counts[counted]
    )


COLUMNS: Final = (
    _count("handled", "handled", _("Handled"), "handled"),
    Column(
        name="handle_time_ms",
        note="aht",
        title=_("Handle time"),
        kind="duration_ms",
        read=lambda day: day.average_handle_ms,
    ),
    Column(
        name="wrap_up_ms",
        note="wrap-up",
        title=_("Wrap-up"),
        kind="duration_ms",
        read=lambda day: day.average_wrap_up_ms,
    ),
    Column(
        name="effort_ms",
        note="effort",
        title=_("Effort per task"),
        kind="duration_ms",
        read=lambda day: day.effort_ms,
    ),
    Column(
        name="slot_occupancy_percent",
        note="occupancy",
        title=_("Slot occupancy"),
        kind="ratio",
        read=lambda day: day.occupancy,
        of_slots=True,
    ),
    Column(
        name="busy_share_percent",
        note="busy-share",
        title=_("Busy share"),
        kind="ratio",
        read=lambda day: day.busy_share,
    ),
    Column(
        name="tasks_at_once",
        note="at-once",
        title=_("Tasks at once"),
        kind="decimal",
        read=lambda day: day.time.concurrency,
    ),
    Column(
        name="available_ms",
        note="available-time",
        title=_("Available"),
        kind="duration_ms",
        read=lambda day: day.available_ms,
    ),
    Column(
        name="away_ms",
        note="away-time",
        title=_("Away"),
        kind="duration_ms",
        read=lambda day: day.away_ms,
    ),
    _count("accepted", "accepted", _("Accepted"), "accepted"),
    _count("rejected", "rejected", _("Rejected"), "rejected"),
    _count("missed", "missed", _("Missed"), "missed"),
    _count("withdrawn", "withdrawn", _("Withdrawn"), "rescinded"),
    _count("canceled", "canceled-offers", _("Canceled"), "canceled_offers"),
    Column(
        name="grabs_in_order",
        note="grabs",
        title=_("Grabs in order"),
        kind="count",
        read=lambda day: day.in_order,
    ),
    Column(
        name="grabs_out_of_order",
        note="grabs-out-of-order",
        title=_("Out of order"),
        kind="count",
        read=lambda day: day.out_of_order,
    ),
    Column(
        name="grabs_maybe",
        note="grabs-maybe",
        title=_("Maybe"),
        kind="count",
        read=lambda day: day.maybe,
    ),
)


def load_past(scene: Scene) -> Context:
    """Return the days of the view's window, the last first."""
    worker = find_worker(scene)
    days, is_limited = list_days(scene)
    is_cut = count_days(scene, worker, days)
    kept = (scene.now - timedelta(days=settings.TASK_RETENTION_DAYS)).date()
    return {
        "columns": COLUMNS,
        "days": [
            {
                "day": day.day,
                "query": scene.view.link(day=day.day.isoformat()),
                "cells": [(column, _read(column, day, scene)) for column in COLUMNS],
            }
            for day in days
        ],
        "is_limited": is_limited,
        "most_days": MOST_DAYS,
        "is_cut": is_cut,
        "is_forgotten": bool(days) and days[-1].day < kept,
        "retention": settings.TASK_RETENTION_DAYS,
        "windows": [
            {"days": count, "query": scene.view.link(window=_write_window(days[0].day, count))}
            for count in (7, 14, MOST_DAYS)
        ],
        "zone": scene.workspace.time_zone,
    }


def _read(column: Column, day: PastDay, scene: Scene) -> Any:
    """Return the value of a day; None shows a dash."""
    if column.of_slots and not scene.picture.setup.multi_task:
        return None
    return column.read(day)


def write_past(scene: Scene) -> Rows:
    """Yield the header, and a row for each day, the last first."""
    worker = find_worker(scene)
    days, _is_limited = list_days(scene)
    count_days(scene, worker, days)
    yield ["day", "agent", "agent_sid", *(column.name for column in COLUMNS)]
    for day in days:
        values = [_read(column, day, scene) for column in COLUMNS]
        yield [
            *(day.day.isoformat(), worker.name, worker.sid),
            *(value.percent if isinstance(value, Ratio) else value for value in values),
        ]


def _write_window(last: date, count: int) -> str:
    return f"{(last - timedelta(days=count - 1)).isoformat()}..{last.isoformat()}"


PANELS: Final = (Panel(name="past", load=load_past, write=write_past, from_picture=False),)
