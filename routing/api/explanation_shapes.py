"""The JSON schema of an explanation, property by property."""

from __future__ import annotations

from typing import Final

from routing.core.vocabulary import AssignmentStatus, Refusal, ReservationStatus
from routing.explanations.explanation import DeadlineKind, Problem
from routing.explanations.history import Outcome
from routing.fields.schemas import (
    Schema,
    counts,
    date,
    flag,
    listing,
    mapping,
    nullable,
    sid,
    text,
    url,
    whole,
    word,
)
from routing.fields.shapes import Shape

_REASONS: Final = [refusal.value for refusal in Refusal]


def _step(words: str) -> Schema:
    return mapping(
        {
            "filter_name": text(
                "The workflow filter that routed the task there.", "Chats in English", null=True
            ),
            "task_queue_sid": sid("The queue.", "WQ", null=True),
            "task_queue_friendly_name": text("Its name.", "Support in English", null=True),
            "date_entered": date("When the task entered the step.", null=True),
            "date_left": date("When it left the step.", None, null=True),
            "outcome": word("How it left the step.", Outcome, None, null=True),
        },
        words,
    )


EXPLANATION: Final = Shape(
    "Explanation",
    {
        "account_sid": sid("The account that the task belongs to.", "AC"),
        "workspace_sid": sid("The workspace that it is in.", "WS"),
        "task_sid": sid("The task.", "WT"),
        "assignment_status": word("The status of the task.", AssignmentStatus, "pending"),
        "summary": text(
            "Why it waits, in a sentence or two.",
            "Two workers serve its queue: one without a free slot on the channel, one in an"
            " activity that takes no work.",
        ),
        "steps_passed": listing(_step("One step."), "The steps it has passed, oldest first."),
        "step": nullable(_step("The current step; null when it is in no step any more.")),
        "target_expression": text(
            "The target's expression as written in the workflow; empty: no condition.",
            "task.language IN worker.languages",
            null=True,
        ),
        "worker_expression": text(
            "The remaining condition on a worker, after the task's attributes are filled in.",
            'worker.languages HAS "en"',
            null=True,
        ),
        "order_by": text("The order in which eligible workers get the offer.", None, null=True),
        "task_condition": nullable(
            mapping(
                {
                    "rules_out_all": flag("Whether no worker can meet the target.", True),
                    "expression": text(
                        "The part of the target's expression that is false for this task.",
                        "task.vip == true",
                        null=True,
                    ),
                    "attributes": {
                        "type": "object",
                        "description": "The task attributes that this part reads.",
                        "examples": [{"vip": False}],
                    },
                    "missing": listing(
                        text("", "language"),
                        "The attributes that the target reads and the task lacks.",
                    ),
                    "words": text(
                        "The same in a sentence.",
                        "No worker can have it in this step: the task's vip is false, and the"
                        " target asks for task.vip == true.",
                    ),
                },
                "How the task's own attributes decide the target's expression, if they do.",
            )
        ),
        "known_worker": nullable(
            mapping(
                {
                    "attribute": text("The task attribute that names the worker.", "worker_sid"),
                    "named": {
                        "description": "The value of that attribute.",
                        "examples": ["Alice"],
                    },
                    "worker_sid": sid("The worker with that name.", "WK", null=True),
                    "problem": word(
                        "Why the task cannot go to that worker.", Problem, None, null=True
                    ),
                    "words": text("The same in a sentence.", "The task asks for Alice."),
                },
                "The worker that the task asks for, if any.",
            )
        ),
        "next_deadline": nullable(
            mapping(
                {
                    "kind": word("The kind of deadline.", DeadlineKind, "step"),
                    "date": date("When it is reached.", "2026-03-02T10:30:00Z"),
                    "words": text("The same in a sentence.", "The step ends at 10:30."),
                },
                "The next change that happens by time alone.",
            )
        ),
        "next_cycle": nullable(
            mapping(
                {
                    "tasks_ahead": whole("The number of tasks that are served before it.", 2),
                    "worker_sids": listing(
                        sid("", "WK"), "The workers who would get the offer now."
                    ),
                    "worker_names": listing(text("", "Alice"), "Their names."),
                },
                "What the router would do in a cycle now.",
            )
        ),
        "reservations": listing(
            mapping(
                {
                    "sid": sid("The reservation.", "WR"),
                    "reservation_status": word("Its status.", ReservationStatus, "pending"),
                    "worker_sid": sid("The worker of the reservation.", "WK"),
                    "worker_name": text("That worker's name.", "Alice"),
                    "since": date("When it was made or accepted."),
                    "until": date("When the offer expires.", None, null=True),
                }
            ),
            "The workers who have it or are offered it.",
        ),
        "date_finished": date("When it was completed or canceled.", None, null=True),
        "reason": text("Why it was completed or canceled.", None, null=True),
        "workers_in_queue": whole("The number of workers who serve its queue.", 2),
        "workers_elsewhere": whole("The number of workers who do not.", 5),
        "workers_eligible": whole("The number of workers who could get it now.", 0),
        "refusals": counts(
            whole("", 1),
            "The number of workers refused for each reason.",
            {"no_capacity": 1, "worker_unavailable": 1},
        ),
        "url": url("The URL of this explanation.", "/Tasks/{WT}/Explanation"),
    },
    "The state of a task, and why it waits.",
)

EXPLAINED_WORKER: Final = Shape(
    "ExplainedWorker",
    {
        "worker_sid": sid("The worker.", "WK"),
        "worker_name": text("Their name.", "Alice"),
        "activity_name": text("Their activity.", "Available"),
        "rank": whole(
            "The worker's place in the router's order; null: not eligible.",
            None,
            least=1,
            null=True,
        ),
        "reason": word("Why the router refuses them.", _REASONS, "no_capacity", null=True),
        "words": text("The same in a sentence.", "The worker has no free slot on this channel."),
        "may_grab": flag("Whether they may grab the task.", False),
        "grab_reason": word("Why they may not.", _REASONS, "no_capacity", null=True),
        "grab_words": text("The same in a sentence.", "The worker has no free slot."),
    },
    "One worker's eligibility for a task: a rank, or the reason against it.",
)
