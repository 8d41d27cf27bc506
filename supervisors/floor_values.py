"""Read the figures of thresholds and tiles from a picture: each in one way, for any queues."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from routing.core.alerting import AlertFigure, AlertScope
from routing.core.floor_figures import FloorFigure
from routing.core.rates import Ratio
from routing.core.tiles import TileFigure
from supervisors.picture import Picture, free_channels
from supervisors.staff import NO_STAFF, Staff

SECOND_US: Final = 1_000_000
WrapUps = Mapping[tuple[int, int], int]
"""When the oldest wrap-up of a queue and channel began, in microseconds, by their ids."""


@dataclass(frozen=True, slots=True)
class FloorScope:
    """A picture, seen through some queues and channels.

    Arguments:
        queues: the ids of the queues that count; None for the whole floor.
        channels: the ids of the channels that count; none for all.
        wrap_ups: needed for the oldest wrap-up only.
    """

    picture: Picture
    queues: tuple[int, ...] | None
    channels: tuple[int, ...]
    now_us: int
    wrap_ups: WrapUps = field(default_factory=dict)

    @property
    def places(self) -> tuple[int | None, ...]:
        """Return the queues, or None for all of them at once."""
        return (None,) if self.queues is None else self.queues

    @property
    def since_us(self) -> int | None:
        """Return the creation of the oldest pending task."""
        found = [self.picture.longest_of(place, self.channels) for place in self.places]
        return min((longest.since_us for longest in found if longest is not None), default=None)

    def sum_over(self, read: Callable[[int | None], float]) -> float:
        """Return the sum of a figure over the queues, or that of the floor."""
        return sum(read(place) for place in self.places)

    def list_staff(self) -> set[int]:
        """Return the ids of the workers who serve one of the queues, each once."""
        own = set(self.queues or ())
        return {pk for pk, worker in self.picture.workers.items() if worker.serves & own}


Read = Callable[[FloorScope], float | None]


def read_places(
    picture: Picture,
    figure: AlertFigure,
    scope: AlertScope,
    *,
    queue: int | None,
    channel: int | None,
    now_us: int,
    wrap_ups: WrapUps,
) -> dict[int, float | None]:
    """Return a figure for each place of a threshold; 0 stands for the whole floor.

    Arguments:
        queue, channel: the ids that the threshold names.
    """
    channels = () if channel is None else (channel,)
    read = READ[figure]
    match scope:
        case AlertScope.QUEUE:
            places: Collection[int] = [pk for pk in picture.setup.queues if pk == queue]
        case AlertScope.EACH_QUEUE:
            places = picture.setup.queues
        case AlertScope.FLOOR:
            return {0: read(FloorScope(picture, None, channels, now_us, wrap_ups))}
    return {
        place: read(FloorScope(picture, (place,), channels, now_us, wrap_ups)) for place in places
    }


def _read_tasks(name: str) -> Read:
    return lambda scope: scope.sum_over(
        lambda queue: getattr(scope.picture.tasks_of(queue, scope.channels), name)
    )


def _read_recent(name: str) -> Read:
    return lambda scope: scope.sum_over(
        lambda queue: getattr(scope.picture.recent_of(queue, scope.channels), name)
    )


def _read_share(name: str) -> Read:
    def read(scope: FloorScope) -> float | None:
        recent = [scope.picture.recent_of(queue, scope.channels) for queue in scope.places]
        return sum((getattr(each, name) for each in recent), Ratio()).percent

    return read


def _read_longest_wait(scope: FloorScope) -> float:
    since = scope.since_us
    return 0 if since is None else max(scope.now_us - since, 0) / SECOND_US


def _find_staff(scope: FloorScope) -> Staff | None:
    """Return the sums over the workers of the scope; None for several queues, which share some."""
    if scope.queues is None:
        return scope.picture.everyone
    if len(scope.queues) > 1:
        return None
    return scope.picture.staff_of(scope.queues[0]) if scope.queues else NO_STAFF


def _read_available(scope: FloorScope) -> float:
    staff = _find_staff(scope)
    if staff is None:
        return sum(scope.picture.workers[pk].available for pk in scope.list_staff())
    return staff.channel(scope.channels[0]).on if scope.channels else staff.available


def _read_free(scope: FloorScope) -> float:
    staff, wanted = _find_staff(scope), frozenset(scope.channels)
    if staff is not None:
        return staff.free_for(wanted) if wanted else staff.free
    multi_task = scope.picture.setup.multi_task
    free = (
        free_channels(scope.picture.workers[pk], multi_task=multi_task) for pk in scope.list_staff()
    )
    return sum(bool(found & wanted if wanted else found) for found in free)


def _read_free_slots(scope: FloorScope) -> float | None:
    staff = _find_staff(scope)
    if staff is None or not scope.picture.setup.multi_task:
        return None
    channels = scope.channels or tuple(staff.channels)
    return sum(staff.channel(pk).for_router for pk in channels)


def _read_oldest_wrap_up(scope: FloorScope) -> float:
    begun = [
        since
        for (queue, channel), since in scope.wrap_ups.items()
        if (scope.queues is None or queue in scope.queues)
        and (not scope.channels or channel in scope.channels)
    ]
    return max(scope.now_us - min(begun), 0) / SECOND_US if begun else 0


def _count_without_desk(scope: FloorScope) -> float | None:
    picture = scope.picture
    if not picture.knows_desks:
        return None
    if scope.queues is None:
        return len(picture.unreachable)
    return sum(
        not picture.workers[pk].serves.isdisjoint(scope.queues) for pk in picture.unreachable
    )


def _count_alerts(scope: FloorScope) -> float:
    alerts = scope.picture.alerts
    return sum(scope.queues is None or alert.queue in scope.queues for alert in alerts)


READ: Final[Mapping[FloorFigure, Read]] = {
    TileFigure.WAITING: _read_tasks("waiting"),
    TileFigure.ON_OFFER: _read_tasks("offered"),
    TileFigure.IN_WORK: _read_tasks("in_work"),
    TileFigure.WRAPPING: _read_tasks("wrapping"),
    TileFigure.LONGEST_WAIT: _read_longest_wait,
    TileFigure.OVERDUE: _read_recent("overdue"),
    TileFigure.AVAILABLE: _read_available,
    TileFigure.FREE: _read_free,
    TileFigure.SLOTS_FREE: _read_free_slots,
    TileFigure.NO_DESK: _count_without_desk,
    TileFigure.ALERTS: _count_alerts,
    TileFigure.SERVICE_LEVEL: _read_share("level"),
    TileFigure.ABANDONMENT: _read_share("gave_up"),
    AlertFigure.OLDEST_WRAP_UP: _read_oldest_wrap_up,
    AlertFigure.MISSED_OFFERS: _read_recent("missed"),
}
"""How each figure of now and of the last minutes is read; members of one name are equal."""
