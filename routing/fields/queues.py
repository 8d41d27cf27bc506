"""Fields of task queues and of workflows, which put tasks into them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from routing import models
from routing.core.vocabulary import GrabPolicy, OutcomePolicy, QueueOrder, WrapUpEnd
from routing.fields.common import dates, friendly_name, own_sid, parents
from routing.fields.declarations import Field, Writable
from routing.fields.schemas import document, listing, mapping, sid, text, whole, word
from routing.fields.shapes import Answer, Link, RowShape, link_to, sample_row, statistics_of
from workflows.documents import Problem

TASK_QUEUE: Final = RowShape[models.TaskQueue](
    "TaskQueue",
    (
        own_sid("WQ", event="task_queue_sid"),
        *parents(),
        friendly_name("The display name.", "Support in English", event="task_queue_name"),
        Field(
            "target_workers",
            text(
                "The expression that selects the workers who serve it; empty: no worker.",
                'languages HAS "en"',
                null=True,
            ),
            event="task_queue_target_expression",
        ),
        Field(
            "max_reserved_workers",
            whole(
                "The number of workers who are offered a task at the same time.",
                1,
                least=1,
                most=50,
            ),
        ),
        Field(
            "task_order",
            word(
                "Whether the oldest (FIFO) or the newest (LIFO) task is served first.",
                QueueOrder,
                "FIFO",
            ),
        ),
        Field(
            "reservation_activity_sid",
            sid(
                "Without multitasking: a worker's activity while an offer is open.",
                "WA",
                null=True,
                unset=True,
            ),
            "reservation_activity?.sid",
        ),
        Field(
            "reservation_activity_name",
            text("The name of that activity.", None, null=True),
            "reservation_activity?.friendly_name",
        ),
        Field(
            "assignment_activity_sid",
            sid(
                "Without multitasking: a worker's activity after accepting a task.",
                "WA",
                null=True,
                unset=True,
            ),
            "assignment_activity?.sid",
        ),
        Field(
            "assignment_activity_name",
            text("The name of that activity.", None, null=True),
            "assignment_activity?.friendly_name",
        ),
        Field("grab_policy", word("Which tasks workers may grab from it.", GrabPolicy, "oldest")),
        Field(
            "grab_limit",
            whole("With policy `oldest`: the number of oldest tasks.", 10, least=1),
        ),
        Field(
            "grab_after",
            whole("With policy `waited`: the seconds a task must have waited.", 60),
        ),
        Field(
            "outcome_policy",
            word(
                "Whether the desk asks for an outcome when an agent completes a task.",
                OutcomePolicy,
                "asked",
            ),
        ),
        Field(
            "expected_handling_time",
            whole(
                "Seconds from acceptance to completion after which the desk marks a task;"
                " null: never.",
                600,
                least=1,
                most=86_400,
                null=True,
            ),
            writable=Writable(
                "Seconds from acceptance to completion after which the desk marks a task;"
                " empty: never.",
                600,
            ),
        ),
        Field(
            "wrap_up_limit",
            whole("Seconds for wrapping up; null: no limit.", 120, least=1, most=86_400, null=True),
            writable=Writable("Seconds for wrapping up; empty: no limit.", 120),
        ),
        Field(
            "wrap_up_end",
            word(
                "What happens when that time is over: the task is completed, or it stays.",
                WrapUpEnd,
                "complete",
            ),
        ),
        *dates(),
        Field("lifo_queue", None, lambda row: row.task_order == "LIFO"),
    ),
    "A queue of tasks that wait for eligible workers.",
    path=lambda row: f"/TaskQueues/{row.sid}",
    links=[
        Link("workspace", lambda row: ""),
        link_to("Activities", "reservation_activity", lambda row: row.reservation_activity),
        link_to("Activities", "assignment_activity", lambda row: row.assignment_activity),
        Link("list_statistics", lambda row: "/TaskQueues/Statistics"),
        Link("bulk_real_time_statistics", lambda row: "/TaskQueues/RealTimeStatistics"),
        *statistics_of(lambda row: f"/TaskQueues/{row.sid}"),
    ],
    sample=sample_row("WQ", reservation_activity="WA", assignment_activity="WA"),
)

WORKFLOW: Final = RowShape[models.Workflow](
    "Workflow",
    (
        own_sid("WW", event="workflow_sid"),
        *parents(),
        friendly_name("The display name.", "Incoming chats", event="workflow_name"),
        Field(
            "configuration",
            document(
                "The workflow's JSON document, as submitted.",
                '{"task_routing": {"default_filter": {"queue": "WQ0b6a…"}, "filters": []}}',
            ),
            "revision?.configuration",
        ),
        Field(
            "document_content_type",
            text("The type of that document.", "application/json"),
            lambda row: "application/json",
        ),
        Field(
            "assignment_callback_url",
            text("The URL called for each offer; null or empty: none.", None, null=True),
        ),
        Field(
            "fallback_assignment_callback_url",
            text("The URL called when that one fails.", None, null=True),
        ),
        Field(
            "task_reservation_timeout",
            whole("The number of seconds an offer stays open.", 120, least=1, most=86_400),
            writable=Writable("The number of seconds an offer stays open. Defaults to 120.", 120),
        ),
        Field(
            "warnings",
            listing(
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
            optional=True,
        ),
        *dates(),
    ),
    "Rules that route tasks into queues, and on while they wait.",
    path=lambda row: f"/Workflows/{row.sid}",
    links=statistics_of(lambda row: f"/Workflows/{row.sid}"),
    sample=sample_row("WW"),
)


def show_warnings(problems: Iterable[Problem]) -> list[Answer]:
    """Return the warnings about a configuration: allowed, but probably not intended."""
    return [{"path": problem.path, "message": problem.message} for problem in problems]
