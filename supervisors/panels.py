"""The panels and pages of the cockpit; CONTRIBUTING.md says how to add one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supervisors import (
    agent,
    agents,
    alerts,
    asked,
    now,
    past,
    proposals,
    queue,
    queues,
    story,
    task,
    tasks,
    timeline,
    waiting,
)
from supervisors.conditions import Subject
from supervisors.panel import Context, Panel, Scene

PANELS: Final[Mapping[str, Panel]] = {
    panel.name: panel
    for panel in (
        *alerts.PANELS,
        *now.PANELS,
        *queues.PANELS,
        *queue.PANELS,
        *asked.PANELS,
        *proposals.PANELS,
        *waiting.PANELS,
        *tasks.PANELS,
        *task.PANELS,
        *story.PANELS,
        *agents.PANELS,
        *agent.PANELS,
        *timeline.PANELS,
        *past.PANELS,
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
        load: returns what the page shows outside of its panels, such as a form.
        where: what the parameter `where` is an expression over.
    """

    name: str
    title: Promise
    panels: tuple[str, ...]
    key: str = ""
    belongs_to: str = ""
    load: Callable[[Scene], Context] | None = None
    where: Subject | None = None


PAGES: Final[Mapping[str, Page]] = {
    page.name: page
    for page in (
        Page(
            name="now",
            title=_("Now"),
            panels=("totals", "now_alerts", "troubles", "floor"),
            key="n",
        ),
        Page(name="queues", title=_("Queues"), panels=("queues",), key="q"),
        Page(
            name="queue",
            title=_("Queue"),
            panels=("queue", "why", "asked", "ways_out", "waiting", "staff"),
            belongs_to="queues",
        ),
        Page(
            name="agents",
            title=_("Agents"),
            panels=("agents",),
            key="a",
            load=agents.load_form,
            where="worker",
        ),
        Page(
            name="agent",
            title=_("Agent"),
            panels=("agent", "in_hand", "timeline", "past"),
            belongs_to="agents",
        ),
        Page(
            name="tasks",
            title=_("Tasks"),
            panels=("tasks",),
            key="t",
            load=tasks.load_form,
            where="task",
        ),
        Page(
            name="task",
            title=_("Task"),
            panels=("task", "explanation", "story"),
            belongs_to="tasks",
        ),
        Page(name="reports", title=_("Reports"), panels=(), key="r"),
        Page(name="report_cell", title=_("Behind a figure"), panels=(), belongs_to="reports"),
        Page(
            name="alerts",
            title=_("Alerts"),
            panels=("alerts", "thresholds", "cleared"),
            key="l",
        ),
        Page(name="threshold", title=_("Threshold"), panels=(), belongs_to="alerts"),
        Page(name="changes", title=_("Changes"), panels=(), key="c"),
        Page(name="batch", title=_("Change"), panels=(), belongs_to="changes"),
        Page(name="trial", title=_("Try a task"), panels=(), belongs_to="tasks"),
        Page(name="act", title=_("Act"), panels=()),
    )
}
"""All pages by name, in the order of the rail."""
