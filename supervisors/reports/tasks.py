"""The report *Tasks*: one row a task, with chosen attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any, Final

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from routing import subjects, task_layouts
from routing.core.stays import StayEnd
from routing.core.vocabulary import ReservationOrigin
from routing.statistics import task_reports
from routing.statistics.task_reports import TaskStory
from supervisors.reports.columns import Column, Label, Unit
from supervisors.reports.rendering import MOST_ROWS
from supervisors.reports.request import Request
from supervisors.reports.tables import Head, Row, Table
from supervisors.wording import TASK_STATUSES

DIMENSIONS: Final = (("task",),)
FILTERS: Final = ("queue", "channel", "workflow")

ENDS: Final = {
    **TASK_STATUSES,
    StayEnd.ABANDONED.value: gettext_lazy("Abandoned"),
    StayEnd.WITHDRAWN.value: gettext_lazy("Withdrawn"),
    StayEnd.CANCELED_LATER.value: gettext_lazy("Canceled later"),
    StayEnd.CANCELED_BY_STAFF.value: gettext_lazy("Canceled by staff"),
    StayEnd.EXPIRED.value: gettext_lazy("Expired"),
    StayEnd.FELL_OUT.value: gettext_lazy("Fell out"),
}
ORIGINS: Final = {
    ReservationOrigin.PUSH.value: gettext_lazy("by push"),
    ReservationOrigin.GRAB.value: gettext_lazy("by grab"),
    ReservationOrigin.ASSIGNED.value: gettext_lazy("assigned"),
    ReservationOrigin.DIRECT.value: gettext_lazy("direct"),
    ReservationOrigin.TRANSFER.value: gettext_lazy("by transfer"),
}


def build_table(request: Request) -> Table:
    """Return the first rows of the window, the last created task first."""
    rows = list(islice(iterate_rows(request), MOST_ROWS + 1))
    notes = []
    if len(rows) > MOST_ROWS:
        notes.append(
            _("The last %(rows)d tasks of the window are shown; the file has all of them.")
            % {"rows": MOST_ROWS}
        )
    return Table(columns=list_columns(request), rows=rows[:MOST_ROWS], notes=notes)


def iterate_rows(request: Request) -> Iterator[Row]:
    """Yield all rows; tasks are read in chunks."""
    layout = task_layouts.load_layout(request.workspace)
    query = urlencode({"workspace": request.workspace.sid})
    scope = request.build_scope([request.window.span], FILTERS)
    for chunk in task_reports.iterate_tasks(scope):
        for story in chunk:
            known = subjects.parse_attributes(story.attributes)
            title, _titled = subjects.first_text(known, layout.titles)
            address = f"{reverse('supervisors:task', args=[story.sid])}?{query}"
            head = Head(text=title or story.sid, sid=story.sid, address=address)
            yield Row(heads=[head], figures=story)


def list_columns(request: Request) -> list[Column]:
    """Return the columns; each chosen attribute has one."""
    zone = request.window.calendar.zone
    found = [*_list_dates(zone), *_COLUMNS]
    for number, path in enumerate(request.query.attribute, 1):
        found.append(
            Column(
                name=f"attribute_{number}",
                title=path,
                read=_read_attribute(path),
                unit=Unit.TEXT,
                formula=gettext_lazy("An attribute of the task, as it is now."),
                is_usual=True,
                file_name=path,
            )
        )
    return found


def _read_attribute(path: str) -> Callable[[TaskStory], str | None]:
    def read(story: TaskStory) -> str | None:
        value: Any = subjects.parse_attributes(story.attributes)
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return None if value is None else str(value)[:200]

    return read


def _list_dates(zone: tzinfo) -> list[Column]:
    def localize(at: datetime | None) -> datetime | None:
        return None if at is None else at.astimezone(zone)

    return [
        Column(
            name="created",
            title=gettext_lazy("Created"),
            read=lambda story: localize(story.created),
            unit=Unit.DATE,
            is_usual=True,
        ),
        Column(
            name="finished",
            title=gettext_lazy("Finished"),
            read=lambda story: localize(story.finished),
            unit=Unit.DATE,
        ),
    ]


def _text(
    name: str, title: Label, read: Callable[[TaskStory], str], *, is_usual: bool = True
) -> Column:
    return Column(
        name=name,
        title=title,
        read=lambda story: read(story) or None,
        unit=Unit.TEXT,
        is_usual=is_usual,
    )


_COLUMNS: Final = (
    _text("queue", gettext_lazy("Queue"), lambda story: story.queue),
    _text("channel", gettext_lazy("Channel"), lambda story: story.channel),
    _text("workflow", gettext_lazy("Workflow"), lambda story: story.workflow, is_usual=False),
    Column(name="priority", title=gettext_lazy("Priority"), read=lambda story: story.priority),
    Column(
        name="waited",
        title=gettext_lazy("Waited"),
        read=lambda story: story.waited_ms,
        unit=Unit.MS,
        formula=gettext_lazy(
            "From the creation to the first answer, or to the end of a task without one."
        ),
        is_usual=True,
    ),
    Column(
        name="waited_in_queue",
        title=gettext_lazy("Waited in queue"),
        read=lambda story: story.waited_in_queue_ms,
        unit=Unit.MS,
        formula=gettext_lazy("The same, since it entered the queue in which it was answered."),
    ),
    Column(
        name="answers",
        title=gettext_lazy("Answers"),
        read=lambda story: story.answers,
        formula=gettext_lazy("How often it was accepted, transfers included."),
        is_usual=True,
    ),
    Column(
        name="origin",
        title=gettext_lazy("Origin"),
        read=lambda story: story.origin or None,
        unit=Unit.TEXT,
        formula=gettext_lazy("How it came to the agent who answered it first."),
        is_usual=True,
        words=ORIGINS,
    ),
    _text("agents", gettext_lazy("Agents"), lambda story: ", ".join(story.agents)),
    Column(
        name="handled",
        title=gettext_lazy("Handle time"),
        read=lambda story: story.handled_ms,
        unit=Unit.MS,
        formula=gettext_lazy("From accepting to completing, of all agents together."),
        is_usual=True,
    ),
    Column(
        name="effort",
        title=gettext_lazy("Effort"),
        read=lambda story: story.effort_ms,
        unit=Unit.MS,
        formula=gettext_lazy(
            "The handle time, each second divided by how many tasks the agent had in hand."
        ),
        is_usual=True,
    ),
    Column(name="offers", title=gettext_lazy("Offers"), read=lambda story: story.offers),
    Column(name="missed", title=gettext_lazy("Missed"), read=lambda story: story.missed),
    Column(name="rejected", title=gettext_lazy("Rejected"), read=lambda story: story.rejected),
    Column(
        name="end",
        title=gettext_lazy("End"),
        read=lambda story: story.end,
        unit=Unit.TEXT,
        formula=gettext_lazy("Its status; of a canceled task, how its last stay ended."),
        is_usual=True,
        words=ENDS,
    ),
)
