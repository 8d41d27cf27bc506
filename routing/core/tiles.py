"""The tiles of a board: what each shows, checked as it comes from a form or from the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from routing.core.floor_figures import FloorFigure

MOST_TILES: Final = 12
MOST_QUEUES: Final = 20
LONGEST_LABEL: Final = 40


class TileKind(StrEnum):
    """How a tile is drawn."""

    NUMBER = "number"
    LINE = "line"  # a number with the last 60 minutes
    WORST = "worst"  # the worst queues
    STATES = "states"  # agents by state


class TileFigure(FloorFigure):
    """The figures that a tile may show."""

    WAITING = "waiting"
    ON_OFFER = "on_offer"
    IN_WORK = "in_work"
    WRAPPING = "wrapping"
    LONGEST_WAIT = "longest_wait"
    OVERDUE = "overdue"
    AVAILABLE = "available"
    FREE = "free"
    SLOTS_FREE = "slots_free"
    NO_DESK = "no_desk"
    ALERTS = "alerts"
    ENTERED = "entered"
    ANSWERED = "answered"
    ABANDONED = "abandoned"
    MISSED = "missed"
    HANDLED = "handled"
    SERVICE_LEVEL = "service_level"
    ABANDONMENT = "abandonment"
    SPEED = "speed"  # average speed of answer
    HANDLE_TIME = "handle_time"  # average handle time


class TileWindow(StrEnum):
    """The window of a figure that the books have."""

    HALF_HOUR = "30m"
    TODAY = "today"


COUNTED: Final = frozenset(
    {
        *(TileFigure.ENTERED, TileFigure.ANSWERED, TileFigure.ABANDONED),
        *(TileFigure.MISSED, TileFigure.HANDLED),
    }
)
"""Figures that are counts of what happened, which a line can show."""
WINDOWED: Final = COUNTED | {
    *(TileFigure.SERVICE_LEVEL, TileFigure.ABANDONMENT, TileFigure.SPEED, TileFigure.HANDLE_TIME),
}
"""Figures of a window; the others are true now."""


class BadTile(ValueError):
    """A tile that cannot be shown, with the field that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One tile.

    Arguments:
        queues: the sids of the queues that count; none for all.
        channel: the unique name of a task channel; empty for all.
        watch, act: limits in the figure's unit: a number, seconds or percent.
    """

    kind: TileKind = TileKind.NUMBER
    figure: TileFigure = TileFigure.WAITING
    window: TileWindow = TileWindow.HALF_HOUR
    queues: tuple[str, ...] = ()
    channel: str = ""
    watch: int | None = None
    act: int | None = None
    label: str = ""

    def __post_init__(self) -> None:
        if self.kind is TileKind.LINE and self.figure not in COUNTED:
            counted = ", ".join(sorted(COUNTED))
            raise BadTile("figure", f"a line shows one of: {counted}; not {self.figure}")
        if len(self.queues) > MOST_QUEUES:
            raise BadTile("queues", f"a tile names at most {MOST_QUEUES} queues")
        if len(self.label) > LONGEST_LABEL:
            raise BadTile("label", f"a label has at most {LONGEST_LABEL} characters")
        if self.watch is None or self.act is None:
            return
        if not self.figure.is_worse(self.act, self.watch):
            side = "smaller" if self.figure.is_low_bad else "larger"
            raise BadTile("act", f"act is {self.act}; it must be {side} than watch")

    def to_json(self) -> dict[str, Any]:
        """Return the tile as it is stored."""
        return {**asdict(self), "queues": list(self.queues)}

    def find_level(self, value: float | None) -> str:
        """Return how severe a value is: `ok`, `watch` or `act`."""
        for level, limit in (("act", self.act), ("watch", self.watch)):
            if limit is not None and self.figure.is_beyond(limit, value):
                return level
        return "ok"


def read_tile(stored: Mapping[str, Any]) -> Tile:
    """Return a tile of the database; raises `BadTile` or `ValueError` if it is malformed."""
    return Tile(
        kind=TileKind(stored.get("kind", TileKind.NUMBER)),
        figure=TileFigure(stored.get("figure", TileFigure.WAITING)),
        window=TileWindow(stored.get("window", TileWindow.HALF_HOUR)),
        queues=tuple(str(sid) for sid in stored.get("queues", ())),
        channel=str(stored.get("channel", "")),
        watch=_read_limit(stored, "watch"),
        act=_read_limit(stored, "act"),
        label=str(stored.get("label", "")),
    )


def _read_limit(stored: Mapping[str, Any], name: str) -> int | None:
    value: object = stored.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise BadTile(name, f"{name} is {value!r}; it must be a whole number from 0 to 1000000")
    return value
