"""The JSON schema of each resource, property by property.

`routing.representations` builds what is described here; tests compare every answer with it.
"""

from __future__ import annotations

from typing import Final

from routing.api.schemas import (
    Schema,
    Shape,
    date,
    document,
    flag,
    links,
    listing,
    mapping,
    sid,
    text,
    url,
    whole,
    word,
)
from routing.core.vocabulary import AssignmentStatus, GrabPolicy, QueueOrder, ReservationStatus

_STATISTICS: Final = ("statistics", "real_time_statistics", "cumulative_statistics")
_ACCOUNT: Final = {"account_sid": sid("The account that it belongs to.", "AC")}
_WORKSPACE: Final = {"workspace_sid": sid("The workspace that it is in.", "WS")}
_DATES: Final = {
    "date_created": date("When it was created."),
    "date_updated": date("When it was changed last.", "2026-03-02T10:15:30Z"),
}
_CONFIGURATION: Final = '{"task_routing": {"default_filter": {"queue": "WQ0b6a…"}, "filters": []}}'


def _own(prefix: str) -> dict[str, Schema]:
    return {"sid": sid("Its sid.", prefix), **_ACCOUNT, **_WORKSPACE}


def _name(words: str, example: str) -> dict[str, Schema]:
    return {"friendly_name": text(words, example, maxLength=64)}


def _found(path: str) -> dict[str, Schema]:
    return {"url": url("The URL of this resource.", path)}


def _statistics(path: str) -> dict[str, str]:
    tails = ("Statistics", "RealTimeStatistics", "CumulativeStatistics")
    return {name: f"{path}/{tail}" for name, tail in zip(_STATISTICS, tails, strict=True)}


WORKSPACE: Final = Shape(
    "Workspace",
    {
        "sid": sid("Its sid.", "WS"),
        **_ACCOUNT,
        **_name("The display name.", "Support"),
        "default_activity_sid": sid("The activity of new workers.", "WA", null=True),
        "default_activity_name": text("The name of that activity.", "Offline", null=True),
        "timeout_activity_sid": sid("The activity after an offer expired.", "WA", null=True),
        "timeout_activity_name": text("The name of that activity.", "Offline", null=True),
        "event_callback_url": text(
            "Where events are posted, or empty.", "https://example.com/events"
        ),
        "events_filter": text("The event types posted; null: all.", "task.created", null=True),
        "multi_task_enabled": flag("Whether workers take several tasks at once.", True),
        "prioritize_queue_order": word("Which queues are served first.", QueueOrder, "FIFO"),
        "desk_grace": whole(
            "Seconds without an open desk after which a worker is moved; 0: never.", 30
        ),
        "time_zone": text("The time zone in which the admin shows times.", "Europe/Berlin"),
        **_DATES,
        **_found(""),
        "links": links(
            activities="/Activities",
            task_queues="/TaskQueues",
            tasks="/Tasks",
            workers="/Workers",
            workflows="/Workflows",
            task_channels="/TaskChannels",
            events="/Events",
            **_statistics(""),
        ),
    },
    "An isolated set of workers, queues, workflows and tasks.",
)

ACTIVITY: Final = Shape(
    "Activity",
    {
        **_own("WA"),
        **_name("The display name.", "Available"),
        "available": flag("Whether workers in it take work.", True),
        **_DATES,
        **_found("/Activities/{WA}"),
        "links": links(workspace=""),
    },
    "What a worker is doing, and whether they take work while doing it.",
)

TASK_CHANNEL: Final = Shape(
    "TaskChannel",
    {
        **_own("TC"),
        **_name("The display name.", "Chat"),
        "unique_name": text("The name in expressions and requests.", "chat", maxLength=64),
        "channel_optimized_routing": flag(
            "Whether workers with most free capacity on this channel are preferred.",
            False,
            null=True,
        ),
        **_DATES,
        **_found("/TaskChannels/{TC}"),
        "links": links(workspace=""),
    },
    "A kind of work, such as calls or chats; each worker has a capacity for each.",
)

TASK_QUEUE: Final = Shape(
    "TaskQueue",
    {
        **_own("WQ"),
        **_name("The display name.", "Support in English"),
        "target_workers": text(
            "The expression that selects the workers who serve it; empty: no worker.",
            'languages HAS "en"',
            null=True,
        ),
        "max_reserved_workers": whole(
            "The number of workers who are offered a task at the same time.", 1, least=1, most=50
        ),
        "task_order": word(
            "Whether the oldest (FIFO) or the newest (LIFO) task is served first.",
            QueueOrder,
            "FIFO",
        ),
        "reservation_activity_sid": sid(
            "Without multitasking: a worker's activity while an offer is open.",
            "WA",
            null=True,
            unset=True,
        ),
        "reservation_activity_name": text("The name of that activity.", None, null=True),
        "assignment_activity_sid": sid(
            "Without multitasking: a worker's activity after accepting a task.",
            "WA",
            null=True,
            unset=True,
        ),
        "assignment_activity_name": text("The name of that activity.", None, null=True),
        "grab_policy": word("Which tasks workers may grab from it.", GrabPolicy, "oldest"),
        "grab_limit": whole("With policy `oldest`: the number of oldest tasks.", 10, least=1),
        "grab_after": whole("With policy `waited`: the seconds a task must have waited.", 60),
        **_DATES,
        **_found("/TaskQueues/{WQ}"),
        "links": links(
            workspace="",
            reservation_activity=("/Activities/{WA}", None),
            assignment_activity=("/Activities/{WA}", None),
            list_statistics="/TaskQueues/Statistics",
            bulk_real_time_statistics="/TaskQueues/RealTimeStatistics",
            **_statistics("/TaskQueues/{WQ}"),
        ),
    },
    "A queue of tasks that wait for eligible workers.",
)

WORKER: Final = Shape(
    "Worker",
    {
        **_own("WK"),
        **_name("The display name.", "Alice"),
        "activity_sid": sid("Their activity.", "WA"),
        "activity_name": text("The name of their activity.", "Available"),
        "available": flag("Whether they take work, by their activity.", True),
        "attributes": document(
            "The attributes that expressions read: a JSON object, as submitted.",
            '{"languages": ["en", "de"]}',
        ),
        "date_status_changed": date("When their activity changed last."),
        **_DATES,
        **_found("/Workers/{WK}"),
        "links": links(
            channels="/Workers/{WK}/Channels",
            activity="/Activities/{WA}",
            workspace="",
            worker_statistics="/Workers/{WK}/Statistics",
            worker_channels="/Workers/{WK}/Channels",
            reservations="/Workers/{WK}/Reservations",
            **_statistics("/Workers"),
        ),
    },
    "A person or a program that does tasks.",
    versioned=True,
)

WORKER_CHANNEL: Final = Shape(
    "WorkerChannel",
    {
        **_own("WC"),
        "worker_sid": sid("The worker of this channel.", "WK"),
        "task_channel_sid": sid("The task channel.", "TC"),
        "task_channel_unique_name": text("The unique name of that channel.", "chat"),
        "configured_capacity": whole(
            "The number of tasks of this channel that the worker takes at once.", 3, most=50
        ),
        "available": flag("Whether the worker currently takes this kind of work.", True),
        "assigned_tasks": whole("The number of accepted tasks of this channel.", 1),
        "available_capacity_percentage": whole(
            "Free capacity in percent: 100 is idle.", 66, most=100
        ),
        "busy_capacity_percentage": whole("Used capacity in percent: 0 is idle.", 33, most=100),
        "reserved_for_manual": whole("The number of slots kept free for grabbing.", 0, most=50),
        **_DATES,
        **_found("/Workers/{WK}/Channels/{WC}"),
    },
    "A worker's capacity for one kind of work, and how much of it is used.",
)

WORKFLOW: Final = Shape(
    "Workflow",
    {
        **_own("WW"),
        **_name("The display name.", "Incoming chats"),
        "configuration": document("The workflow's JSON document, as submitted.", _CONFIGURATION),
        "document_content_type": text("The type of that document.", "application/json"),
        "assignment_callback_url": text(
            "The URL called for each offer; null or empty: none.", None, null=True
        ),
        "fallback_assignment_callback_url": text(
            "The URL called when that one fails.", None, null=True
        ),
        "task_reservation_timeout": whole(
            "The number of seconds an offer stays open.", 120, least=1, most=86_400
        ),
        "warnings": listing(
            mapping(
                {
                    "path": text("The place in the configuration.", "task_routing.filters[0]"),
                    "message": text(
                        "What is doubtful and what may be meant.",
                        "available_capacity_percentage is 100 for an idle worker",
                    ),
                }
            ),
            "Allowed but probably unintended settings; not included in lists.",
        ),
        **_DATES,
        **_found("/Workflows/{WW}"),
        "links": links(**_statistics("/Workflows/{WW}")),
    },
    "Rules that route tasks into queues, and on while they wait.",
    optional=frozenset({"warnings"}),
)

TASK: Final = Shape(
    "Task",
    {
        **_own("WT"),
        "age": whole("Seconds since it was created.", 95),
        "assignment_status": word("The status of the task.", AssignmentStatus, "pending"),
        "attributes": document(
            "The attributes that expressions read: a JSON object, as submitted.",
            '{"subject": "Parcel has not arrived", "language": "en"}',
        ),
        "addons": document("Always an empty JSON object: there are no add-ons.", "{}"),
        "priority": whole("Higher values are served earlier.", 0, most=2**31 - 1),
        "reason": text("Why it was canceled or completed.", None, null=True),
        "timeout": whole(
            "Seconds until the task is canceled if no worker accepts it.",
            86_400,
            least=1,
            most=1_209_600,
        ),
        "task_queue_sid": sid("The queue that it is in.", "WQ", null=True),
        "task_queue_friendly_name": text("That queue's name.", "Support in English", null=True),
        "task_queue_entered_date": date("When it entered that queue.", null=True),
        "task_channel_sid": sid("The channel of the task.", "TC"),
        "task_channel_unique_name": text("That channel's unique name.", "chat"),
        "workflow_sid": sid("The workflow that routes it.", "WW", null=True),
        "workflow_friendly_name": text("That workflow's name.", "Incoming chats", null=True),
        "virtual_start_time": date("The start of its waiting time, used for sorting."),
        "routing_target": sid(
            "The worker, queue or workflow that it was sent to directly.",
            "WK",
            "WQ",
            "WW",
            null=True,
            unset=True,
        ),
        "ignore_capacity": flag(
            "For a task sent to a worker: whether their capacity is ignored.", None, null=True
        ),
        **_DATES,
        **_found("/Tasks/{WT}"),
        "links": links(
            task_queue=("/TaskQueues/{WQ}", None),
            workflow=("/Workflows/{WW}", None),
            workspace="",
            reservations="/Tasks/{WT}/Reservations",
        ),
    },
    "A unit of work for one worker: a call, a chat, a lead.",
    versioned=True,
)

RESERVATION: Final = Shape(
    "Reservation",
    {
        **_own("WR"),
        "task_sid": sid("The task that is offered.", "WT"),
        "worker_sid": sid(
            "The worker who is offered the task; kept after the worker is deleted.", "WK"
        ),
        "worker_name": text(
            "The worker's name; the last known one if the worker was deleted.", "Alice"
        ),
        "reservation_status": word("The status of the reservation.", ReservationStatus, "pending"),
        **_DATES,
        **_found("/Tasks/{WT}/Reservations/{WR}"),
        "links": links(task="/Tasks/{WT}", worker=("/Workers/{WK}", None), workspace=""),
    },
    "One offer of a task to a worker, and its outcome.",
    versioned=True,
)
