"""Names of what figures are about, by the keys that figures have."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from routing import models, sids
from routing.models import Event, Workspace
from routing.statistics.calendars import Calendar, Step
from routing.statistics.windows import Span
from supervisors.durations import isolate_date
from supervisors.reports.tables import Head

COLUMNS: Final = {
    "queue": "task_queue_key",
    "channel": "task_channel_key",
    "workflow": "workflow_key",
    "agent": "worker_key",
}
"""The columns of figures by dimension."""
PARAMETERS: Final = {
    "queue": "queue",
    "channel": "channel",
    "workflow": "workflow",
    "agent": "worker",
}
_MODELS: Final[dict[str, tuple[Any, str]]] = {
    "queue": (models.TaskQueue, "friendly_name"),
    "channel": (models.TaskChannel, "unique_name"),
    "workflow": (models.Workflow, "friendly_name"),
    "agent": (models.Worker, "friendly_name"),
}
_MOST_DELETED: Final = 200
"""Deleted rows whose last names are looked up in the events."""


@dataclass(frozen=True, slots=True)
class Named:
    """A row: its sid, its name, and the value by which an address names it."""

    sid: str
    name: str
    value: str


@dataclass(slots=True)
class Names:
    """The rows of a workspace by dimension and key."""

    workspace: Workspace
    _known: dict[str, dict[int, Named]] = field(default_factory=dict)
    _searched: set[tuple[str, int]] = field(default_factory=set)

    def load(self, dimension: str, keys: Collection[int]) -> None:
        """Load the names for some keys; those of deleted rows from their last event."""
        known = self._list(dimension)
        missing = [key for key in sorted(keys) if key and key not in known]
        for key in missing[:_MOST_DELETED]:
            if (dimension, key) not in self._searched:
                self._searched.add((dimension, key))
                if (found := _find_deleted(self.workspace, dimension, key)) is not None:
                    known[key] = found

    def find_keys(self, dimension: str, values: Iterable[str]) -> frozenset[int]:
        """Return the keys of the values of an address; unknown ones have no figures."""
        if dimension != "channel":
            return frozenset(sids.index_key(value) for value in values)
        by_name = {each.value: key for key, each in self._list(dimension).items()}
        return frozenset(by_name.get(value, -1) for value in values)

    def list_all(self, dimension: str) -> list[tuple[str, str]]:
        """Return the values and names of all rows, by name."""
        rows = ((each.value, each.name) for each in self._list(dimension).values())
        return sorted(rows, key=lambda row: row[1].casefold())

    def build_head(self, dimension: str, key: int) -> Head:
        """Return the head of a row."""
        found = self._list(dimension).get(key)
        if found is not None:
            parameter = PARAMETERS[dimension]
            return Head(text=found.name, sid=found.sid, parameters=((parameter, found.value),))
        if not key:
            return Head(text=_WITHOUT[dimension](), parameters=((f"no_{dimension}", "1"),))
        return Head(text=_("(deleted)"))

    def _list(self, dimension: str) -> dict[int, Named]:
        if dimension not in self._known:
            model, name = _MODELS[dimension]
            rows = model.objects.filter(workspace=self.workspace).values_list("sid", name)
            self._known[dimension] = {
                sids.index_key(sid): Named(sid, text, text if dimension == "channel" else sid)
                for sid, text in rows
            }
        return self._known[dimension]


_WITHOUT: Final = {
    "queue": lambda: _("Without a queue"),
    "channel": lambda: _("Without a channel"),
    "workflow": lambda: _("Without a workflow"),
    "agent": lambda: _("Without an agent"),
}
_IN_EVENTS: Final = {
    "queue": ("task_queue_key", "task_queue_sid", "task_queue_name"),
    "channel": ("task_channel_key", "task_channel_sid", "task_channel_unique_name"),
    "workflow": ("workflow_key", "workflow_sid", "workflow_name"),
    "agent": ("worker_key", "worker_sid", "worker_name"),
}


def _find_deleted(workspace: Workspace, dimension: str, key: int) -> Named | None:
    """Return what the last event about a deleted row says of it."""
    column, sid, name = _IN_EVENTS[dimension]
    if dimension in ("channel", "workflow"):  # events have no index on these
        return None
    rows = Event.objects.filter(workspace_sid=workspace.sid, **{column: key})
    data = rows.order_by("-event_date", "-id").values_list("event_data", flat=True).first()
    if not data or not data.get(sid) or sids.index_key(data[sid]) != key:
        return None
    return Named(data[sid], _("%(name)s (deleted)") % {"name": data.get(name) or ""}, data[sid])


def build_interval(span: Span, step: Step, calendar: Calendar) -> Head:
    """Return the head of an interval: its day, its time, and its offset where clocks change."""
    start = calendar.find_local(span.start)
    text = formats.date_format(start, "D Y-m-d")
    short = f"{start:%m-%d}" if step is Step.DAY else f"{start:%H:%M}"
    if step is not Step.DAY:
        text = f"{text} {start:%H:%M}"
        if is_repeated(start):
            text = f"{text} {start.isoformat()[-6:]}"  # %:z is not there in Python 3.11
    return Head(text=isolate_date(text), short=short, span=span, parameters=write_span(span))


def is_repeated(at: datetime) -> bool:
    """Return whether the time on the wall comes twice that day."""
    return at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()


def write_span(span: Span) -> tuple[tuple[str, str], ...]:
    """Return a span as parameters of an address."""
    return (("start", _write_minute(span.start)), ("end", _write_minute(span.end)))


def _write_minute(minute: int) -> str:
    at = datetime.fromtimestamp(minute * 60, timezone.get_fixed_timezone(0))
    return f"{at:%Y-%m-%dT%H:%MZ}"
