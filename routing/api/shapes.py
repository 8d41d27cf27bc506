"""Say what each noun looks like in an answer, property by property.

`routing.representations` makes what is described here; tests hold every answer beside it.
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
    return {"url": url("Where it is found.", path)}


def _statistics(path: str) -> dict[str, str]:
    tails = ("Statistics", "RealTimeStatistics", "CumulativeStatistics")
    return {name: f"{path}/{tail}" for name, tail in zip(_STATISTICS, tails, strict=True)}


WORKSPACE: Final = Shape(
    "Workspace",
    {
        "sid": sid("Its sid.", "WS"),
        **_ACCOUNT,
        **_name("What people call it.", "Support"),
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
        "time_zone": text("In which the admin shows moments.", "Europe/Berlin"),
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
    "A floor of its own: workers, queues, workflows and tasks that know nothing of others.",
)

ACTIVITY: Final = Shape(
    "Activity",
    {
        **_own("WA"),
        **_name("What people call it.", "Available"),
        "available": flag("Whether workers in it take work.", True),
        **_DATES,
        **_found("/Activities/{WA}"),
        "links": links(workspace=""),
    },
    "What a worker is doing, and whether they take work meanwhile.",
)

TASK_CHANNEL: Final = Shape(
    "TaskChannel",
    {
        **_own("TC"),
        **_name("What people call it.", "Chat"),
        "unique_name": text("What expressions and requests call it.", "chat", maxLength=64),
        "channel_optimized_routing": flag(
            "Whether workers with most room on this channel are preferred.", False, null=True
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
        **_name("What people call it.", "Support in English"),
        "target_workers": text(
            "The expression that says which workers serve it; empty: nobody.",
            'languages HAS "en"',
            null=True,
        ),
        "max_reserved_workers": whole(
            "To how many workers a task is offered at once.", 1, least=1, most=50
        ),
        "task_order": word("Which end is served first.", QueueOrder, "FIFO"),
        "reservation_activity_sid": sid(
            "Without multitasking: a worker's activity while an offer is open.",
            "WA",
            null=True,
            unset=True,
        ),
        "reservation_activity_name": text("The name of that activity.", None, null=True),
        "assignment_activity_sid": sid(
            "Without multitasking: a worker's activity from accepting on.",
            "WA",
            null=True,
            unset=True,
        ),
        "assignment_activity_name": text("The name of that activity.", None, null=True),
        "grab_policy": word("What workers may grab from it.", GrabPolicy, "oldest"),
        "grab_limit": whole("With policy `oldest`: how many of the oldest.", 10, least=1),
        "grab_after": whole("With policy `waited`: after how many seconds.", 60),
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
    "Where tasks wait for workers who can do them.",
)

WORKER: Final = Shape(
    "Worker",
    {
        **_own("WK"),
        **_name("What people call them.", "Alice"),
        "activity_sid": sid("Their activity.", "WA"),
        "activity_name": text("The name of their activity.", "Available"),
        "available": flag("Whether they take work, by their activity.", True),
        "attributes": document(
            "What expressions can ask about them: a JSON object, as it was submitted.",
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
        "worker_sid": sid("Whose it is.", "WK"),
        "task_channel_sid": sid("Which channel's it is.", "TC"),
        "task_channel_unique_name": text("The unique name of that channel.", "chat"),
        "configured_capacity": whole("How many tasks of it the worker takes at once.", 3, most=50),
        "available": flag("Whether the worker takes this kind of work just now.", True),
        "assigned_tasks": whole("How many tasks of it the worker has accepted.", 1),
        "available_capacity_percentage": whole("How much room is left: 100 is idle.", 66, most=100),
        "busy_capacity_percentage": whole("How much is in use: 0 is idle.", 33, most=100),
        "reserved_for_manual": whole("How many slots are kept for grabbing.", 0, most=50),
        **_DATES,
        **_found("/Workers/{WK}/Channels/{WC}"),
    },
    "How much of one kind of work a worker takes, and how much they have.",
)

WORKFLOW: Final = Shape(
    "Workflow",
    {
        **_own("WW"),
        **_name("What people call it.", "Incoming chats"),
        "configuration": document(
            "What it says: a JSON document, as it was submitted.", _CONFIGURATION
        ),
        "document_content_type": text("The type of that document.", "application/json"),
        "assignment_callback_url": text(
            "Who is asked about each offer; null or empty: nobody.", None, null=True
        ),
        "fallback_assignment_callback_url": text(
            "Who is asked when that one does not answer.", None, null=True
        ),
        "task_reservation_timeout": whole(
            "How many seconds an offer stays open.", 120, least=1, most=86_400
        ),
        "warnings": listing(
            mapping(
                {
                    "path": text("Where in the configuration.", "task_routing.filters[0]"),
                    "message": text(
                        "What it says and what may be meant.",
                        "available_capacity_percentage is 100 for an idle worker",
                    ),
                }
            ),
            "What is allowed but hardly meant; in single workflows only.",
        ),
        **_DATES,
        **_found("/Workflows/{WW}"),
        "links": links(**_statistics("/Workflows/{WW}")),
    },
    "Which tasks go into which queue, and what happens while they wait.",
    optional=frozenset({"warnings"}),
)

TASK: Final = Shape(
    "Task",
    {
        **_own("WT"),
        "age": whole("How many seconds ago it was created.", 95),
        "assignment_status": word("Where it is in its life.", AssignmentStatus, "pending"),
        "attributes": document(
            "What it is about: a JSON object, as it was submitted.",
            '{"subject": "Parcel has not arrived", "language": "en"}',
        ),
        "addons": document("Always an empty JSON object: there are no add-ons.", "{}"),
        "priority": whole("The higher, the earlier.", 0, most=2**31 - 1),
        "reason": text("Why it was canceled or completed.", None, null=True),
        "timeout": whole("How many seconds it may wait.", 86_400, least=1, most=1_209_600),
        "task_queue_sid": sid("The queue that it is in.", "WQ", null=True),
        "task_queue_friendly_name": text("That queue's name.", "Support in English", null=True),
        "task_queue_entered_date": date("When it came into that queue.", null=True),
        "task_channel_sid": sid("The kind of work that it is.", "TC"),
        "task_channel_unique_name": text("That channel's unique name.", "chat"),
        "workflow_sid": sid("The workflow that leads it.", "WW", null=True),
        "workflow_friendly_name": text("That workflow's name.", "Incoming chats", null=True),
        "virtual_start_time": date("From when on it counts as waiting, where it is sorted."),
        "routing_target": sid(
            "What it was sent to directly.", "WK", "WQ", "WW", null=True, unset=True
        ),
        "ignore_capacity": flag("Sent to a worker: whether capacity counts.", None, null=True),
        **_DATES,
        **_found("/Tasks/{WT}"),
        "links": links(
            task_queue=("/TaskQueues/{WQ}", None),
            workflow=("/Workflows/{WW}", None),
            workspace="",
            reservations="/Tasks/{WT}/Reservations",
        ),
    },
    "Something to be done by one worker: a call, a chat, a lead.",
    versioned=True,
)

RESERVATION: Final = Shape(
    "Reservation",
    {
        **_own("WR"),
        "task_sid": sid("The task that is offered.", "WT"),
        "worker_sid": sid("The worker who is asked; kept after the worker was deleted.", "WK"),
        "worker_name": text("That worker's name; the last one, if deleted.", "Alice"),
        "reservation_status": word("Where it is in its life.", ReservationStatus, "pending"),
        **_DATES,
        **_found("/Tasks/{WT}/Reservations/{WR}"),
        "links": links(task="/Tasks/{WT}", worker=("/Workers/{WK}", None), workspace=""),
    },
    "One offer of a task to a worker, and what became of it.",
    versioned=True,
)
