"""Charts as plain SVG, drawn by the server: stacked bars and lines, with a caption in words.

A chart has a table beside it, so a part of it has a title at most. Time goes from left to right in
every language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from supervisors.reports.columns import Label, format_count

WIDTH: Final = 960
HEIGHT: Final = 260
TOP: Final = 16
BOTTOM: Final = 28
LEFT: Final = 64
_INNER: Final = WIDTH - LEFT - 8
_MOST_LABELS: Final = 8
_LONGEST_LABEL: Final = 14
_STEPS: Final = (1, 2, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A rectangle: what it stands for is its kind, which gives it a colour, and its title."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line; it is broken where there is no value, and a value alone is a dot."""

    kind: str
    paths: Sequence[str]
    dots: Sequence[tuple[float, float, str]]


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at an axis, at this place along it."""

    place: float
    text: str


@dataclass(slots=True, kw_only=True)
class Chart:
    """A drawing.

    Arguments:
        caption: the finding in words.
        legend: what each kind stands for.
    """

    name: str
    title: Label
    caption: str
    legend: Sequence[tuple[str, Label]] = ()
    parts: list[Part] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    marks_x: Sequence[Mark] = ()
    marks_y: Sequence[Mark] = ()

    @property
    def view_box(self) -> str:
        """Return the box of the drawing."""
        return f"0 0 {WIDTH} {HEIGHT}"

    @property
    def sizes(self) -> dict[str, float]:
        """Return where the axes lie."""
        return {"left": LEFT, "right": WIDTH - 8, "bottom": HEIGHT - BOTTOM, "foot": HEIGHT - 8}


def draw_bars(
    chart: Chart,
    labels: Sequence[str],
    stacks: Sequence[Sequence[tuple[str, float, str]]],
    *,
    write: Callable[[float], str] = format_count,
) -> Chart:
    """Draw stacked bars.

    Arguments:
        labels: the name of each bar.
        stacks: of each bar its parts: kind, value and title.
        write: returns a value of the axis as a text.
    """
    top = find_top(max((sum(part[1] for part in stack) for stack in stacks), default=0))
    slot = _INNER / max(len(stacks), 1)
    gap = min(slot * 0.2, 8)
    for number, stack in enumerate(stacks):
        y = float(HEIGHT - BOTTOM)
        for kind, value, title in stack:
            if value > 0:
                height = value / top * (HEIGHT - BOTTOM - TOP)
                y -= height
                chart.parts.append(
                    Part(
                        kind=kind,
                        x=round(LEFT + number * slot + gap / 2, 2),
                        y=round(y, 2),
                        width=round(slot - gap, 2),
                        height=round(height, 2),
                        title=title,
                    )
                )
    chart.marks_y = _mark_values(top, write)
    chart.marks_x = _mark_places(labels)
    return chart


def draw_lines(
    chart: Chart,
    labels: Sequence[str],
    lines: Iterable[tuple[str, Sequence[float | None], Callable[[float], str]]],
    *,
    top: float | None = None,
    write: Callable[[float], str] = format_count,
) -> Chart:
    """Draw lines over the same places.

    Arguments:
        lines: of each one its kind, the values, and how the title of a value is written.
        top: the value at the top; by default one above all values.
    """
    drawn = list(lines)
    highest = max((v for _, values, _ in drawn for v in values if v is not None), default=0)
    top = find_top(highest) if top is None else top
    slot = _INNER / max(len(labels), 1)
    for kind, values, name in drawn:
        paths, dots, run = [], [], []
        for number, value in enumerate([*values, None]):
            if value is not None:
                x = round(LEFT + (number + 0.5) * slot, 2)
                y = round(HEIGHT - BOTTOM - min(value / top, 1) * (HEIGHT - BOTTOM - TOP), 2)
                run.append((x, y))
                dots.append((x, y, f"{labels[number]}: {name(value)}"))
            elif run:
                paths.append("M" + " L".join(f"{x} {y}" for x, y in run))
                run = []
        chart.lines.append(Line(kind=kind, paths=paths, dots=dots if len(dots) <= 120 else ()))
    chart.marks_y = _mark_values(top, write)
    chart.marks_x = _mark_places(labels)
    return chart


def find_top(highest: float) -> float:
    """Return the value at the top of an axis: a round one that is not below the highest."""
    if highest <= 0:
        return 1
    size = 1.0
    while size * 10 <= highest:
        size *= 10
    while size > highest:
        size /= 10
    return next(step * size for step in (*_STEPS, 10) if step * size >= highest)


def _mark_values(top: float, write: Callable[[float], str]) -> list[Mark]:
    inner = HEIGHT - BOTTOM - TOP
    return [Mark(round(HEIGHT - BOTTOM - share * inner, 2), write(top * share)) for share in _AT]


_AT: Final = (0.0, 0.5, 1.0)


def _mark_places(labels: Sequence[str]) -> list[Mark]:
    labels = [_shorten(label) for label in labels]
    slot = _INNER / max(len(labels), 1)
    step = -(-len(labels) // _MOST_LABELS) or 1
    return [
        Mark(round(LEFT + (number + 0.5) * slot, 2), labels[number])
        for number in range(0, len(labels), step)
    ]


def _shorten(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
