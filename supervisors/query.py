"""The query of a page: what it shows, in the URL, so that two people see the same rows.

Values that are unknown or malformed are named and ignored. This module knows the forms of values
only; whether a sid or a name exists is found out by the panel that uses it.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

LONGEST_VALUE: Final = 2_000
"""The number of characters that a value may have; the longest are expressions."""
MOST_VALUES: Final = 50
"""The number of values that a parameter may have."""
SIZES: Final = (25, 50, 100, 200)
STATES: Final = ("away", "finishing", "full", "working", "idle")
STATUSES: Final = ("pending", "reserved", "assigned", "wrapping", "completed", "canceled")
LAST_HOUR: Final = 25
"""The number of hours that a day may have, as one in autumn has 25."""
WINDOWS: Final = ("30m", "today", "24h", "7d")

Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a page shows of a workspace; every field is a parameter of the URL.

    A parameter that may be given several times is a tuple. An empty value means no restriction.
    """

    workspace: str = ""
    channel: Texts = ()
    queue: Texts = ()
    workflow: Texts = ()
    worker: Texts = ()
    task: str = ""
    status: Texts = ()
    activity: Texts = ()
    state: Texts = ()
    priority: str = ""
    older: int | None = None
    q: str = ""
    where: str = ""
    window: str = "30m"
    day: str = ""
    hours: str = ""
    tz: str = ""
    sort: str = ""
    group: str = ""
    show: Texts = ()
    size: int = 50
    reason: str = ""
    after: str = ""

    @property
    def canonical(self) -> str:
        """Return the query in one form: what differs from the defaults, sorted by name."""
        return urlencode(list(_pairs(self)))

    def change(self, **values: Any) -> View:
        """Return the view with other values, at its first row."""
        return replace(self, **{"after": ""} | values)

    def link(self, **values: Any) -> str:
        """Return the query of the view with other values, as it follows a path."""
        return f"?{self.change(**values).canonical}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A parameter that is ignored: its name, the value, and a code for the reason."""

    parameter: str
    value: str
    code: str


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """The view that a query asks for, and what of the query is ignored."""

    view: View
    faults: Sequence[Fault] = field(default_factory=tuple)


class _Malformed(Exception):
    """A value that is ignored; `code` is one of `CODES`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


CODES: Final = (
    *("unknown", "repeated", "too_long", "too_many", "sid", "name", "choice", "number"),
    *("window", "day", "hours", "zone", "sort", "priority", "missing", "expression", "view"),
)
"""Reasons for which a value is ignored; `supervisors.notes` has their sentences."""


def parse_query(query: Mapping[str, Sequence[str]]) -> ParsedQuery:
    """Return the view of a URL's query.

    Arguments:
        query: the values of each parameter, in the order in which they were given.
    """
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, given in query.items():
        parse = _PARSERS.get(name)
        wanted = [value for value in given if value != ""]
        if parse is None:
            if name not in _PASSED_BY:
                faults.append(Fault(parameter=name[:40], value="", code="unknown"))
        elif wanted:
            several = name in _SEVERAL
            parsed, found = _parse_values(name, wanted, parse, several=several)
            faults.extend(found)
            if parsed:
                values[name] = tuple(sorted(set(parsed))) if several else parsed[0]
    if "show" in values:
        values["show"] = tuple(dict.fromkeys(v for v in query["show"] if v in values["show"]))
    return ParsedQuery(View(**values), tuple(faults[:MOST_VALUES]))


def _parse_values(
    name: str, given: Sequence[str], parse: Callable[[str], Any], *, several: bool
) -> tuple[list[Any], list[Fault]]:
    parsed: list[Any] = []
    faults: list[Fault] = []
    most = MOST_VALUES if several else 1
    for value in given[:most]:
        try:
            if len(value) > LONGEST_VALUE:
                raise _Malformed("too_long")
            parsed.append(parse(value))
        except _Malformed as error:
            faults.append(Fault(parameter=name, value=value[:60], code=error.code))
    if len(given) > most:
        code = "too_many" if several else "repeated"
        faults.append(Fault(parameter=name, value=given[most][:60], code=code))
    return parsed, faults


def _pairs(view: View) -> Iterable[tuple[str, str]]:
    for each in sorted(fields(view), key=lambda one: one.name):
        value = getattr(view, each.name)
        if value == each.default:
            continue
        for one in value if isinstance(value, tuple) else (value,):
            yield each.name, str(one)


def _matching(pattern: str, code: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def parse(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise _Malformed(code)
        return value

    return parse


def _one_of(choices: Sequence[str]) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise _Malformed("choice")
        return value

    return parse


def _sid(prefix: str) -> Callable[[str], str]:
    return _matching(f"{prefix}[0-9a-f]{{32}}", "sid")


def _parse_text(value: str) -> str:
    if "\0" in value or not value.strip():
        raise _Malformed("name")
    return value.strip()


def _parse_older(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise _Malformed("number")
    return int(value)


def _parse_size(value: str) -> int:
    if value not in map(str, SIZES):
        raise _Malformed("choice")
    return int(value)


def _parse_window(value: str) -> str:
    if value in WINDOWS:
        return value
    first, dots, last = value.partition("..")
    try:
        if not dots or date.fromisoformat(first) > date.fromisoformat(last):
            raise _Malformed("window")
    except ValueError:
        raise _Malformed("window") from None
    return value


def _parse_day(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise _Malformed("day") from None


def _parse_hours(value: str) -> str:
    matched = re.fullmatch(r"([0-9]{1,2})-([0-9]{1,2})", value)
    if matched is None or not int(matched[1]) < int(matched[2]) <= LAST_HOUR:
        raise _Malformed("hours")
    return value


def _parse_zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise _Malformed("zone") from None
    return value


_PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "workspace": _sid("WS"),
    "channel": _matching(r"[a-z_$][a-z0-9_$]{0,63}", "name"),
    "queue": _sid("WQ"),
    "workflow": _sid("WW"),
    "worker": _sid("WK"),
    "task": _sid("WT"),
    "status": _one_of(STATUSES),
    "activity": _sid("WA"),
    "state": _one_of(STATES),
    "priority": _matching(r"(>=|<=|>|<|=)?[0-9]{1,10}", "priority"),
    "older": _parse_older,
    "q": _parse_text,
    "where": _parse_text,
    "window": _parse_window,
    "day": _parse_day,
    "hours": _parse_hours,
    "tz": _parse_zone,
    "sort": _matching(r"-?[a-z0-9_]{1,40}", "sort"),
    "group": _matching(r"[A-Za-z_$][\w$]{0,63}(\.[\w$]{1,64}){0,5}", "name"),
    "show": _matching(r"[a-z0-9_]{1,40}", "name"),
    "size": _parse_size,
    "reason": _matching(r"[a-z_]{1,40}", "name"),
    "after": _matching(r"[A-Za-z0-9_.~-]{1,200}", "name"),
}
_SEVERAL: Final = frozenset(
    ("channel", "queue", "workflow", "worker", "status", "activity", "state", "show")
)
_PASSED_BY: Final = frozenset(("view",))
"""Parameters that are read before a query is parsed."""
