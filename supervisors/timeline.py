"""The day of one agent: activities and tasks as bars, and as a table, from their events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from routing import models, sids, subjects, task_layouts
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType as E
from supervisors.agent import find_worker
from supervisors.agents import STALE_ON
from supervisors.bars import HEIGHT, SECOND_US, WIDTH, Bar, place_bars
from supervisors.panel import Context, Panel, Scene
from supervisors.picture import Worker

MOST_EVENTS: Final = 3_000
"""The number of events of a day that are read, the newest ones."""
MOST_LINES: Final = 500
"""The number of lines of the table, the newest ones."""
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 3_600 * SECOND_US

_TYPES: Final = (
    *(E.WORKER_CREATED, E.WORKER_ACTIVITY_UPDATE, E.RESERVATION_ACCEPTED),
    *(E.RESERVATION_WRAPUP, E.RESERVATION_COMPLETED, E.RESERVATION_CANCELED),
    *(E.RESERVATION_RESCINDED, E.RESERVATION_REJECTED, E.RESERVATION_TIMEOUT),
)
_LOST: Final = frozenset((E.RESERVATION_REJECTED, E.RESERVATION_TIMEOUT))
_TAKEN_AWAY: Final = frozenset((E.RESERVATION_CANCELED, E.RESERVATION_RESCINDED))


def load_timeline(scene: Scene) -> Context:
    """Return a day of an agent, or some hours of it, up to now."""
    worker = find_worker(scene)
    day = find_day(scene)
    bars, is_cut = read_bars(scene, worker, day)
    shown = [bar for bar in bars if bar.end_us >= day.first_us and bar.begin_us <= day.last_us]
    names = {one.unique_name: one.name for one in scene.picture.setup.channels.values()}
    for bar in shown:
        bar.lane = names.get(bar.lane, bar.lane)
        bar.begin_us, bar.end_us = max(bar.begin_us, day.first_us), min(bar.end_us, day.last_us)
    lanes, height = place_bars(shown, day.first_us, day.last_us)
    lines = sorted(shown, key=lambda bar: (-bar.begin_us, bar.lane))[:MOST_LINES]
    return {
        "worker": worker,
        "lanes": lanes,
        "height": height,
        "width": WIDTH,
        "track": HEIGHT,
        "hours": list_hours(scene, day),
        "lines": lines,
        "is_cut": is_cut or len(shown) > MOST_LINES,
        "day": day,
        "refresh_at_us": day.last_us + MINUTE_US if day.is_today else None,
        "links": list_day_links(scene, day),
        "is_forgotten": day.begin < scene.now - timedelta(days=settings.TASK_RETENTION_DAYS),
        "retention": settings.TASK_RETENTION_DAYS,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day in the time zone of the view; `first_us` to `last_us` is what is shown of it."""

    begin: datetime
    end: datetime
    first_us: int
    last_us: int
    is_today: bool


def find_day(scene: Scene) -> Day:
    """Return the day of the view, which is today unless it names another, up to now."""
    today = scene.now.astimezone(scene.zone).date()
    chosen = min(date.fromisoformat(scene.view.day), today) if scene.view.day else today
    begin = datetime.combine(chosen, time(), tzinfo=scene.zone)
    end = datetime.combine(chosen + timedelta(days=1), time(), tzinfo=scene.zone)
    last_us = microseconds(min(end, scene.now))
    first_us = microseconds(begin)
    if scene.view.hours:
        first, last = (first_us + int(part) * HOUR_US for part in scene.view.hours.split("-"))
        first_us, last_us = min(first, last_us), min(last, last_us)
    return Day(begin=begin, end=end, first_us=first_us, last_us=last_us, is_today=chosen == today)


def list_day_links(scene: Scene, day: Day) -> dict[str, str]:
    """Return the queries of the day before, the day after, and the whole day."""
    chosen = day.begin.date()
    after = chosen + timedelta(days=1)
    return {
        "before": scene.view.link(day=(chosen - timedelta(days=1)).isoformat()),
        "after": "" if day.is_today else scene.view.link(day=after.isoformat()),
        "today": "" if day.is_today else scene.view.link(day=""),
        "whole": scene.view.link(hours="") if scene.view.hours else "",
    }


def read_bars(scene: Scene, worker: Worker, day: Day) -> tuple[list[Bar], bool]:
    """Return the bars of a day, and whether it has too many events to read all."""
    rows = _events_of(scene, worker).filter(
        event_date__gte=day.begin, event_date__lt=day.end, event_type__in=_TYPES
    )
    rows = rows.order_by("-event_date", "-pk")[: MOST_EVENTS + 1]
    found = [row for row in rows if row.event_data.get("worker_sid") == worker.sid]
    events = found[:MOST_EVENTS][::-1]
    first_us = microseconds(events[0].event_date if len(found) > MOST_EVENTS else day.begin)
    bars = _read_activities(scene, worker, events, day, first_us)
    bars += _read_work(scene, worker, events, day, first_us)
    return bars, len(found) > MOST_EVENTS


def _events_of(scene: Scene, worker: Worker) -> QuerySet[models.Event]:
    return models.Event.objects.filter(
        worker_key=sids.index_key(worker.sid), workspace_sid=scene.workspace.sid
    )


def _name_last_activity(scene: Scene, worker: Worker, day: Day) -> str:
    """Return the activity at the end of a day: the one before the next change, or the present."""
    if not day.is_today:
        later = _events_of(scene, worker).filter(
            event_date__gte=day.end, event_type=E.WORKER_ACTIVITY_UPDATE
        )
        following = later.order_by("event_date", "pk").first()
        if following is not None:
            return following.event_data.get("worker_previous_activity_name") or "–"
    activity = scene.picture.setup.activities.get(worker.activity)
    return activity.name if activity else "–"


def _read_activities(
    scene: Scene, worker: Worker, events: Iterable[models.Event], day: Day, first_us: int
) -> list[Bar]:
    """Return the stays in activities; the first began before the day."""
    known = {one.name: one.available for one in scene.picture.setup.activities.values()}
    end_us = microseconds(min(day.end, scene.now))
    bars: list[Bar] = []

    def add(name: str, begin_us: int, end_us: int, *, is_running: bool = False) -> None:
        kind = "open" if known.get(name) else "shut"
        bars.append(
            Bar(kind=kind, lane="", name=name, begin_us=begin_us, end_us=end_us,
                what=_("Activity"), is_running=is_running)
        )  # fmt: skip

    since_us: int | None = first_us
    for event in events:
        at_us = microseconds(event.event_date)
        if event.event_type == E.WORKER_CREATED:
            since_us = at_us
        elif event.event_type == E.WORKER_ACTIVITY_UPDATE:
            before = event.event_data.get("worker_previous_activity_name") or "–"
            add(before, since_us or first_us, at_us)
            since_us = at_us
    if not day.is_today and since_us == first_us and _is_not_there_yet(scene, worker, day):
        return bars
    name = _name_last_activity(scene, worker, day)
    add(name, since_us or first_us, max(end_us, since_us or 0), is_running=day.is_today)
    return bars


def _is_not_there_yet(scene: Scene, worker: Worker, day: Day) -> bool:
    """Return whether a worker was created after a day."""
    return models.Worker.objects.filter(pk=worker.id, date_created__gte=day.end).exists()


def _read_work(
    scene: Scene, worker: Worker, events: Iterable[models.Event], day: Day, first_us: int
) -> list[Bar]:
    """Return the tasks that a worker had, and the offers that they let go."""
    layout = task_layouts.load_layout(scene.workspace)
    begun: dict[str, tuple[int, Any]] = {}
    bars: list[Bar] = []

    def add(data: Any, kind: str, begin_us: int, end_us: int, what: str) -> None:
        known = subjects.parse_attributes(data.get("task_attributes") or "{}")
        sid = data.get("task_sid") or ""
        name = subjects.first_text(known, layout.titles)[0] or sid
        lane = data.get("task_channel_unique_name") or "–"
        bars.append(
            Bar(kind=kind, lane=lane, name=name, begin_us=begin_us, end_us=end_us,
                link=scene.task_link(sid), what=what)
        )  # fmt: skip

    for event in events:
        data, at_us = event.event_data, microseconds(event.event_date)
        sid = data.get("reservation_sid") or ""
        if event.event_type == E.RESERVATION_ACCEPTED:
            begun[sid] = at_us, data
        elif event.event_type == E.RESERVATION_COMPLETED:
            add(data, "work", begun.pop(sid, (first_us, None))[0], at_us, _("Completed"))
        elif event.event_type in _TAKEN_AWAY and sid in begun:
            add(data, "work", begun.pop(sid)[0], at_us, _("Taken away"))
        elif event.event_type in _LOST:
            missed = event.event_type == E.RESERVATION_TIMEOUT
            add(data, "lost", at_us, at_us, _("Missed") if missed else _("Rejected"))
    if day.is_today:
        return bars + _read_running(scene, worker, layout, first_us)
    end_us = microseconds(day.end)
    for begin_us, data in begun.values():
        add(data, "work", begin_us, end_us, _("In hand at midnight"))
    for event in _find_later_ends(scene, worker, day):
        add(event.event_data, "work", first_us, end_us, _("In hand all day"))
    older = [
        bar for bar in _read_running(scene, worker, layout, first_us) if bar.begin_us <= first_us
    ]
    for bar in older:
        bar.end_us, bar.is_running, bar.what = end_us, False, _("In hand all day")
    return bars + older


def _find_later_ends(scene: Scene, worker: Worker, day: Day) -> list[models.Event]:
    """Return the ends of tasks, after a day, that the worker had before it began."""
    later = _events_of(scene, worker).filter(
        event_date__gte=day.end,
        event_type=E.RESERVATION_COMPLETED,
        handled_ms__isnull=False,
    )
    return [
        event
        for event in later.order_by("event_date", "pk")[:MOST_LINES]
        if event.event_date - timedelta(milliseconds=event.handled_ms or 0) < day.begin
    ]


def _read_running(
    scene: Scene, worker: Worker, layout: task_layouts.Layout, first_us: int
) -> list[Bar]:
    """Return the tasks that a worker has now."""
    rows = models.Reservation.objects.open().filter(
        worker_id=worker.id, date_accepted__isnull=False
    )
    now_us = microseconds(scene.now)
    return [
        Bar(
            kind="work",
            lane=row.task.channel_name,
            name=subjects.first_text(subjects.parse_attributes(row.task.attributes), layout.titles)[
                0
            ]
            or row.task.sid,
            begin_us=max(microseconds(row.date_accepted), first_us),
            end_us=now_us,
            link=scene.task_link(row.task.sid),
            what=_("In hand"),
            is_running=True,
        )
        for row in rows.select_related("task__task_channel").order_by("pk")[:MOST_LINES]
        if row.date_accepted is not None
    ]


def list_hours(scene: Scene, day: Day) -> list[dict[str, Any]]:
    """Return the full hours with their places, and the query that zooms into each."""
    begin_us = microseconds(day.begin)
    scale = WIDTH / max(day.last_us - day.first_us, SECOND_US)
    first = -(-(day.first_us - begin_us) // HOUR_US)
    last = (day.last_us - begin_us) // HOUR_US
    step = 1 if last - first < 12 else 2
    found = []
    for hour in range(first, last + 1, step):
        at = (day.begin.astimezone(UTC) + timedelta(hours=hour)).astimezone(scene.zone)
        found.append(
            {
                "x": round((microseconds(at) - day.first_us) * scale, 1),
                "text": at.strftime("%H:%M"),
                "query": scene.view.link(hours=f"{hour}-{hour + step}"),
            }
        )
    return found


PANELS: Final = (Panel(name="timeline", load=load_timeline, from_picture=False, stale_on=STALE_ON),)
