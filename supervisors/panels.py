"""The panels and pages of the cockpit; CONTRIBUTING.md says how to add one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supervisors import (
    agent,
    agent_columns,
    agent_files,
    agents,
    alerts,
    asked,
    conditions,
    now,
    past,
    proposals,
    queue,
    queues,
    story,
    task,
    task_files,
    tasks,
    timeline,
)
from supervisors.columns import COLUMNS
from supervisors.conditions import Subject
from supervisors.panel import Context, Panel, Scene
from supervisors.query import Fault, View

PANELS: Final[Mapping[str, Panel]] = {
    panel.name: panel
    for panel in (
        *alerts.PANELS,
        *now.PANELS,
        *queues.PANELS,
        *queue.PANELS,
        *asked.PANELS,
        *proposals.PANELS,
        *task_files.PANELS,
        *task.PANELS,
        *story.PANELS,
        *agent_files.PANELS,
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
        sorts: the names that rows can be sorted by.
        columns: the names that the parameter `show` may have.
    """

    name: str
    title: Promise
    panels: tuple[str, ...]
    key: str = ""
    belongs_to: str = ""
    load: Callable[[Scene], Context] | None = None
    where: Subject | None = None
    sorts: frozenset[str] = frozenset()
    columns: frozenset[str] = frozenset()

    def find_faults(self, view: View) -> list[Fault]:
        """Return what of a view this page ignores."""
        found = conditions.find_fault(view, self.where) if self.where else []
        if view.sort and view.sort.removeprefix("-") not in self.sorts:
            found.append(Fault(parameter="sort", value=view.sort, code="sort"))
        unknown = [name for name in view.show if name not in self.columns]
        found += [Fault(parameter="show", value=name, code="choice") for name in unknown]
        return found


PAGES: Final[Mapping[str, Page]] = {
    page.name: page
    for page in (
        Page(
            name="now",
            title=_("Now"),
            panels=("totals", "now_alerts", "troubles", "floor"),
            key="n",
        ),
        Page(
            name="queues",
            title=_("Queues"),
            panels=("queues",),
            key="q",
            sorts=queues.SORTS,
            columns=frozenset(COLUMNS),
        ),
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
            sorts=agent_columns.SORTS,
            columns=frozenset((*agent_columns.COLUMNS, agents.MOSAIC)),
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
            sorts=tasks.SORTS,
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
        Page(name="boards", title=_("Boards"), panels=(), key="b"),
        Page(name="edit_board", title=_("Board"), panels=(), belongs_to="boards"),
        Page(name="changes", title=_("Changes"), panels=(), key="c"),
        Page(name="batch", title=_("Change"), panels=(), belongs_to="changes"),
        Page(name="trial", title=_("Try a task"), panels=(), belongs_to="tasks"),
        Page(name="act", title=_("Act"), panels=()),
        Page(name="new_task", title=_("Create a task"), panels=(), belongs_to="tasks"),
        Page(name="help", title=_("Help"), panels=(), key="h"),
    )
}
"""All pages by name, in the order of the rail."""
