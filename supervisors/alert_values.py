"""Read the figures of thresholds from a picture."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from routing.core.alerting import AlertFigure, AlertScope
from supervisors.picture import Picture

SECOND_US: Final = 1_000_000
WrapUps = Mapping[tuple[int, int], int]
"""When the oldest wrap-up of a queue and channel began, in microseconds, by their ids."""


def read_values(
    picture: Picture,
    figure: AlertFigure,
    scope: AlertScope,
    *,
    queue: int | None,
    channel: int | None,
    now_us: int,
    wrap_ups: WrapUps,
) -> dict[int, float | None]:
    """Return a figure for each place of a threshold; 0 stands for the whole workspace.

    Arguments:
        queue, channel: the ids that the threshold names.
        wrap_ups: needed for the oldest wrap-up only.
    """
    channels = () if channel is None else (channel,)
    read = _READ[figure]
    match scope:
        case AlertScope.QUEUE:
            places: Collection[int] = [pk for pk in picture.setup.queues if pk == queue]
        case AlertScope.EACH_QUEUE:
            places = picture.setup.queues
        case AlertScope.FLOOR:
            return {0: read(picture, None, channels, now_us, wrap_ups)}
    return {place: read(picture, place, channels, now_us, wrap_ups) for place in places}


Channels = tuple[int, ...]
Read = Callable[[Picture, int | None, Channels, int, WrapUps], float | None]


def _read_waiting(
    picture: Picture, queue: int | None, channels: Channels, _now: int, _wrap_ups: WrapUps
) -> float:
    return picture.tasks_of(queue, channels).waiting


def _read_longest_wait(
    picture: Picture, queue: int | None, channels: Channels, now_us: int, _wrap_ups: WrapUps
) -> float:
    longest = picture.longest_of(queue, channels)
    return 0 if longest is None else max(now_us - longest.since_us, 0) / SECOND_US


def _read_overdue(
    picture: Picture, queue: int | None, channels: Channels, _now: int, _wrap_ups: WrapUps
) -> float:
    return picture.recent_of(queue, channels).overdue


def _read_service_level(
    picture: Picture, queue: int | None, channels: Channels, _now: int, _wrap_ups: WrapUps
) -> float | None:
    return picture.recent_of(queue, channels).level.percent


def _read_abandonment(
    picture: Picture, queue: int | None, channels: Channels, _now: int, _wrap_ups: WrapUps
) -> float | None:
    return picture.recent_of(queue, channels).gave_up.percent


def _read_available(
    picture: Picture, queue: int | None, channels: Channels, _now: int, _wrap_ups: WrapUps
) -> float:
    staff = picture.everyone if queue is None else picture.staff_of(queue)
    return staff.channel(channels[0]).on if channels else staff.available


def _read_free(
    picture: Picture, queue: int | None, channels: Channels, _now: int, _wrap_ups: WrapUps
) -> float:
    staff = picture.everyone if queue is None else picture.staff_of(queue)
    return staff.free_for(channels) if channels else staff.free


def _read_oldest_wrap_up(
    _picture: Picture, queue: int | None, channels: Channels, now_us: int, wrap_ups: WrapUps
) -> float:
    begun = [
        since
        for (of_queue, channel), since in wrap_ups.items()
        if queue in (None, of_queue) and (not channels or channel in channels)
    ]
    return max(now_us - min(begun), 0) / SECOND_US if begun else 0


def _read_missed(
    picture: Picture, queue: int | None, channels: Channels, _now: int, _wrap_ups: WrapUps
) -> float:
    return picture.recent_of(queue, channels).missed


def _count_without_desk(
    picture: Picture, queue: int | None, _channels: Channels, _now: int, _wrap_ups: WrapUps
) -> float:
    if queue is None:
        return len(picture.unreachable)
    return sum(queue in picture.workers[pk].serves for pk in picture.unreachable)


_READ: Final[Mapping[AlertFigure, Read]] = {
    AlertFigure.WAITING: _read_waiting,
    AlertFigure.LONGEST_WAIT: _read_longest_wait,
    AlertFigure.OVERDUE: _read_overdue,
    AlertFigure.SERVICE_LEVEL: _read_service_level,
    AlertFigure.ABANDONMENT: _read_abandonment,
    AlertFigure.AVAILABLE: _read_available,
    AlertFigure.FREE: _read_free,
    AlertFigure.OLDEST_WRAP_UP: _read_oldest_wrap_up,
    AlertFigure.MISSED_OFFERS: _read_missed,
    AlertFigure.NO_DESK: _count_without_desk,
}
