"""Fields of workers and of their channels."""

from __future__ import annotations

from typing import Final

from routing import models
from routing.core.snapshot import busy_percentage
from routing.fields.common import dates, friendly_name, own_sid, parents
from routing.fields.declarations import Field, Writable, moment
from routing.fields.schemas import date, document, flag, sid, text, whole
from routing.fields.shapes import Link, RowShape, sample_row, statistics_of

WORKER: Final = RowShape[models.Worker](
    "Worker",
    (
        own_sid("WK", event="worker_sid"),
        *parents(),
        friendly_name("The display name.", "Alice", event="worker_name"),
        Field(
            "activity_sid",
            sid("Their activity.", "WA"),
            "activity.sid",
            event="worker_activity_sid",
        ),
        Field(
            "activity_name",
            text("The name of their activity.", "Available"),
            "activity.friendly_name",
            event="worker_activity_name",
        ),
        Field(
            "available",
            flag("Whether they take work, by their activity.", True),
            "activity.available",
        ),
        Field(
            "attributes",
            document(
                "The attributes that expressions read: a JSON object, as submitted.",
                '{"languages": ["en", "de"]}',
            ),
            event="worker_attributes",
        ),
        moment("date_status_changed", date("When their activity changed last.")),
        *dates(),
        Field("version", None, event="worker_version"),
    ),
    "A person or a program that does tasks.",
    path=lambda row: f"/Workers/{row.sid}",
    links=[
        Link("channels", lambda row: f"/Workers/{row.sid}/Channels"),
        Link("activity", lambda row: f"/Activities/{row.activity.sid}"),
        Link("workspace", lambda row: ""),
        Link("worker_statistics", lambda row: f"/Workers/{row.sid}/Statistics"),
        Link("worker_channels", lambda row: f"/Workers/{row.sid}/Channels"),
        Link("reservations", lambda row: f"/Workers/{row.sid}/Reservations"),
        # These three are about all workers, as in TaskRouter's API.
        *statistics_of(lambda row: "/Workers"),
    ],
    sample=sample_row("WK", activity="WA"),
    versioned=True,
    event_order=("worker_sid", "worker_name", "worker_attributes"),
)

WORKER_CHANNEL: Final = RowShape[models.WorkerChannel](
    "WorkerChannel",
    (
        own_sid("WC", event="worker_channel_sid"),
        *parents("worker.workspace"),
        Field("worker_sid", sid("The worker of this channel.", "WK"), "worker.sid"),
        Field(
            "task_channel_sid",
            sid("The task channel.", "TC"),
            "task_channel.sid",
            event="task_channel_sid",
        ),
        Field(
            "task_channel_unique_name",
            text("The unique name of that channel.", "chat"),
            "task_channel.unique_name",
            event="task_channel_unique_name",
        ),
        Field(
            "configured_capacity",
            whole("The number of tasks of this channel that the worker takes at once.", 3, most=50),
            event="worker_channel_available_capacity",
        ),
        Field(
            "available",
            flag("Whether the worker currently takes this kind of work.", True),
            sdk=int,
            event="worker_channel_available",
            writable=Writable(
                "Whether the worker currently takes this kind of work. The capacity is kept.", True
            ),
        ),
        Field(
            "assigned_tasks",
            whole("The number of accepted tasks of this channel.", 1),
            "assigned",
            event="worker_channel_task_count",
        ),
        Field(
            "available_capacity_percentage",
            whole("Free capacity in percent: 100 is idle.", 66, most=100),
        ),
        Field(
            "busy_capacity_percentage",
            whole("Used capacity in percent: 0 is idle.", 33, most=100),
            lambda row: busy_percentage(row.configured_capacity, row.consumed),
        ),
        Field(
            "reserved_for_manual",
            whole("The number of slots kept free for grabbing.", 0, most=50),
            writable=Writable("The number of slots that the router leaves free for grabbing.", 1),
        ),
        *dates(),
        Field("last_reserved_time", None, lambda row: (row.last_reserved_us or 0) // 1000),
    ),
    "A worker's capacity for one kind of work, and how much of it is used.",
    path=lambda row: f"/Workers/{row.worker.sid}/Channels/{row.sid}",
    workspace=lambda row: row.worker.workspace,
    sample=sample_row("WC", worker="WK"),
    event_order=(
        "worker_channel_sid",
        "worker_channel_available",
        "worker_channel_available_capacity",
        "worker_channel_task_count",
    ),
)
