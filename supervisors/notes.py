"""Sentences about the parts of a query that are ignored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from django.utils.translation import gettext as _

from supervisors.query import LONGEST_VALUE, MOST_VALUES, Fault

_SENTENCES: Final[Mapping[str, Callable[[], str]]] = {
    "unknown": lambda: _("“%(parameter)s” is no filter of this page, so it is ignored."),
    "repeated": lambda: _(
        "“%(parameter)s” may be given once. The value “%(value)s” and any further ones are ignored."
    ),
    "too_long": lambda: _(
        "A value of “%(parameter)s” has more than %(longest)d characters, so it is ignored."
    ),
    "too_many": lambda: _(
        "“%(parameter)s” may have %(most)d values. “%(value)s” and further ones are ignored."
    ),
    "sid": lambda: _("“%(value)s” is no SID for “%(parameter)s”, so it is ignored."),
    "name": lambda: _("“%(value)s” cannot be a value of “%(parameter)s”, so it is ignored."),
    "choice": lambda: _("“%(value)s” is none of the values of “%(parameter)s”, so it is ignored."),
    "number": lambda: _(
        "“%(parameter)s” is a whole number of seconds. “%(value)s” is not, so it is ignored."
    ),
    "window": lambda: _(
        "“%(value)s” is no window. Use 30m, today, 24h, 7d, or two days such as "
        "2026-11-01..2026-11-07."
    ),
    "day": lambda: _("“%(value)s” is no day. Use a date such as 2026-11-30."),
    "hours": lambda: _("“%(value)s” are no hours of a day. Use two hours such as 9-12."),
    "zone": lambda: _("There is no time zone “%(value)s”. Use a name such as Europe/Berlin."),
    "sort": lambda: _("The rows cannot be sorted by “%(value)s”, so this is ignored."),
    "priority": lambda: _(
        "“%(value)s” is no priority. Use a number, or a comparison such as >=10."
    ),
    "expression": lambda: _(
        "“%(value)s” is no expression of attributes, so “%(parameter)s” is ignored."
    ),
    "view": lambda: _("No view is saved as “%(value)s” in this workspace."),
    "missing": lambda: _("“%(value)s” is not in this workspace, so “%(parameter)s” is ignored."),
}


def describe_fault(fault: Fault) -> str:
    """Return the sentence about one part of a query that is ignored."""
    return _SENTENCES[fault.code]() % {
        "parameter": fault.parameter,
        "value": fault.value,
        "longest": LONGEST_VALUE,
        "most": MOST_VALUES,
    }
