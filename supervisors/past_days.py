"""The days of one agent, counted: what they handled, their offers, their slots, and their grabs.

Counts are from the agent's own events, as the bookkeeper counts them. Slot times are from the
quarters of an hour that are written.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final

from django.db.models import QuerySet, Sum
from django.db.models.fields.json import KT

from routing import models, sids
from routing.core import rates
from routing.core.event_catalog import EventType as E
from routing.core.rates import Ratio
from routing.core.slot_time import WORKER
from routing.core.vocabulary import ReservationOrigin
from routing.models.figures import QUARTER
from routing.statistics import booking
from routing.statistics.bookkeeper import floor_minute
from routing.statistics.occupancy import ChannelTime, WorkerTime
from routing.time_zones import find_zone
from supervisors.panel import Scene
from supervisors.picture import Worker

USUAL_DAYS: Final = 7
MOST_DAYS: Final = 31
MOST_EVENTS: Final = 20_000
"""The number of events of an agent that are counted, the newest ones."""

_TYPES: Final = (
    *(E.RESERVATION_CREATED, E.RESERVATION_ACCEPTED, E.RESERVATION_REJECTED),
    *(E.RESERVATION_TIMEOUT, E.RESERVATION_RESCINDED, E.RESERVATION_CANCELED),
    E.RESERVATION_COMPLETED,
)


@dataclass(slots=True, kw_only=True)
class PastDay:
    """One day of an agent, from `start` to `end` in minutes since 1970.

    Arguments:
        counts: the columns of `Figure`.
        available_ms: the time in activities that take work.
        away_ms: the time in other activities, in quarters with any work or availability.
        in_order: grabs with no older task of the same lane, nor of the queue.
        out_of_order: grabs with an older task of the same lane, which is certain.
        maybe: grabs with older tasks of other lanes of the queue.
    """

    day: date
    start: int
    end: int
    counts: Counter[str] = field(default_factory=Counter)
    time: WorkerTime = field(default_factory=WorkerTime)
    available_ms: int = 0
    away_ms: int = 0
    in_order: int = 0
    out_of_order: int = 0
    maybe: int = 0

    @property
    def average_handle_ms(self) -> int | None:
        """Return the average handle time, with the wrap-up."""
        return rates.average_ms(self.counts["handled_ms"], self.counts["handled"])

    @property
    def average_wrap_up_ms(self) -> int | None:
        """Return the average wrap-up of those that were wrapped up."""
        return rates.average_ms(self.counts["wrapping_ms"], self.counts["wrapped"])

    @property
    def effort_ms(self) -> int | None:
        """Return the effort per handled task."""
        return rates.average_ms(self.time.effort_ms, self.counts["handled"])

    @property
    def busy_share(self) -> Ratio:
        """Return the share of time with a task in hand, of that and of idle time."""
        return self.time.busy_share

    @property
    def occupancy(self) -> Ratio:
        """Return the share of busy slots of those that were busy or free."""
        return self.time.slot_occupancy


def count_days(scene: Scene, worker: Worker, days: Sequence[PastDay]) -> bool:
    """Count an agent's days; return whether there are too many events to count all."""
    is_cut = _count_events(scene, worker, days)
    _sum_slots(scene, worker, days)
    _sum_activities(scene, worker, days)
    return is_cut


def list_days(scene: Scene) -> tuple[list[PastDay], bool]:
    """Return the workspace's days of the view's window, the last first, and whether some are cut.

    A window that is not named by two days is the last seven days.
    """
    workspace = scene.workspace
    zone = find_zone(workspace.time_zone)
    begins = time.fromisoformat(workspace.day_starts_at)
    here = scene.now.astimezone(zone)
    today = here.date() if here.time() >= begins else here.date() - timedelta(days=1)
    first, dots, last = scene.view.window.partition("..")
    final = min(date.fromisoformat(last), today) if dots else today
    earliest = date.fromisoformat(first) if dots else final - timedelta(days=USUAL_DAYS - 1)
    count = max((final - earliest).days + 1, 1)
    found = []
    for back in range(min(count, MOST_DAYS)):
        day = final - timedelta(days=back)
        start = floor_minute(datetime.combine(day, begins, tzinfo=zone))
        end = floor_minute(datetime.combine(day + timedelta(days=1), begins, tzinfo=zone))
        found.append(PastDay(day=day, start=start, end=end))
    return found, count > MOST_DAYS


def _find_day(days: Sequence[PastDay], minute: int) -> PastDay | None:
    return next((day for day in days if day.start <= minute < day.end), None)


def _events_of(scene: Scene, worker: Worker, days: Sequence[PastDay]) -> QuerySet[models.Event]:
    return models.Event.objects.filter(
        worker_key=sids.index_key(worker.sid),
        workspace_sid=scene.workspace.sid,
        event_date__gte=datetime.fromtimestamp(days[-1].start * 60, tz=scene.zone),
        event_date__lt=datetime.fromtimestamp(days[0].end * 60, tz=scene.zone),
    )


def _count_events(scene: Scene, worker: Worker, days: Sequence[PastDay]) -> bool:
    """Count the agent's events into days; return whether there are too many to count all."""
    rows = _events_of(scene, worker, days).filter(event_type__in=_TYPES)
    events = booking.read_events(rows.order_by("-event_date", "-pk")[: MOST_EVENTS + 1])
    key = sids.index_key(worker.sid)
    for (minute, _, _, of_worker, _, _), counts in booking.count_events(events).figures.items():
        if of_worker == key and (day := _find_day(days, minute)) is not None:
            day.counts.update(counts)
    grabs = _events_of(scene, worker, days).filter(
        event_type=E.RESERVATION_ACCEPTED, origin=ReservationOrigin.GRAB
    )
    values = grabs.order_by("-event_date", "-pk").values_list(
        "event_date", KT("event_data__grab_ahead"), KT("event_data__grab_older")
    )
    for at, ahead, older in values[:MOST_EVENTS]:
        day = _find_day(days, floor_minute(at, 1))
        if day is None or ahead is None:
            continue
        if int(ahead):
            day.out_of_order += 1
        elif int(older or 0):
            day.maybe += 1
        else:
            day.in_order += 1
    return len(events) > MOST_EVENTS


def _list_quarters(days: Sequence[PastDay]) -> list[int]:
    # Named one by one, as the index leads from the quarter to the worker.
    return [minute for day in days for minute in range(day.start, day.end, QUARTER)]


def _sum_slots(scene: Scene, worker: Worker, days: Sequence[PastDay]) -> None:
    weights = {
        sids.index_key(sid): weight
        for sid, weight in scene.workspace.task_channels.values_list("sid", "occupancy_weight")
    }
    rows = models.SlotFigure.objects.filter(
        workspace=scene.workspace,
        minute__in=_list_quarters(days),
        worker_key=sids.index_key(worker.sid),
    )
    columns = ("busy_ms", "free_ms", "offered_ms", "closed_ms", "effort_ms")
    for minute, channel, *sums in rows.values_list("minute", "task_channel_key", *columns):
        day = _find_day(days, minute)
        if day is None:
            continue
        found = ChannelTime(weights.get(channel, 1), *sums)
        if channel == WORKER:
            day.time.add(WorkerTime(found.busy_ms, found.free_ms))
        else:
            day.time.add(WorkerTime(channels={channel: found}))


def _sum_activities(scene: Scene, worker: Worker, days: Sequence[PastDay]) -> None:
    available = {
        sids.index_key(activity.sid): activity.available
        for activity in scene.picture.setup.activities.values()
    }
    rows = models.ActivityFigure.objects.filter(
        workspace=scene.workspace,
        minute__in=_list_quarters(days),
        worker_key=sids.index_key(worker.sid),
    )
    grouped = rows.order_by().values_list("minute", "activity_key").annotate(Sum("total_ms"))
    spent: dict[tuple[date, bool], int] = defaultdict(int)
    for minute, activity, total in grouped:
        if (day := _find_day(days, minute)) is not None:
            spent[day.day, available.get(activity, False)] += total
    for day in days:
        day.available_ms, day.away_ms = spent[day.day, True], spent[day.day, False]
