"""What a figure of the cockpit is: its name, its formula, and the time that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Window(StrEnum):
    """The time that a figure is about."""

    NOW = "now"
    HALF_HOUR = "half_hour"
    TODAY = "today"
    DAY = "day"


WINDOWS: Final[Mapping[Window, Promise]] = {
    Window.NOW: _("Now."),
    Window.HALF_HOUR: _("The 30 whole minutes before this one, and this one so far."),
    Window.TODAY: _("Since the workspace's day began."),
    Window.DAY: _("The day of the row, in the workspace's time zone."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureNote:
    """A figure: its name, its formula, and what is left out.

    Arguments:
        key: the end of its anchor in the handbook, after `figure-`.
        window: the time that it is about; what is not about now is counted from events.
        statuses: those of the tasks that it counts, if the list of tasks can show them.
    """

    key: str
    name: Promise
    formula: Promise
    left_out: Promise | None = None
    window: Window = Window.NOW
    statuses: tuple[str, ...] = ()
