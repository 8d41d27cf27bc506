"""The columns of the agents: what each shows, and how rows are sorted by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing.core.clock import moment
from routing.core.rates import Ratio
from supervisors.agent_figures import AgentFigures, FloorFigures
from supervisors.heads import Head
from supervisors.panel import Scene
from supervisors.picture import State, Worker, find_state
from supervisors.skills import reads_load

STATE_ORDER: Final = {state: place for place, state in enumerate(reversed(State))}
"""The order of groups and rows by state."""

Read = Callable[[Scene, Worker, AgentFigures], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the agents.

    Arguments:
        name: its name in the parameters `show` and `sort`.
        kind: how it is shown: `own` for those with a form of their own in the template, `count`,
            `duration_ms` or `ratio`.
        read: returns the value that is shown, and by which rows are sorted.
        falls: whether rows begin with the largest value.
        of_figures: whether the value is from the books.
        on_phones: whether it is shown on a phone, too, if the query chooses no columns.
        note: the key of its figure's note.
    """

    name: str
    title: Promise
    kind: str = "own"
    read: Read | None = None
    falls: bool = False
    of_figures: bool = False
    is_default: bool = False
    on_phones: bool = False
    note: str = ""

    @property
    def is_number(self) -> bool:
        """Return whether it shows numbers, which stand at the end of their cells."""
        return self.kind != "own" or self.name in ("in_hand", "oldest")


def name_activity(scene: Scene, worker: Worker) -> str:
    """Return the name of a worker's activity."""
    activity = scene.picture.setup.activities.get(worker.activity)
    return activity.name if activity else "–"


def _read_state(scene: Scene, worker: Worker, _figures: AgentFigures) -> int:
    return STATE_ORDER[find_state(worker, multi_task=scene.picture.setup.multi_task)]


def _read_occupancy(scene: Scene, _worker: Worker, figures: AgentFigures) -> Ratio:
    # With multitasking off, channels have no free slots of their own.
    return figures.time.slot_occupancy if scene.picture.setup.multi_task else Ratio()


COLUMNS: Final[Mapping[str, Column]] = {
    column.name: column
    for column in (
        Column(
            name="state",
            note="agent-state",
            title=gettext_lazy("State"),
            read=_read_state,
            is_default=True,
            on_phones=True,
        ),
        Column(
            name="activity",
            title=gettext_lazy("Activity"),
            read=lambda scene, worker, _: name_activity(scene, worker).casefold(),
            is_default=True,
            on_phones=True,
        ),
        Column(
            name="slots",
            note="slots",
            title=gettext_lazy("Slots"),
            is_default=True,
            on_phones=True,
        ),
        Column(
            name="in_hand",
            note="in-hand",
            title=gettext_lazy("In hand"),
            read=lambda _scene, worker, _figures: worker.in_hand,
            falls=True,
            is_default=True,
            on_phones=True,
        ),
        Column(
            name="oldest",
            note="oldest-in-hand",
            title=gettext_lazy("Oldest in hand"),
            is_default=True,
        ),
        Column(
            name="serves",
            title=gettext_lazy("Serves"),
            read=lambda _scene, worker, _figures: len(worker.serves),
            falls=True,
        ),
        Column(
            name="missed_30m",
            note="missed",
            title=gettext_lazy("Missed, 30 min"),
            kind="count",
            read=lambda _scene, _worker, figures: figures.recent.missed,
            falls=True,
            of_figures=True,
        ),
        Column(
            name="rejected_30m",
            note="rejected",
            title=gettext_lazy("Rejected, 30 min"),
            kind="count",
            read=lambda _scene, _worker, figures: figures.recent.rejected,
            falls=True,
            of_figures=True,
        ),
        Column(
            name="handled",
            note="handled",
            title=gettext_lazy("Handled today"),
            kind="count",
            read=lambda _scene, _worker, figures: figures.today.handled,
            falls=True,
            of_figures=True,
        ),
        Column(
            name="aht",
            note="aht",
            title=gettext_lazy("Handle time today"),
            kind="duration_ms",
            read=lambda _scene, _worker, figures: figures.today.average_handle_ms,
            falls=True,
            of_figures=True,
        ),
        Column(
            name="wrap_up",
            note="wrap-up",
            title=gettext_lazy("Wrap-up today"),
            kind="duration_ms",
            read=lambda _scene, _worker, figures: figures.today.average_wrap_up_ms,
            falls=True,
            of_figures=True,
        ),
        Column(
            name="occupancy",
            note="occupancy",
            title=gettext_lazy("Slot occupancy today"),
            kind="ratio",
            read=_read_occupancy,
            falls=True,
            of_figures=True,
        ),
        Column(
            name="busy_share",
            note="busy-share",
            title=gettext_lazy("Busy share today"),
            kind="ratio",
            read=lambda _scene, _worker, figures: figures.busy_share,
            falls=True,
            of_figures=True,
        ),
        Column(name="skills", title=gettext_lazy("Skills")),
    )
}
"""The columns beside the name, by name and in their order."""

SORT_TITLES: Final[Mapping[str, Promise]] = {
    "state": gettext_lazy("State"),
    "name": gettext_lazy("Name"),
    "activity": gettext_lazy("Activity"),
    "since": gettext_lazy("Longest in the activity"),
    **{
        column.name: column.title
        for column in COLUMNS.values()
        if column.read is not None and column.name not in ("state", "activity")
    },
}
SORTS: Final = frozenset(SORT_TITLES)
"""The names that rows can be sorted by."""


def choose_columns(scene: Scene) -> list[Column]:
    """Return the columns of the view; where load decides who may have a task, busy share first."""
    chosen = [COLUMNS[name] for name in scene.view.show if name in COLUMNS]
    found = chosen or [column for column in COLUMNS.values() if column.is_default]
    if reads_load(scene.picture.setup):
        share = [column for column in found if column.name == "busy_share"]
        rest = [column for column in found if column.name != "busy_share"]
        names = [column.name for column in rest]
        place = names.index("occupancy") if "occupancy" in names else len(rest)
        found = [*rest[:place], *share, *rest[place:]]
    return found


def find_sort(scene: Scene) -> str:
    """Return the name that rows are sorted by."""
    name = scene.view.sort.removeprefix("-")
    return name if name in SORTS else "state"


def needs_figures(scene: Scene, columns: Iterable[Column]) -> bool:
    """Return whether the books have to be read for a view."""
    names = {column.name for column in columns if column.of_figures} | {find_sort(scene)}
    return any(COLUMNS[name].of_figures for name in names if name in COLUMNS)


def sort_workers(
    scene: Scene, found: Iterable[Worker], figures: FloorFigures | None
) -> list[Worker]:
    """Return workers in the order of the view; those without a value are last."""
    name, backwards = find_sort(scene), scene.view.sort.startswith("-")
    rows = sorted(found, key=lambda one: (one.name.casefold(), one.id))
    if name == "name":
        return rows[::-1] if backwards else rows
    if name == "since":
        return sorted(rows, key=lambda one: one.since_us, reverse=backwards)
    column = COLUMNS[name]
    assert column.read is not None
    values: dict[int, Any] = {}
    for one in rows:
        of_one = figures.of(one.sid) if figures and column.of_figures else AgentFigures()
        value = column.read(scene, one, of_one)
        values[one.id] = value.percent if isinstance(value, Ratio) else value
    known = [one for one in rows if values[one.id] is not None]
    known.sort(key=lambda one: values[one.id], reverse=column.falls is not backwards)
    return [*known, *(one for one in rows if values[one.id] is None)]


def build_heads(
    scene: Scene, columns: Sequence[Column], figures: FloorFigures | None
) -> list[Head]:
    """Return the heads of the columns, that of the name first."""
    name = replace(COLUMNS["state"], name="name", title=gettext_lazy("Agent"), note="")
    return [_build_head(scene, column, figures) for column in (name, *columns)]


def _build_head(scene: Scene, column: Column, figures: FloorFigures | None) -> Head:
    current = find_sort(scene) == column.name
    backwards = current and scene.view.sort.startswith("-")
    sign = "-" if current and not backwards else ""
    direction = "descending" if column.falls is not backwards else "ascending"
    return Head(
        name=column.name,
        title=_find_title(scene, column, figures),
        query=scene.view.link(sort=f"{sign}{column.name}") if column.read else "",
        direction=direction if current else "none",
        is_number=column.is_number,
        note=column.note,
    )


def _find_title(scene: Scene, column: Column, figures: FloorFigures | None) -> Any:
    """Return a column's title; shares of time say up to when they are known."""
    if column.kind != "ratio" or figures is None or figures.until_us is None:
        return column.title
    until = moment(figures.until_us).astimezone(scene.zone)
    return _("%(figure)s, until %(time)s") % {
        "figure": column.title,
        "time": f"{until:%H:%M}",
    }
