"""Shapes of answers: their JSON schema and, for rows of a table, their values.

A `RowShape` lists the fields of a noun. Each `Field` declares a property once: its value, its
schema, its name in the SDK's payloads and in event data, and whether a REST parameter sets it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from types import SimpleNamespace
from typing import Any, Final, Generic

from routing.fields import schemas
from routing.fields.declarations import EventData, Field, Row, compile_reader
from routing.fields.schemas import Schema

Answer = dict[str, Any]
"""A JSON-ready object of the API."""

_STATISTICS: Final = {
    "statistics": "Statistics",
    "real_time_statistics": "RealTimeStatistics",
    "cumulative_statistics": "CumulativeStatistics",
}


class Shape:
    """The JSON schema of one kind of answer.

    Arguments:
        name: the name of the schema in the API description.
        optional: the properties that not every answer has.
        versioned: whether answers carry an ETag.
    """

    def __init__(
        self,
        name: str,
        properties: Mapping[str, Schema],
        words: str = "",
        *,
        optional: frozenset[str] = frozenset(),
        versioned: bool = False,
    ) -> None:
        self.name = name
        self.properties = properties
        self.words = words
        self.optional = optional
        self.versioned = versioned

    @property
    def schema(self) -> Schema:
        """Return its JSON schema."""
        return schemas.mapping(self.properties, self.words, optional=self.optional)

    @property
    def example(self) -> Answer:
        """Return an example, made of the examples of its properties."""
        found: Answer = schemas.example_of(self.schema)
        return found


@dataclass(frozen=True, slots=True)
class Link(Generic[Row]):
    """A link to a related resource.

    Arguments:
        path: returns the path below the workspace's URL; None if a row has no such resource.
    """

    name: str
    path: Callable[[Row], str | None]
    null: bool = False


def link_to(collection: str, name: str, get: Callable[[Row], Any]) -> Link[Row]:
    """Return the link to a related row, which may be missing.

    Arguments:
        get: returns that row or None.
    """

    def path(row: Row) -> str | None:
        related = get(row)
        return None if related is None else f"/{collection}/{related.sid}"

    return Link(name, path, null=True)


def statistics_of(path: Callable[[Any], str]) -> list[Link[Any]]:
    """Return the links to the three kinds of statistics below a path."""
    return [_tail(name, path, tail) for name, tail in _STATISTICS.items()]


def _tail(name: str, path: Callable[[Any], str], tail: str) -> Link[Any]:
    return Link(name, lambda row: f"{path(row)}/{tail}")


class RowShape(Shape, Generic[Row]):
    """The fields of a noun, and how its rows are shown.

    Arguments:
        path: returns the path of a row below its workspace's URL.
        workspace: returns the workspace of a row.
        sample: a row with the sids that the examples of URLs show.
        event_order: the keys of event data that come first, as receivers have always got them.
    """

    def __init__(
        self,
        name: str,
        fields: Sequence[Field[Row]],
        words: str,
        *,
        path: Callable[[Row], str],
        links: Sequence[Link[Row]] = (),
        workspace: Callable[[Row], Any] = attrgetter("workspace"),
        sample: Any,
        versioned: bool = False,
        event_order: Sequence[str] = (),
    ) -> None:
        properties = {field.name: field.schema for field in fields if field.schema is not None}
        properties["url"] = schemas.url("The URL of this resource.", path(sample))
        if links:
            paths = {
                link.name: schemas.url("", link.path(sample), null=link.null) for link in links
            }
            properties["links"] = schemas.mapping(paths, "Related resources.")
        optional = frozenset(field.name for field in fields if field.optional)
        super().__init__(name, properties, words, optional=optional, versioned=versioned)
        self.fields = fields
        self._path, self._workspace = path, workspace
        self._links = [(link.name, link.path) for link in links]
        always = [field for field in fields if not field.optional]
        shown = [field for field in always if field.schema is not None]
        pushed = [field for field in always if field.name_for_sdk]
        self._timed = [(field.name, field.at) for field in always if field.at is not None]
        self._read_for_rest = compile_reader([(f.name, f.place, f.rest) for f in shown])
        self._read_for_sdk = compile_reader([(f.name_for_sdk, f.place, f.sdk) for f in pushed])
        order = {key: place for place, key in enumerate(event_order)}
        recorded = sorted(
            (field for field in fields if field.event),
            key=lambda field: order.get(field.event, len(order)),
        )
        self.event_data = compile_reader([(f.event, f.place, f.to_event) for f in recorded])
        """Returns the texts of a row that its events carry."""
        self.values = compile_reader(
            [
                (field.name, field.place, field.rest)
                for field in always
                if field.schema is not None and field.at is None and field.name not in _NOT_COMPARED
            ]
        )
        """Returns the values of a row that changes are told by."""
        self._in_events = [
            (field.name_for_sdk, field.event, field.from_event)
            for field in recorded
            if field.schema is not None and field.name_for_sdk not in ("", "sid")
        ]

    def represent(self, row: Row, *, base: str, now: datetime | None = None) -> Answer:
        """Return a row as REST answers show it.

        Arguments:
            base: the URL under which the caller reaches the API, without a slash at its end.
            now: the time of the answer, for the fields that depend on it.
        """
        shown = self._read_for_rest(row)
        for name, at in self._timed:
            shown[name] = at(row, now)
        home = f"{base}/Workspaces/{self._workspace(row).sid}"
        shown["url"] = home + self._path(row)
        if self._links:
            shown["links"] = {
                name: None if (path := get(row)) is None else home + path
                for name, get in self._links
            }
        return shown

    def sdk_payload(self, row: Row, *, now: datetime | None = None) -> Answer:
        """Return a row as the SDK gets it."""
        shown = self._read_for_sdk(row)
        for name, at in self._timed:
            shown[name] = at(row, now)
        return shown

    def describe_changes(self, before: Answer, row: Row) -> EventData:
        """Return the event field with the old and the new value of what has changed.

        Arguments:
            before: the `values` of the row before the change.
        """
        return describe_changes(before, self.values(row))

    def from_event(self, data: Mapping[str, str | None]) -> Answer:
        """Return what event data say of a row, as the SDK gets it by push, without its sid.

        Events of the previous release lack newer keys: a boolean is then false, others are None.
        """
        return {
            name: data.get(key) if read is None else read(data.get(key))
            for name, key, read in self._in_events
        }


def describe_changes(before: Answer, after: Answer) -> EventData:
    """Return the event field `changes`: JSON text with `[old, new]` by name, each a text or null.

    User names and passwords in URLs are left out.
    """
    changed = {
        name: [_change_text(before[name]), _change_text(value)]
        for name, value in after.items()
        if before[name] != value
    }
    return {"changes": json.dumps(changed, ensure_ascii=False)}


def _change_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return _CREDENTIALS.sub(r"\1", str(value))


_CREDENTIALS: Final = re.compile(r"(\bhttps?://)[^/@\s]*@")
_NOT_COMPARED: Final = frozenset(
    {
        *("sid", "account_sid", "workspace_sid", "worker_sid", "task_sid", "age", "addons"),
        *("date_created", "date_updated", "date_status_changed", "task_queue_entered_date"),
        # Statuses and reasons, which events of their own record.
        *("assignment_status", "reason", "activity_sid", "assigned_tasks"),
        *("available_capacity_percentage", "busy_capacity_percentage"),
        # Names beside the sids of related rows.
        *("default_activity_name", "timeout_activity_name", "reservation_activity_name"),
        *("assignment_activity_name", "activity_name", "task_queue_friendly_name"),
        *("task_channel_unique_name", "workflow_friendly_name", "document_content_type"),
    }
)


def sample_row(prefix: str, **related: str) -> SimpleNamespace:
    """Return a row for the examples of URLs.

    Arguments:
        related: the prefix of the sid of each related row.
    """
    rows = {name: SimpleNamespace(sid=schemas.sample_sid(other)) for name, other in related.items()}
    return SimpleNamespace(sid=schemas.sample_sid(prefix), **rows)
