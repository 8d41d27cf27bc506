"""Columns of reports: what each shows, its formula, and what a cell of it opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from routing.core.rates import Ratio
from supervisors.durations import format_duration

Label = str | Promise


class Unit(StrEnum):
    """What a value is."""

    COUNT = "count"
    MS = "ms"
    SHARE = "percent"
    NUMBER = "number"
    TEXT = "text"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a report.

    Arguments:
        name: its name in the parameters `show` and `sort`, in files and in JSON.
        read: returns the value of a row: a count, milliseconds, a `Ratio`, a number, a text, or
            None for no value.
        formula: how it is computed, in words.
        opens: the measure of `figure_events` whose events are behind a cell; "" for none.
        origin: how the tasks of these events came to the workers; "" for all.
        is_usual: whether it is shown when no columns are chosen.
        file_name: its name in files, where that is another.
        words: what a page shows for some texts; files and JSON have the texts.
    """

    name: str
    title: Label
    read: Callable[[Any], Any]
    unit: Unit = Unit.COUNT
    formula: Label = ""
    opens: str = ""
    origin: str = ""
    is_usual: bool = False
    file_name: str = ""
    words: Mapping[str, Label] | None = None

    @property
    def file_names(self) -> Sequence[str]:
        """Return the names of its columns in a file, with their units."""
        name = self.file_name or self.name
        match self.unit:
            case Unit.MS:
                return (f"{name} [ms]", f"{name} [h:mm:ss]")
            case Unit.SHARE:
                return (f"{name} [%]", f"{name} part", f"{name} whole")
            case _:
                return (name,)


def choose_columns(columns: Sequence[Column], shown: Sequence[str]) -> list[Column]:
    """Return the columns that are chosen, in the order of the report; else the usual ones."""
    chosen = [column for column in columns if column.name in shown]
    return chosen or [column for column in columns if column.is_usual]


NONE: Final = "–"


def format_count(value: float) -> str:
    """Return a whole number, or one on an axis, with its thousands set apart."""
    text: str = number_format(f"{value:.10g}", force_grouping=True)
    return text


def format_value(unit: Unit, value: Any) -> str:
    """Return a value as a page shows it."""
    if value is None:
        return NONE
    match unit:
        case Unit.COUNT:
            return str(value) if value < 1000 else format_count(value)
        case Unit.MS:
            return format_duration(value / 1000)
        case Unit.SHARE:
            return _format_share(value)
        case Unit.NUMBER:
            return str(number_format(value, 2))
        case Unit.DATE:
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case _:
            return str(value)


def _format_share(ratio: Ratio) -> str:
    value = ratio.percent
    if value is None:
        return NONE
    return _("%(percent)s %%") % {"percent": number_format(value, 1) if value < 100 else "100"}


def list_file_values(unit: Unit, value: Any) -> list[Any]:
    """Return the cells of a value in a file, as many as the column has names there."""
    match unit:
        case Unit.MS:
            return ["", ""] if value is None else [value, _write_duration(value)]
        case Unit.SHARE:
            share = "" if value.percent is None else value.percent
            return [share, value.part, value.whole]
        case Unit.NUMBER:
            return ["" if value is None else round(value, 4)]
        case Unit.DATE:
            return ["" if value is None else value.isoformat()]
        case _:
            return ["" if value is None else value]


def _write_duration(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def write_json(unit: Unit, value: Any) -> Any:
    """Return a value as JSON has it."""
    if unit is Unit.SHARE:
        return {"percent": value.percent, "part": value.part, "whole": value.whole}
    return value.isoformat() if unit is Unit.DATE and value is not None else value


def rank(unit: Unit, value: Any) -> tuple[int, Any]:
    """Return the key by which rows are sorted; rows without a value come first."""
    if unit is Unit.SHARE:
        value = value.percent
    return (0, 0) if value is None else (1, value)
