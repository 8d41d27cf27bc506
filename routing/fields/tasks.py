"""Fields of tasks and reservations."""

from __future__ import annotations

from typing import Final

from routing import models
from routing.core import clock
from routing.core.vocabulary import AssignmentStatus, ReservationStatus
from routing.fields.common import dates, own_sid, parents
from routing.fields.declarations import Field, date_text, moment
from routing.fields.schemas import date, document, flag, sid, text, whole, word
from routing.fields.shapes import Link, RowShape, link_to, sample_row

TASK: Final = RowShape[models.Task](
    "Task",
    (
        own_sid("WT", event="task_sid"),
        *parents(),
        Field(
            "age",
            whole("Seconds since it was created.", 95),
            at=lambda row, now: max(int((now - row.date_created).total_seconds()), 0),
        ),
        Field(
            "assignment_status",
            word("The status of the task.", AssignmentStatus, "pending"),
            event="task_assignment_status",
        ),
        Field(
            "attributes",
            document(
                "The attributes that expressions read: a JSON object, as submitted.",
                '{"subject": "Parcel has not arrived", "language": "en"}',
            ),
            event="task_attributes",
        ),
        Field(
            "addons",
            document("Always an empty JSON object: there are no add-ons.", "{}"),
            lambda row: "{}",
        ),
        Field(
            "priority",
            whole("Higher values are served earlier.", 0, most=2**31 - 1),
            event="task_priority",
        ),
        Field("reason", text("Why it was canceled or completed.", None, null=True)),
        Field(
            "timeout",
            whole(
                "Seconds until the task is canceled if no worker accepts it.",
                86_400,
                least=1,
                most=1_209_600,
            ),
            event="task_timeout",
        ),
        Field(
            "task_queue_sid",
            sid("The queue that it is in.", "WQ", null=True),
            "task_queue?.sid",
            sdk_name="queue_sid",
        ),
        Field(
            "task_queue_friendly_name",
            text("That queue's name.", "Support in English", null=True),
            "task_queue?.friendly_name",
            sdk_name="queue_name",
        ),
        moment(
            "task_queue_entered_date",
            date("When it entered that queue.", null=True),
            sdk_name="",
            event="task_queue_entered_date",
        ),
        Field(
            "task_channel_sid",
            sid("The channel of the task.", "TC"),
            "channel_sid",
            event="task_channel_sid",
        ),
        Field(
            "task_channel_unique_name",
            text("That channel's unique name.", "chat"),
            "channel_name",
            event="task_channel_unique_name",
        ),
        Field(
            "workflow_sid",
            sid("The workflow that routes it.", "WW", null=True),
            "workflow?.sid",
        ),
        Field(
            "workflow_friendly_name",
            text("That workflow's name.", "Incoming chats", null=True),
            "workflow?.friendly_name",
            sdk_name="workflow_name",
        ),
        Field(
            "virtual_start_time",
            date("The start of its waiting time, used for sorting."),
            "virtual_start_us",
            rest=lambda microseconds: date_text(clock.moment(microseconds)),
            sdk=lambda microseconds: microseconds // clock.SECOND,
            event="task_virtual_start_time",
        ),
        Field(
            "routing_target",
            sid(
                "The worker, queue or workflow that it was sent to directly.",
                *("WK", "WQ", "WW"),
                null=True,
                unset=True,
            ),
        ),
        Field(
            "ignore_capacity",
            flag(
                "For a task sent to a worker: whether their capacity is ignored.", None, null=True
            ),
            sdk_name="",
        ),
        *dates(created="task_date_created"),
        Field("version", None, event="task_version"),
        Field("virtual_start_us", None, sdk_name="", event="task_virtual_start_us"),
        Field("counter", None, "assignments"),
    ),
    "A unit of work for one worker: a call, a chat, a lead.",
    path=lambda row: f"/Tasks/{row.sid}",
    links=[
        link_to("TaskQueues", "task_queue", lambda row: row.task_queue),
        link_to("Workflows", "workflow", lambda row: row.workflow),
        Link("workspace", lambda row: ""),
        Link("reservations", lambda row: f"/Tasks/{row.sid}/Reservations"),
    ],
    sample=sample_row("WT", task_queue="WQ", workflow="WW"),
    versioned=True,
    event_order=(
        "task_sid",
        "task_attributes",
        "task_priority",
        "task_assignment_status",
        "task_timeout",
        "task_version",
        "task_channel_sid",
        "task_channel_unique_name",
        "task_date_created",
        "task_virtual_start_time",
        "task_queue_entered_date",
    ),
)

RESERVATION: Final = RowShape[models.Reservation](
    "Reservation",
    (
        own_sid("WR", event="reservation_sid"),
        *parents(),
        Field("task_sid", sid("The task that is offered.", "WT"), "task.sid"),
        Field(
            "worker_sid",
            sid("The worker who is offered the task; kept after the worker is deleted.", "WK"),
        ),
        Field(
            "worker_name",
            text("The worker's name; the last known one if the worker was deleted.", "Alice"),
        ),
        Field(
            "reservation_status",
            word("The status of the reservation.", ReservationStatus, "pending"),
            event="reservation_status",
        ),
        Field(
            "rejection_reason",
            text("Why the worker rejected it, if they said so.", "Wrong language", null=True),
            sdk_name="",
        ),
        Field(
            "wrap_up_deadline",
            date("When the time for wrapping up is over; null: no limit.", None, null=True),
            "wrap_up_deadline_us",
            rest=lambda us: None if us is None else date_text(clock.moment(us)),
            sdk_name="",
        ),
        Field(
            "outcome_code",
            text(
                "How the task ended: the unique name of an outcome code; a draft until it ends.",
                "resolved",
                null=True,
            ),
            sdk_name="",
        ),
        Field(
            "outcome_note",
            text("A note of how the task ended.", "Sent again on Monday", null=True),
            sdk_name="",
        ),
        *dates(),
        Field("reservation_timeout", None, event="reservation_timeout"),
        Field(
            "worker_previous_activity_sid",
            None,
            "worker_previous_activity?.sid",
        ),
        Field("version", None, event="reservation_version"),
    ),
    "One offer of a task to a worker, and its outcome.",
    path=lambda row: f"/Tasks/{row.task.sid}/Reservations/{row.sid}",
    links=[
        Link("task", lambda row: f"/Tasks/{row.task.sid}"),
        link_to("Workers", "worker", lambda row: row.worker),
        Link("workspace", lambda row: ""),
    ],
    sample=sample_row("WR", task="WT", worker="WK"),
    versioned=True,
)
