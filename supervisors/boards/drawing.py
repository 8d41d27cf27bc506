"""Compute what the tiles of a board show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db.models import Sum
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing import models, sids
from routing.core.clock import microseconds
from routing.core.floor_figures import FigureUnit
from routing.core.tiles import BadTile, TileFigure, TileKind, read_tile
from routing.statistics.bookkeeper import floor_minute
from supervisors.boards.values import TileScope, read_value
from supervisors.durations import format_duration
from supervisors.judging import Severity, judge_queues
from supervisors.picture import Picture, State
from supervisors.wording import SEVERITIES, STATES

LINE_MINUTES: Final = 60
MOST_WORST: Final = 6

FIGURES: Final[Mapping[TileFigure, Promise]] = {
    TileFigure.WAITING: gettext_lazy("Waiting"),
    TileFigure.ON_OFFER: gettext_lazy("On offer"),
    TileFigure.IN_WORK: gettext_lazy("In work"),
    TileFigure.WRAPPING: gettext_lazy("Wrapping up"),
    TileFigure.LONGEST_WAIT: gettext_lazy("Longest wait"),
    TileFigure.OVERDUE: gettext_lazy("Overdue"),
    TileFigure.AVAILABLE: gettext_lazy("Available agents"),
    TileFigure.FREE: gettext_lazy("Agents with a free slot"),
    TileFigure.SLOTS_FREE: gettext_lazy("Free slots"),
    TileFigure.NO_DESK: gettext_lazy("No desk open"),
    TileFigure.ALERTS: gettext_lazy("Open alerts"),
    TileFigure.ENTERED: gettext_lazy("Entered"),
    TileFigure.ANSWERED: gettext_lazy("Answered"),
    TileFigure.ABANDONED: gettext_lazy("Abandoned"),
    TileFigure.MISSED: gettext_lazy("Missed offers"),
    TileFigure.HANDLED: gettext_lazy("Handled"),
    TileFigure.SERVICE_LEVEL: gettext_lazy("Service level"),
    TileFigure.ABANDONMENT: gettext_lazy("Abandonment rate"),
    TileFigure.SPEED: gettext_lazy("Average speed of answer"),
    TileFigure.HANDLE_TIME: gettext_lazy("Average handle time"),
}
"""The name of each figure."""
KINDS: Final[Mapping[TileKind, Promise]] = {
    TileKind.NUMBER: gettext_lazy("Number"),
    TileKind.LINE: gettext_lazy("Number with the last 60 minutes"),
    TileKind.WORST: gettext_lazy("Worst queues"),
    TileKind.STATES: gettext_lazy("Agents by state"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a list: a name, a value and how severe it is."""

    name: str
    value: str
    severity: Severity = Severity.OK

    @property
    def severity_word(self) -> str:
        """Return the word of the severity; empty for OK."""
        return str(SEVERITIES[self.severity]) if self.severity else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A tile with its values.

    Arguments:
        scope: what the figure is about, in words.
        points: the line as points of an SVG that is 100 wide and 30 high; empty for none.
        since_ms: since when a time runs that goes on; None for one that does not.
    """

    label: str
    scope: str = ""
    value: str = ""
    severity: Severity = Severity.OK
    points: str = ""
    most: str = ""
    since_ms: int | None = None
    rows: Sequence[Row] = field(default_factory=tuple)

    @property
    def severity_word(self) -> str:
        """Return the word of the severity; empty for OK."""
        return str(SEVERITIES[self.severity]) if self.severity else ""


def draw_board(
    workspace: models.Workspace, board: models.Board, picture: Picture, *, now: datetime
) -> list[Shown]:
    """Return the tiles of a board with their values; a malformed tile says so."""
    return [_draw(workspace, stored, picture, now) for stored in board.tiles]


def _draw(
    workspace: models.Workspace, stored: Mapping[str, Any], picture: Picture, now: datetime
) -> Shown:
    try:
        tile = read_tile(stored)
    except (BadTile, ValueError, TypeError):
        return Shown(label=_("This tile cannot be shown. Edit the board."))
    scope = TileScope(workspace, picture, tile, now)
    match tile.kind:
        case TileKind.WORST:
            return Shown(label=tile.label or str(KINDS[tile.kind]), rows=_list_worst(scope))
        case TileKind.STATES:
            return Shown(label=tile.label or str(KINDS[tile.kind]), rows=_list_states(scope))
    value = read_value(scope)
    points, most = _draw_line(scope) if tile.kind is TileKind.LINE else ("", "")
    return Shown(
        label=tile.label or str(FIGURES[tile.figure]),
        scope=scope.words,
        value=format_value(tile.figure, value),
        severity=Severity[tile.find_level(value).upper()],
        points=points,
        most=most,
        since_ms=scope.since_ms if tile.figure is TileFigure.LONGEST_WAIT else None,
    )


def format_value(figure: TileFigure, value: float | None) -> str:
    """Return a figure with its unit, or a dash."""
    if value is None:
        return "–"
    if figure.unit is FigureUnit.SECONDS:
        return format_duration(value)
    if figure.unit is FigureUnit.PERCENT:
        return _("%(percent)s %%") % {"percent": number_format(value, 0 if value == 100 else 1)}
    return number_format(int(value))


def _draw_line(scope: TileScope) -> tuple[str, str]:
    """Return the counts of the last 60 whole minutes as points, and the largest count."""
    begin = floor_minute(scope.now, 1) - LINE_MINUTES
    rows = models.Figure.objects.filter(workspace=scope.workspace, minute__gte=begin)
    if scope.tile.queues:
        rows = rows.filter(task_queue_key__in=[sids.index_key(each.sid) for each in scope.queues])
    if scope.channels:
        setup = scope.picture.setup
        keys = [sids.index_key(setup.channels[pk].sid) for pk in scope.channels]
        rows = rows.filter(task_channel_key__in=keys)
    grouped = rows.order_by().values_list("minute").annotate(Sum(scope.tile.figure.value))
    counts = dict(grouped)
    numbers = [counts.get(begin + minute, 0) for minute in range(LINE_MINUTES)]
    most = max(numbers)
    step = 100 / (LINE_MINUTES - 1)
    points = " ".join(
        f"{index * step:.1f},{29 - 28 * number / max(most, 1):.1f}"
        for index, number in enumerate(numbers)
    )
    return points, number_format(most)


def _list_worst(scope: TileScope) -> list[Row]:
    judged = judge_queues(scope.picture, scope.channels)
    own = {queue.id for queue in scope.queues}
    rows = []
    for each in judged:
        if scope.tile.queues and each.queue.id not in own:
            continue
        if not each.tasks.waiting and not each.severity:
            continue
        value = number_format(each.tasks.waiting)
        if each.longest is not None:
            seconds = (microseconds(scope.now) - each.longest.since_us) / 1_000_000
            value = f"{value} · {format_duration(seconds)}"
        rows.append(Row(name=each.queue.name, value=value, severity=each.severity))
        if len(rows) == MOST_WORST:
            break
    return rows


def _list_states(scope: TileScope) -> list[Row]:
    by_state = scope.picture.everyone.by_state
    return [
        Row(name=str(STATES[state]), value=number_format(by_state.get(state.value, 0)))
        for state in reversed(State)
    ]
