"""The time of a task as a bar: when it waited, was on offer, in work and wrapped up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from routing.core.event_catalog import EventType as E

WIDTH: Final = 960
"""Width of the drawing; a span that is too short for it is drawn one unit wide."""


class Kind(StrEnum):
    """What a task does for a while."""

    WAITING = "waiting"
    OFFER = "offer"
    WORK = "work"
    WRAPPING = "wrapping"


class Happening(NamedTuple):
    """An event of a task: its type, its moment, and the reservation that it is about."""

    event_type: str
    at_us: int
    reservation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of the bar, in the units of the drawing."""

    kind: Kind
    begin_us: int
    end_us: int
    x: float
    width: float

    @property
    def took_ms(self) -> int:
        """Return how long it took."""
        return (self.end_us - self.begin_us) // 1000


_OFFER_ENDS: Final = frozenset(
    (
        *(E.RESERVATION_REJECTED, E.RESERVATION_TIMEOUT, E.RESERVATION_CANCELED),
        E.RESERVATION_RESCINDED,
    )
)
_BACK: Final = frozenset((E.TASK_TAKEN_BACK, E.TASK_QUEUE_ENTERED, E.TASK_CREATED))
_ENDS: Final = frozenset((E.TASK_COMPLETED, E.TASK_CANCELED, E.TASK_DELETED, E.TASK_SYSTEM_DELETED))


def build_spans(happenings: Sequence[Happening], *, now_us: int) -> list[Span]:
    """Return the parts of the bar from the first event to the end of the task, or to now."""
    parts: list[tuple[Kind, int, int]] = []
    kind: Kind | None = None
    begin_us = 0
    offers: set[str] = set()
    for each in happenings:
        following = _find_next(each, kind, offers)
        if following is kind:
            continue
        if kind is not None:
            parts.append((kind, begin_us, each.at_us))
        kind, begin_us = following, each.at_us
    if kind is not None:
        parts.append((kind, begin_us, max(now_us, begin_us)))
    return _place([part for part in parts if part[2] > part[1]])


def _find_next(each: Happening, kind: Kind | None, offers: set[str]) -> Kind | None:
    """Return what the task does from an event on; None after its end."""
    event_type = each.event_type
    if event_type in _ENDS:
        return None
    if event_type == E.RESERVATION_CREATED:
        offers.add(each.reservation)
    else:
        offers.discard(each.reservation)
    is_held = kind in (Kind.WORK, Kind.WRAPPING)
    if event_type in _BACK:
        return kind if is_held and event_type != E.TASK_TAKEN_BACK else Kind.WAITING
    if event_type == E.RESERVATION_ACCEPTED:
        return Kind.WORK
    if event_type in (E.RESERVATION_WRAPUP, E.TASK_WRAPUP):
        return Kind.WRAPPING
    if is_held:
        # An offer of a transfer leaves the task with its agent.
        return kind
    if event_type == E.RESERVATION_CREATED:
        return Kind.OFFER
    if event_type in _OFFER_ENDS and not offers:
        return Kind.WAITING
    return kind


def _place(parts: Sequence[tuple[Kind, int, int]]) -> list[Span]:
    if not parts:
        return []
    first_us = parts[0][1]
    scale = WIDTH / (parts[-1][2] - first_us)
    return [
        Span(
            kind=kind,
            begin_us=begin_us,
            end_us=end_us,
            x=round((begin_us - first_us) * scale, 1),
            width=max(round((end_us - begin_us) * scale, 1), 1.0),
        )
        for kind, begin_us, end_us in parts
    ]


def sum_spans(spans: Iterable[Span]) -> Mapping[Kind, int]:
    """Return how many milliseconds a task did each in all."""
    total: Counter[Kind] = Counter()
    for span in spans:
        total[span.kind] += span.took_ms
    return {kind: total[kind] for kind in Kind if kind in total}
