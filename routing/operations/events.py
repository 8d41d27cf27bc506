"""Operations on events: newest first, or continued from the last event that a client has read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.db.models import QuerySet

from routing import models, sids
from routing.core.event_catalog import EventType
from routing.fields.schemas import sample_sid
from routing.models.events import find_last_transaction
from routing.operations import keysets, parameters, references, time_windows
from routing.operations.base import Arguments, InstanceOperation, ListOperation, Operation
from routing.operations.errors import ApiError

NEWEST_FIRST: Final[keysets.Order] = (
    keysets.Clause("event_date", descending=True),
    keysets.Clause("id", descending=True),
)
LOG: Final[keysets.Order] = (
    keysets.Clause("transaction_id", greatest=find_last_transaction()),
    keysets.Clause("id"),
)
"""The order in which events became readable."""

# Event types of the hosted service that Cordboard never records: such a filter finds nothing.
_ELSEWHERE: Final = ("reservation.failed",)
_OF_RESERVATIONS: Final = [word for word in EventType if word.startswith("reservation.")]


def _after() -> parameters.Param:
    """Return the parameter for the event to continue after; empty: from the beginning."""

    def convert(value: str, source: parameters.ParamContext) -> str:
        if value and not sids.is_valid(value, "EV"):
            source.refuse(value, "it must be the sid of an event (EV…), or empty for the beginning")
        return value

    schema = {"type": "string", "pattern": "^(EV[0-9a-fA-F]{32})?$"}
    return parameters.Param("After", "after", convert, schema=schema).describe(
        "Continue the log after this event, oldest first, so that nothing is missed; empty:"
        " from the beginning. Covers all stored events unless dates are given.",
        sample_sid("EV"),
    )


class _EventsOperation(Operation):
    def rows(self) -> QuerySet[models.Event]:
        return models.Event.objects.filter(workspace_sid=self.workspace.sid)


class EventListOperation(_EventsOperation, ListOperation[models.Event]):
    """The events of a workspace."""

    filters = (
        *time_windows.PARAMS,
        parameters.choice("EventType", (*EventType, *_ELSEWHERE), many=True).describe(
            "Only these types.", ["task.created"]
        ),
        references.sid("TaskSid", "WT").describe("Only events of this task and its reservations."),
        references.sid("ReservationSid", "WR").describe("Only events of this reservation."),
        references.sid("WorkerSid", "WK").describe("Only events that involve this worker."),
        references.sid("TaskQueueSid", "WQ").describe(
            "Only events of this queue and of the tasks in it."
        ),
        references.sid("WorkflowSid", "WW").describe(
            "Only events of this workflow and of its tasks."
        ),
        time_windows.task_channel(),
        references.sid("Sid", "EV").describe("Only this event."),
        _after(),
    )
    order = NEWEST_FIRST
    indexed_orders = (LOG,)

    def choose_order(self, arguments: dict[str, Any]) -> keysets.Order:
        return LOG if "after" in arguments else super().choose_order(arguments)

    def filter_page(
        self, rows: QuerySet[models.Event], arguments: Arguments, token: keysets.Token | None
    ) -> QuerySet[models.Event]:
        if token is None or token.backwards or not arguments.get("after"):
            return self.filter_rows(rows, arguments)
        # The page begins later. Of two ranges, the database would seek in either.
        self._find_last(arguments["after"])
        return self.filter_rows(rows, {**arguments, "after": ""})

    def filter_rows(
        self, rows: QuerySet[models.Event], arguments: Arguments
    ) -> QuerySet[models.Event]:
        columns = {
            "event_type": "event_type__in",
            "sid": "sid",
            "task_channel_key": "task_channel_key",
        }
        chosen = {columns[name]: arguments[name] for name in columns if name in arguments}
        for noun in ("task", "worker", "task_queue", "workflow"):
            if f"{noun}_sid" in arguments:
                chosen[f"{noun}_key"] = sids.index_key(arguments[f"{noun}_sid"])
        if "reservation_sid" in arguments:
            rows = rows.filter(**self._reservation_filter(arguments["reservation_sid"]))
        found = time_windows.read_dates(dict(arguments), now=self.now)
        if "after" not in arguments and not found:
            found["start"] = self.now - timedelta(minutes=time_windows.DEFAULT_MINUTES)
        bounds = {"start": "event_date__gte", "end": "event_date__lte"}
        rows = rows.filter(**chosen, **{bounds[name]: found[name] for name in found})
        return self._continue_after(rows, arguments["after"]) if "after" in arguments else rows

    def _reservation_filter(self, sid: str) -> dict[str, Any]:
        """Return the filter for a reservation's events.

        It uses the task's index while the task exists.
        """
        chosen: dict[str, Any] = {"resource_sid": sid, "event_type__in": _OF_RESERVATIONS}
        rows = self.workspace.reservations.filter(sid=sid).values_list("task__sid", flat=True)
        for task_sid in rows:
            chosen["task_key"] = sids.index_key(task_sid)
        return chosen

    def _continue_after(self, rows: QuerySet[models.Event], after: str) -> QuerySet[models.Event]:
        """Return the events after one in the log, as far as no earlier event can still appear."""
        assert isinstance(rows, models.Events)
        settled = rows.settled()
        return settled.after(self._find_last(after)) if after else settled

    def _find_last(self, after: str) -> models.Event:
        """Return the event after which a client continues. Raises `ApiError`."""
        for last in self.rows().filter(sid=after):
            return last
        raise ApiError(
            f"After is {after!r}, which is not an event of this workspace, or was deleted; later"
            " events may be deleted too: begin again with an empty After, or with a StartDate"
        )


class EventInstanceOperation(_EventsOperation, InstanceOperation[models.Event]):
    """One event."""

    def find(self) -> models.Event:
        return self.first_row(self.rows().filter(sid=self.sid("sid", "EV")))
