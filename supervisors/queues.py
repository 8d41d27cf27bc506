"""The page Queues: a row for each queue, which unfolds into its channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from supervisors.columns import ALWAYS, COLUMNS, Column
from supervisors.heads import Head, list_choices
from supervisors.judging import Judged, judge_queue, judge_queues
from supervisors.panel import Context, Panel, Scene
from supervisors.queue_files import write_queues
from supervisors.wording import describe_trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value of a row, with what its column says of it.

    Arguments:
        limit: the seconds from which a time is worth a look.
        link: the address of the tasks that it counts.
    """

    column: Column
    value: Any
    limit: int | None = None
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """A channel of a queue."""

    name: str
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A queue, with its channels if it has tasks on several."""

    judged: Judged
    link: str
    why: str
    cells: Sequence[Cell]
    channels: Sequence[ChannelRow]


def load_queues(scene: Scene) -> Context:
    """Return the rows of the chosen queues in the chosen order, and those that are quiet."""
    columns = _choose_columns(scene)
    judged = judge_queues(scene.picture, scene.channel_ids)
    if scene.view.queue:
        judged = [each for each in judged if each.queue.sid in scene.view.queue]
    judged = _sort(judged, scene.view.sort)
    busy = [each for each in judged if not each.is_quiet]
    quiet = [each for each in judged if each.is_quiet]
    return {
        "heads": [_build_head(each.name, each.title, scene, each.note) for each in columns],
        "severity_head": _build_head("severity", "", scene),
        "queue_head": _build_head("queue", "", scene),
        "rows": [_build_row(each, columns, scene) for each in busy],
        "quiet": [_build_row(each, columns, scene) for each in quiet],
        "totals": _add_up(judged, columns),
        "choices": list_choices(scene, COLUMNS, [column.name for column in columns]),
        "queues": len(judged),
        "of_queues": len(scene.picture.setup.queues),
        "every_queue": scene.view.link(queue=()),
        "is_limited": bool(scene.view.queue),
        "width": len(columns) + 2,
    }


def _choose_columns(scene: Scene) -> list[Column]:
    chosen = [COLUMNS[name] for name in scene.view.show if name in COLUMNS]
    return chosen or [column for column in COLUMNS.values() if column.is_default]


def _sort(judged: list[Judged], sort: str) -> list[Judged]:
    """Return the rows by a column, and rows of equal value worst first."""
    name, backwards = sort.removeprefix("-"), sort.startswith("-")
    if name == "queue":
        return sorted(judged, key=lambda row: row.queue.name.casefold(), reverse=backwards)
    if name == "severity" and not backwards:
        return judged[::-1]
    if name in COLUMNS:
        return sorted(judged, key=COLUMNS[name].sort_key, reverse=backwards)
    return judged


def _build_head(name: str, title: Any, scene: Scene, note: str = "") -> Head:
    sort = scene.view.sort or "-severity"
    current = sort.removeprefix("-") == name
    falls = current and sort.startswith("-")
    first = "" if name == "queue" else "-"
    other = "" if falls else "-"
    return Head(
        name=name,
        title=title,
        query=scene.view.link(sort=f"{other if current else first}{name}"),
        direction=("descending" if falls else "ascending") if current else "none",
        note=note,
    )


def _build_row(judged: Judged, columns: Sequence[Column], scene: Scene) -> Row:
    setup = scene.picture.setup
    parts = judged.channels if len(judged.channels) > 1 else ()
    return Row(
        judged=judged,
        link=scene.queue_link(judged.queue.sid),
        why=describe_trouble(judged, setup),
        cells=_build_cells(scene, judged, columns, scene.view.channel),
        channels=[
            ChannelRow(
                name=setup.channels[pk].name,
                cells=_build_cells(
                    scene,
                    judge_queue(scene.picture, judged.queue, (pk,)),
                    columns,
                    (setup.channels[pk].unique_name,),
                    of_channel=True,
                ),
            )
            for pk in parts
            if pk in setup.channels
        ],
    )


def _build_cells(
    scene: Scene,
    judged: Judged,
    columns: Sequence[Column],
    channels: tuple[str, ...],
    *,
    of_channel: bool = False,
) -> list[Cell]:
    queue = (judged.queue.sid,)
    return [
        Cell(
            column=column,
            value=None if of_channel and not column.by_channel else column.read(judged),
            limit=column.find_limit(judged),
            link=scene.list_link(queue=queue, channel=channels, status=(column.status,))
            if column.status
            else "",
        )
        for column in columns
    ]


def _add_up(judged: Sequence[Judged], columns: Sequence[Column]) -> list[Cell]:
    return [
        Cell(
            column=column if column.adds_up else replace(column, kind="count"),
            value=sum(column.read(each) for each in judged) if column.adds_up else None,
        )
        for column in columns
    ]


SORTS: Final = frozenset((*ALWAYS, *COLUMNS))
"""The names that rows can be sorted by."""

PANELS: Final = (Panel(name="queues", load=load_queues, write=write_queues),)
