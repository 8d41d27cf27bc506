"""Views for events: newest first, or continued from the last event that a client has read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.db.models import QuerySet

from routing import models, sids
from routing.api import inputs, pagination, windows
from routing.api.base import READ_ONLY, Given, InstanceResource, ListResource, Resource
from routing.api.errors import ApiError
from routing.api.event_shapes import EVENT
from routing.core import clock
from routing.core.event_catalog import EventType
from routing.core.vocabulary import ResourceType
from routing.fields.declarations import date_text
from routing.fields.schemas import sample_sid
from routing.fields.shapes import Answer

NEWEST_FIRST: Final[pagination.Order] = (
    pagination.Clause("event_date", descending=True),
    pagination.Clause("id", descending=True),
)
LOG: Final[pagination.Order] = (pagination.Clause("transaction_id"), pagination.Clause("id"))
"""The order in which events became readable."""

# Event types of the hosted service that Cordboard never records: such a filter finds nothing.
_ELSEWHERE: Final = ("reservation.failed",)
_OF_RESERVATIONS: Final = [word for word in EventType if word.startswith("reservation.")]
_COLLECTIONS: Final = {
    ResourceType.ACTIVITY: "Activities",
    ResourceType.TASK_CHANNEL: "TaskChannels",
    ResourceType.TASK_QUEUE: "TaskQueues",
    ResourceType.WORKFLOW: "Workflows",
    ResourceType.WORKER: "Workers",
    ResourceType.TASK: "Tasks",
}


def _after() -> inputs.Param:
    """Return the parameter for the event to continue after; empty: from the beginning."""

    def convert(value: str, place: inputs.Place) -> str:
        if value and not sids.is_valid(value, "EV"):
            place.refuse(value, "it must be the sid of an event (EV…), or empty for the beginning")
        return value

    schema = {"type": "string", "pattern": "^(EV[0-9a-fA-F]{32})?$"}
    return inputs.Param("After", "after", convert, schema=schema).says(
        "Continue the log after this event, oldest first, so that nothing is missed; empty:"
        " from the beginning. Covers all stored events unless dates are given.",
        sample_sid("EV"),
    )


class _Events(Resource):
    http_method_names = READ_ONLY
    shape = EVENT

    def rows(self) -> QuerySet[models.Event]:
        return models.Event.objects.filter(workspace_sid=self.workspace.sid)

    def represent(self, row: models.Event) -> Answer:
        url = f"{self.base}/Workspaces/{row.workspace_sid}"
        return {
            "sid": row.sid,
            "account_sid": self.caller.account.sid,
            "workspace_sid": row.workspace_sid,
            "event_type": row.event_type,
            "event_date": date_text(row.event_date),
            "event_date_ms": clock.microseconds(row.event_date) // 1000,
            "description": row.description,
            "event_data": row.event_data,
            "actor_type": row.actor_type,
            "actor_sid": row.actor_sid,
            "actor_url": f"{url}/Workers/{row.actor_sid}" if row.actor_type == "worker" else None,
            "resource_type": row.resource_type,
            "resource_sid": row.resource_sid,
            "resource_url": _resource_url(row, url),
            "source": row.source,
            "source_ip_address": row.source_ip_address,
            "url": f"{url}/Events/{row.sid}",
        }


class EventList(_Events, ListResource[models.Event]):
    """The events of a workspace."""

    key = "events"
    about = {
        "get": "List events\n\nNewest first, the last 15 minutes by default. With"
        " `After` the log continues oldest first where a reader stopped: every event comes once,"
        " and none is missed."
    }
    filters = (
        *windows.PARAMS,
        inputs.one_of("EventType", (*EventType, *_ELSEWHERE), many=True).says(
            "Only these types.", ["task.created"]
        ),
        inputs.sid("TaskSid", "WT").says("Only events of this task and its reservations."),
        inputs.sid("ReservationSid", "WR").says("Only events of this reservation."),
        inputs.sid("WorkerSid", "WK").says("Only events that involve this worker."),
        inputs.sid("TaskQueueSid", "WQ").says("Only events of this queue and of the tasks in it."),
        inputs.sid("WorkflowSid", "WW").says("Only events of this workflow and of its tasks."),
        windows.task_channel(),
        inputs.sid("Sid", "EV").says("Only this event."),
        _after(),
    )
    order = NEWEST_FIRST
    indexed = (LOG,)

    def ordered(self, given: dict[str, Any]) -> pagination.Order:
        return LOG if "after" in given else super().ordered(given)

    def narrow(self, rows: QuerySet[models.Event], given: Given) -> QuerySet[models.Event]:
        columns = {
            "event_type": "event_type__in",
            "sid": "sid",
            "task_channel_key": "task_channel_key",
        }
        chosen = {columns[name]: given[name] for name in columns if name in given}
        for noun in ("task", "worker", "task_queue", "workflow"):
            if f"{noun}_sid" in given:
                chosen[f"{noun}_key"] = sids.index_key(given[f"{noun}_sid"])
        if "reservation_sid" in given:
            rows = rows.filter(**self._of_reservation(given["reservation_sid"]))
        found = windows.dates(dict(given), now=self.now)
        if "after" not in given and not found:
            found["start"] = self.now - timedelta(minutes=windows.DEFAULT_MINUTES)
        bounds = {"start": "event_date__gte", "end": "event_date__lte"}
        rows = rows.filter(**chosen, **{bounds[name]: found[name] for name in found})
        return self._read_on(rows, given["after"]) if "after" in given else rows

    def _of_reservation(self, sid: str) -> dict[str, Any]:
        """Return the filter for a reservation's events.

        It uses the task's index while the task exists.
        """
        chosen: dict[str, Any] = {"resource_sid": sid, "event_type__in": _OF_RESERVATIONS}
        rows = self.workspace.reservations.filter(sid=sid).values_list("task__sid", flat=True)
        for task_sid in rows:
            chosen["task_key"] = sids.index_key(task_sid)
        return chosen

    def _read_on(self, rows: QuerySet[models.Event], after: str) -> QuerySet[models.Event]:
        """Return the events after one in the log, as far as no earlier event can still appear."""
        assert isinstance(rows, models.Events)
        settled = rows.settled()
        if not after:
            return settled
        for last in self.rows().filter(sid=after):
            return settled.after(last)
        raise ApiError(
            f"After is {after!r}, which is not an event of this workspace, or was deleted; later"
            " events may be deleted too: begin again with an empty After, or with a StartDate"
        )


class EventInstance(_Events, InstanceResource[models.Event]):
    """One event."""

    about = {"get": "Fetch an event"}

    def find(self) -> models.Event:
        return self.one(self.rows().filter(sid=self.sid("sid", "EV")))


def _resource_url(row: models.Event, url: str) -> str:
    kind = ResourceType(row.resource_type)
    if kind == ResourceType.RESERVATION:
        return f"{url}/Tasks/{row.event_data.get('task_sid')}/Reservations/{row.resource_sid}"
    if kind == ResourceType.WORKSPACE:
        return url
    return f"{url}/{_COLLECTIONS[kind]}/{row.resource_sid}"
