"""The day of one agent: activities and tasks as bars, and as a table, from their events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _

from routing import models, sids, subjects, task_layouts
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType as E
from supervisors.agent import find_worker
from supervisors.agents import STALE_ON
from supervisors.panel import Context, Panel, Scene
from supervisors.picture import Worker

MOST_EVENTS: Final = 3_000
"""The number of events of a day that are read, the newest ones."""
MOST_LINES: Final = 500
"""The number of lines of the table, the newest ones."""
MOST_TRACKS: Final = 10
"""The number of tracks for tasks of one channel at the same time; others share the last one."""

WIDTH: Final = 960
HEIGHT: Final = 18
"""Height of a track."""
GAP: Final = 10
"""Space between two lanes, and above the first for the hours."""
SECOND_US: Final = 1_000_000

_TYPES: Final = (
    *(E.WORKER_CREATED, E.WORKER_ACTIVITY_UPDATE, E.RESERVATION_ACCEPTED),
    *(E.RESERVATION_WRAPUP, E.RESERVATION_COMPLETED, E.RESERVATION_CANCELED),
    *(E.RESERVATION_RESCINDED, E.RESERVATION_REJECTED, E.RESERVATION_TIMEOUT),
)
_LOST: Final = frozenset((E.RESERVATION_REJECTED, E.RESERVATION_TIMEOUT))
_TAKEN_AWAY: Final = frozenset((E.RESERVATION_CANCELED, E.RESERVATION_RESCINDED))


@dataclass(slots=True, kw_only=True)
class Bar:
    """A stay in an activity, a task in hand, or a lost offer, which has no length.

    Arguments:
        kind: `open` or `shut` for activities; `work` or `lost`.
        lane: the name of the channel; "" for activities.
        track: the place among the bars of the lane at the same time.
    """

    kind: str
    lane: str
    name: str
    begin_us: int
    end_us: int
    link: str = ""
    what: str = ""
    is_running: bool = False
    track: int = 0


@dataclass(slots=True, kw_only=True)
class Lane:
    """The bars of one channel, or the activities."""

    name: str
    y: int
    height: int
    bars: list[dict[str, Any]] = field(default_factory=list)


def load_timeline(scene: Scene) -> Context:
    """Return the day of an agent up to now."""
    worker = find_worker(scene)
    begin = find_midnight(scene)
    bars, is_cut = read_bars(scene, worker, begin)
    lanes, height = place_bars(bars, microseconds(begin), microseconds(scene.now))
    lines = sorted(bars, key=lambda bar: (-bar.begin_us, bar.lane))[:MOST_LINES]
    return {
        "worker": worker,
        "lanes": lanes,
        "height": height,
        "width": WIDTH,
        "track": HEIGHT,
        "hours": list_hours(scene, begin),
        "lines": lines,
        "is_cut": is_cut or len(bars) > MOST_LINES,
    }


def find_midnight(scene: Scene) -> datetime:
    """Return the beginning of the day in the time zone of the view."""
    return scene.now.astimezone(scene.zone).replace(hour=0, minute=0, second=0, microsecond=0)


def read_bars(scene: Scene, worker: Worker, begin: datetime) -> tuple[list[Bar], bool]:
    """Return the bars of a day, and whether it has too many events to read all."""
    rows = models.Event.objects.filter(
        worker_key=sids.index_key(worker.sid),
        workspace_sid=scene.workspace.sid,
        event_date__gte=begin,
        event_type__in=_TYPES,
    ).order_by("-event_date", "-pk")[: MOST_EVENTS + 1]
    found = [row for row in rows if row.event_data.get("worker_sid") == worker.sid]
    events = found[:MOST_EVENTS][::-1]
    first_us = microseconds(events[0].event_date if len(found) > MOST_EVENTS else begin)
    bars = _read_activities(scene, worker, events, first_us)
    bars += _read_work(scene, worker, events, first_us)
    return bars, len(found) > MOST_EVENTS


def _read_activities(
    scene: Scene, worker: Worker, events: Iterable[models.Event], first_us: int
) -> list[Bar]:
    """Return the stays in activities; the first began before the day."""
    known = {one.name: one.available for one in scene.picture.setup.activities.values()}
    now_us = microseconds(scene.now)
    bars: list[Bar] = []

    def add(name: str, begin_us: int, end_us: int, *, is_running: bool = False) -> None:
        kind = "open" if known.get(name) else "shut"
        bars.append(
            Bar(kind=kind, lane="", name=name, begin_us=begin_us, end_us=end_us,
                what=_("Activity"), is_running=is_running)
        )  # fmt: skip

    since_us = first_us
    for event in events:
        at_us = microseconds(event.event_date)
        if event.event_type == E.WORKER_CREATED:
            since_us = at_us
        elif event.event_type == E.WORKER_ACTIVITY_UPDATE:
            add(event.event_data.get("worker_previous_activity_name") or "–", since_us, at_us)
            since_us = at_us
    activity = scene.picture.setup.activities.get(worker.activity)
    add(activity.name if activity else "–", since_us, max(now_us, since_us), is_running=True)
    return bars


def _read_work(
    scene: Scene, worker: Worker, events: Iterable[models.Event], first_us: int
) -> list[Bar]:
    """Return the tasks that a worker had, and the offers that they let go."""
    layout = task_layouts.load_layout(scene.workspace)
    begun: dict[str, int] = {}
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
            begun[sid] = at_us
        elif event.event_type == E.RESERVATION_COMPLETED:
            add(data, "work", begun.pop(sid, first_us), at_us, _("Completed"))
        elif event.event_type in _TAKEN_AWAY and sid in begun:
            add(data, "work", begun.pop(sid), at_us, _("Taken away"))
        elif event.event_type in _LOST:
            missed = event.event_type == E.RESERVATION_TIMEOUT
            add(data, "lost", at_us, at_us, _("Missed") if missed else _("Rejected"))
    return bars + _read_running(scene, worker, layout, first_us)


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


def place_bars(bars: Sequence[Bar], begin_us: int, end_us: int) -> tuple[list[Lane], int]:
    """Return the lanes with the bars in their places, and the height of the drawing."""
    scale = WIDTH / max(end_us - begin_us, SECOND_US)
    lanes: list[Lane] = []
    y = GAP * 2
    for name in sorted({bar.lane for bar in bars}):
        own = sorted((bar for bar in bars if bar.lane == name), key=lambda bar: bar.begin_us)
        tracks = _share_tracks(own)
        lane = Lane(name=name, y=y, height=tracks * HEIGHT)
        for bar in own:
            x = round((bar.begin_us - begin_us) * scale, 1)
            lane.bars.append(
                {
                    "bar": bar,
                    "x": x,
                    "y": y + bar.track * HEIGHT,
                    "width": max(round((bar.end_us - bar.begin_us) * scale, 1), 2),
                    "height": HEIGHT - 2,
                }
            )
        lanes.append(lane)
        y += tracks * HEIGHT + GAP
    return lanes, y


def _share_tracks(bars: Iterable[Bar]) -> int:
    """Give each bar the first track that is free from its beginning on; return their number."""
    ends: list[int] = []
    for bar in bars:
        free = next((n for n, end in enumerate(ends) if end <= bar.begin_us), len(ends))
        bar.track = min(free, MOST_TRACKS - 1)
        ends[bar.track : bar.track + 1] = [bar.end_us]
    return max(len(ends), 1)


def list_hours(scene: Scene, begin: datetime) -> list[dict[str, Any]]:
    """Return the full hours of the day up to now with their places, at most twelve of them."""
    begin_us, now_us = microseconds(begin), microseconds(scene.now)
    scale = WIDTH / max(now_us - begin_us, SECOND_US)
    hours = int((now_us - begin_us) / SECOND_US // 3600)
    step = 1 if hours <= 12 else 2
    found = []
    for hour in range(0, hours + 1, step):
        at = begin + timedelta(hours=hour)
        x = round((microseconds(at) - begin_us) * scale, 1)
        found.append({"x": x, "text": at.strftime("%H:%M")})
    return found


PANELS: Final = (Panel(name="timeline", load=load_timeline, from_picture=False, stale_on=STALE_ON),)
