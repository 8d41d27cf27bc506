"""Fields of workspaces, activities and task channels."""

from __future__ import annotations

from typing import Final

from routing import models
from routing.core.vocabulary import QueueOrder
from routing.fields.common import ACCOUNT, dates, friendly_name, own_sid, parents
from routing.fields.declarations import Field, Writable
from routing.fields.schemas import flag, sid, text, whole, word
from routing.fields.shapes import Link, RowShape, sample_row, statistics_of

_COLLECTIONS: Final = {
    "activities": "Activities",
    "task_queues": "TaskQueues",
    "tasks": "Tasks",
    "workers": "Workers",
    "workflows": "Workflows",
    "task_channels": "TaskChannels",
    "events": "Events",
}


def _collection(name: str, tail: str) -> Link[models.Workspace]:
    return Link(name, lambda row: f"/{tail}")


WORKSPACE: Final = RowShape[models.Workspace](
    "Workspace",
    (
        own_sid("WS", event="workspace_sid"),
        Field("account_sid", ACCOUNT, "account.sid"),
        friendly_name("The display name.", "Support", event="workspace_name"),
        Field(
            "default_activity_sid",
            sid("The activity of new workers.", "WA", null=True),
            "default_activity?.sid",
        ),
        Field(
            "default_activity_name",
            text("The name of that activity.", "Offline", null=True),
            "default_activity?.friendly_name",
        ),
        Field(
            "timeout_activity_sid",
            sid("The activity after an offer expired.", "WA", null=True),
            "timeout_activity?.sid",
        ),
        Field(
            "timeout_activity_name",
            text("The name of that activity.", "Offline", null=True),
            "timeout_activity?.friendly_name",
        ),
        Field(
            "event_callback_url",
            text("Where events are posted, or empty.", "https://example.com/events"),
        ),
        Field(
            "events_filter", text("The event types posted; null: all.", "task.created", null=True)
        ),
        Field("multi_task_enabled", flag("Whether workers take several tasks at once.", True)),
        Field("prioritize_queue_order", word("Which queues are served first.", QueueOrder, "FIFO")),
        Field(
            "desk_grace",
            whole("Seconds without an open desk after which a worker is moved; 0: never.", 30),
        ),
        Field(
            "rejection_pause",
            whole(
                "Seconds for which a task is not offered again to a worker who rejected it; 0: no"
                " pause.",
                60,
                most=3_600,
            ),
            writable=Writable(
                "Seconds for which a task is not offered again to a worker who rejected it, unless"
                " no other worker may ever take it. Defaults to 0: no pause.",
                60,
            ),
        ),
        Field(
            "rejection_reasons",
            text("Reasons to reject an offer, one on each line.", "Wrong language\nConflict"),
            writable=Writable(
                "Reasons that agents may choose when they reject an offer, one on each line: at"
                " most 20 of 64 characters.",
                "Wrong language\nConflict",
            ),
        ),
        Field(
            "title_attributes",
            text(
                "Paths of task attributes, one on each line: the first with a text is the title.",
                "order.subject\nsubject",
            ),
            writable=Writable(
                "Paths of task attributes, one on each line, at most 50. The first with a text is a"
                " task's title at the desk. Defaults to the usual names, such as `subject`.",
                "order.subject\nsubject",
            ),
        ),
        Field(
            "subtitle_attributes",
            text("The same for the customer of a task.", "customer.name"),
            writable=Writable(
                "The same for the customer of a task.",
                "customer.name",
            ),
        ),
        Field(
            "attribute_labels",
            text(
                "Paths of task attributes in the order of the desk, with labels.",
                "order.number = Order",
            ),
            writable=Writable(
                "Paths of task attributes in the order in which the desk shows them, one on each"
                " line, at most 50, each with a label of at most 60 characters if wanted:"
                " `order.number = Order`.",
                "order.number = Order",
            ),
        ),
        Field(
            "hidden_attributes",
            text("Paths of task attributes that the desk does not show.", "customer.internal_id"),
            writable=Writable(
                "Paths of task attributes that the desk neither shows nor searches, one on each"
                " line, at most 50.",
                "customer.internal_id",
            ),
        ),
        Field(
            "time_zone",
            text("The time zone in which the admin shows times.", "Europe/Berlin"),
            writable=Writable(
                "The time zone in which the admin shows times. Defaults to UTC.", "Europe/Berlin"
            ),
        ),
        Field(
            "day_starts_at",
            text("When a day of figures begins in that time zone.", "06:30"),
            writable=Writable(
                "When a day of figures begins in that time zone: a time in whole quarters of an"
                " hour. Defaults to 00:00.",
                "06:30",
            ),
        ),
        Field(
            "withdrawn_reasons",
            text("Reasons to cancel that are no abandonment, one on each line.", "duplicate\ntest"),
            writable=Writable(
                "Reasons with which a program cancels tasks that no customer gave up, one on each"
                " line: at most 20 of 64 characters.",
                "duplicate\ntest",
            ),
        ),
        *dates(),
    ),
    "An isolated set of workers, queues, workflows and tasks.",
    path=lambda row: "",
    links=[
        *(_collection(name, tail) for name, tail in _COLLECTIONS.items()),
        *statistics_of(lambda row: ""),
    ],
    workspace=lambda row: row,
    sample=sample_row("WS"),
)

ACTIVITY: Final = RowShape[models.Activity](
    "Activity",
    (
        own_sid("WA", event="activity_sid"),
        *parents(),
        friendly_name("The display name.", "Available", event="activity_name"),
        Field(
            "available",
            flag("Whether workers in it take work.", True),
            event="activity_available",
        ),
        *dates(),
    ),
    "What a worker is doing, and whether they take work while doing it.",
    path=lambda row: f"/Activities/{row.sid}",
    links=[Link("workspace", lambda row: "")],
    sample=sample_row("WA"),
)

TASK_CHANNEL: Final = RowShape[models.TaskChannel](
    "TaskChannel",
    (
        own_sid("TC", event="task_channel_sid"),
        *parents(),
        friendly_name("The display name.", "Chat", event="task_channel_name"),
        Field(
            "unique_name",
            text("The name in expressions and requests.", "chat", maxLength=64),
            event="task_channel_unique_name",
        ),
        Field(
            "channel_optimized_routing",
            flag(
                "Whether workers with most free capacity on this channel are preferred.",
                False,
                null=True,
            ),
            event="task_channel_optimized_routing",
            writable=Writable(
                "Whether workers with most free capacity on this channel are preferred."
                " Defaults to false."
            ),
        ),
        Field(
            "occupancy_weight",
            whole("How much a slot counts in the occupancy of workers.", 1, most=100),
            writable=Writable(
                "How much a slot counts in the occupancy of workers; 0: nothing. Defaults to 1.", 1
            ),
        ),
        *dates(),
    ),
    "A kind of work, such as calls or chats; each worker has a capacity for each.",
    path=lambda row: f"/TaskChannels/{row.sid}",
    links=[Link("workspace", lambda row: "")],
    sample=sample_row("TC"),
)

OUTCOME_CODE: Final = RowShape[models.OutcomeCode](
    "OutcomeCode",
    (
        own_sid("OC", event="outcome_code_sid"),
        *parents(),
        Field(
            "unique_name",
            text("The name in requests and statistics.", "resolved", maxLength=64),
            event="outcome_code_unique_name",
        ),
        friendly_name("The name that agents read.", "Resolved", event="outcome_code_name"),
        Field(
            "active",
            flag("Whether agents may choose it.", True),
            event="outcome_code_active",
            writable=Writable("Whether agents may choose it. Defaults to true."),
        ),
        Field(
            "position",
            whole("Its place in the list that agents see: the smallest first.", 10, most=10_000),
            writable=Writable(
                "Its place in the list that agents see: the smallest first. Defaults to 0.", 10
            ),
        ),
        *dates(),
    ),
    "One possible outcome of a completed task.",
    path=lambda row: f"/OutcomeCodes/{row.sid}",
    links=[Link("workspace", lambda row: "")],
    sample=sample_row("OC"),
)
