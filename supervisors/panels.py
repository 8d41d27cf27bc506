"""The panels and pages of the cockpit; CONTRIBUTING.md says how to add one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supervisors import asked, now, proposals, queue, queues, waiting
from supervisors.panel import Panel

PANELS: Final[Mapping[str, Panel]] = {
    panel.name: panel
    for panel in (
        *now.PANELS,
        *queues.PANELS,
        *queue.PANELS,
        *asked.PANELS,
        *proposals.PANELS,
        *waiting.PANELS,
    )
}
"""All panels by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: its panels are shown on the page, and fetched again one by one.

    Arguments:
        name: the name of its URL, and of its template.
        panels: the names of its panels.
        key: the key that leads to it, after `g`; none for pages about one row.
        belongs_to: the page that the rail shows as current.
    """

    name: str
    title: Promise
    panels: tuple[str, ...]
    key: str = ""
    belongs_to: str = ""


PAGES: Final[Mapping[str, Page]] = {
    page.name: page
    for page in (
        Page(name="now", title=_("Now"), panels=("totals", "troubles", "floor"), key="n"),
        Page(name="queues", title=_("Queues"), panels=("queues",), key="q"),
        Page(
            name="queue",
            title=_("Queue"),
            panels=("queue", "why", "asked", "ways_out", "waiting", "staff"),
            belongs_to="queues",
        ),
        Page(name="changes", title=_("Changes"), panels=(), key="c"),
        Page(name="batch", title=_("Change"), panels=(), belongs_to="changes"),
        Page(name="act", title=_("Act"), panels=()),
    )
}
"""All pages by name, in the order of the rail."""
