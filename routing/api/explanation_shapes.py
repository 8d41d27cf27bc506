"""Say what an explanation looks like in an answer, property by property."""

from __future__ import annotations

from typing import Final

from routing.api.schemas import (
    Schema,
    Shape,
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
from routing.core.vocabulary import AssignmentStatus, Refusal, ReservationStatus
from routing.explanation import DeadlineKind, Problem
from routing.seen.steps import Outcome

_REASONS: Final = [refusal.value for refusal in Refusal]


def _step(words: str) -> Schema:
    return mapping(
        {
            "filter_name": text("The filter that led there.", "Chats in English", null=True),
            "task_queue_sid": sid("The queue.", "WQ", null=True),
            "task_queue_friendly_name": text("Its name.", "Support in English", null=True),
            "date_entered": date("When the task came there.", null=True),
            "date_left": date("When it left.", None, null=True),
            "outcome": word("How it left.", Outcome, None, null=True),
        },
        words,
    )


EXPLANATION: Final = Shape(
    "Explanation",
    {
        "account_sid": sid("The account that the task belongs to.", "AC"),
        "workspace_sid": sid("The workspace that it is in.", "WS"),
        "task_sid": sid("The task.", "WT"),
        "assignment_status": word("Where it is in its life.", AssignmentStatus, "pending"),
        "summary": text(
            "Why it waits, in a sentence or two.",
            "Two workers serve its queue: one without a free slot on the channel, one in an"
            " activity that takes no work.",
        ),
        "steps_passed": listing(_step("One stay."), "Where it has been, oldest first."),
        "step": nullable(_step("Where it is; null when it is nowhere any more.")),
        "target_expression": text(
            "What the target asks, as the workflow says it; empty: nothing.",
            "task.language IN worker.languages",
            null=True,
        ),
        "worker_expression": text(
            "What is asked of a worker, with the task's attributes worked in.",
            'worker.languages HAS "en"',
            null=True,
        ),
        "order_by": text("In which order fitting workers are asked.", None, null=True),
        "task_condition": nullable(
            mapping(
                {
                    "rules_out_all": flag("Whether no worker can meet the target.", True),
                    "expression": text(
                        "What of the target the task makes false.", "task.vip == true", null=True
                    ),
                    "attributes": {
                        "type": "object",
                        "description": "What that reads of the task.",
                        "examples": [{"vip": False}],
                    },
                    "missing": listing(
                        text("", "language"), "What the target reads and the task does not have."
                    ),
                    "words": text(
                        "The same in a sentence.",
                        "No worker can have it in this step: the task's vip is false, and the"
                        " target asks for task.vip == true.",
                    ),
                },
                "What the task itself makes of the target's expression, where that matters.",
            )
        ),
        "known_worker": nullable(
            mapping(
                {
                    "attribute": text("Where the task names the worker.", "worker_sid"),
                    "named": {
                        "description": "Whom it names.",
                        "examples": ["Alice"],
                    },
                    "worker_sid": sid("Who that is.", "WK", null=True),
                    "problem": word("Why that cannot be.", Problem, None, null=True),
                    "words": text("The same in a sentence.", "The task asks for Alice."),
                },
                "The one worker whom the task asks for, if it does.",
            )
        ),
        "next_deadline": nullable(
            mapping(
                {
                    "kind": word("What ends.", DeadlineKind, "step"),
                    "date": date("When.", "2026-03-02T10:30:00Z"),
                    "words": text("The same in a sentence.", "The step ends at 10:30."),
                },
                "What the clock alone does next.",
            )
        ),
        "next_cycle": nullable(
            mapping(
                {
                    "tasks_ahead": whole("How many tasks are served before it.", 2),
                    "worker_sids": listing(sid("", "WK"), "To whom it would be offered now."),
                    "worker_names": listing(text("", "Alice"), "Their names."),
                },
                "What the router would do if it looked now.",
            )
        ),
        "reservations": listing(
            mapping(
                {
                    "sid": sid("The reservation.", "WR"),
                    "reservation_status": word("Its status.", ReservationStatus, "pending"),
                    "worker_sid": sid("Whose it is.", "WK"),
                    "worker_name": text("That worker's name.", "Alice"),
                    "since": date("Since when."),
                    "until": date("When the offer expires.", None, null=True),
                }
            ),
            "Who has it, or to whom it is on offer.",
        ),
        "date_finished": date("When it was completed or canceled.", None, null=True),
        "reason": text("Why it was completed or canceled.", None, null=True),
        "workers_in_queue": whole("How many workers serve its queue.", 2),
        "workers_elsewhere": whole("How many workers do not.", 5),
        "workers_eligible": whole("How many could have it now.", 0),
        "refusals": counts(
            whole("", 1),
            "How many workers each reason holds back.",
            {"no_capacity": 1, "worker_unavailable": 1},
        ),
        "url": url("Where it is found.", "/Tasks/{WT}/Explanation"),
    },
    "Where a task stands, and why it waits.",
)

EXPLAINED_WORKER: Final = Shape(
    "ExplainedWorker",
    {
        "worker_sid": sid("The worker.", "WK"),
        "worker_name": text("Their name.", "Alice"),
        "activity_name": text("Their activity.", "Available"),
        "rank": whole("As which the router asks them; null: not at all.", None, least=1, null=True),
        "reason": word("Why the router passes them over.", _REASONS, "no_capacity", null=True),
        "words": text("The same in a sentence.", "The worker has no free slot on this channel."),
        "may_grab": flag("Whether they may take the task by hand.", False),
        "grab_reason": word("Why they may not.", _REASONS, "no_capacity", null=True),
        "grab_words": text("The same in a sentence.", "The worker has no free slot."),
    },
    "One worker beside a task: why not, or how soon.",
)
