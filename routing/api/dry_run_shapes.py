"""The JSON schema of a dry run, property by property."""

from __future__ import annotations

from typing import Final

from routing.api.explanation_shapes import EXPLAINED_WORKER, EXPLANATION
from routing.core.dry_run import Floor
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
    whole,
    word,
)
from routing.fields.shapes import Shape

_PROBLEM: Final = mapping(
    {
        "path": text("The place in the configuration.", "task_routing.filters[0].expression"),
        "message": text("What is wrong.", "Expected a value"),
    }
)

_FILTER: Final = mapping(
    {
        "number": whole("Its place in the configuration, from 1.", 1, least=1),
        "filter_name": text("Its name.", "Spanish"),
        "expression": text("Its expression.", 'task.language == "es"'),
        "matched": flag("Whether it matches the task at its creation.", False),
        "entered": flag("Whether the task comes to one of its targets.", False),
        "because": listing(
            mapping(
                {
                    "comparison": text("A comparison that is false.", 'task.language == "es"'),
                    "read": listing(
                        mapping(
                            {
                                "name": text("A path that it reads.", "task.language"),
                                "value": {
                                    "type": ["string", "null"],
                                    "description": "The value there, as JSON of at most 200"
                                    " characters; null: there is none.",
                                    "examples": ['"en"'],
                                },
                            }
                        ),
                        "What it read.",
                    ),
                }
            ),
            "Why it does not match: of an AND the first false part, of an OR all parts.",
        ),
    },
    "One filter.",
)


def _step() -> Schema:
    return mapping(
        {
            "number": whole("Its place on the way, from 1.", 1, least=1),
            "filter_name": text("The filter it belongs to.", "Spanish"),
            "target": whole("The place of the target in its filter, from 1.", 1, least=1),
            "from_second": whole("When the task enters it, after its creation.", 0),
            "until_second": whole("When it leaves if no worker takes it.", 30, null=True),
            "skipped": flag("Whether its skip_if leads on when no worker takes it at once.", False),
            "skip_if": text("That condition.", None, null=True),
            "skip_counts": counts(
                {"type": ["integer", "null"]}, "The counts it read.", {"workers.available": 2}
            ),
            "task_queue_sid": sid("The queue.", "WQ"),
            "task_queue_friendly_name": text("Its name.", "Support in Spanish"),
            "priority": whole("The task's priority there.", 0),
            "target_expression": text("The target's expression as written.", ""),
            "worker_expression": text(
                "What is asked of a worker, with the task's attributes filled in.",
                'worker.languages HAS "es"',
            ),
            "order_by": text("The order in which eligible workers get the offer.", ""),
            "known_worker": text(
                "The sid or name of the only worker who may have it.", None, null=True
            ),
        },
        "One step.",
    )


DRY_RUN: Final = Shape(
    "DryRun",
    {
        "account_sid": sid("The account.", "AC"),
        "workspace_sid": sid("The workspace.", "WS"),
        "workflow_sid": sid("The workflow that was tried.", "WW", null=True),
        "date": date("The moment at which the task is supposed to be created."),
        "floor": word("How the workers are supposed to be.", Floor, "now"),
        "summary": text(
            "What would become of the task, in a sentence or two.",
            "Step 1, queue Support in Spanish: Will be offered to Ines in the next cycle.",
        ),
        "problems": listing(
            _PROBLEM, "What is wrong with the configuration; with any, nothing else is answered."
        ),
        "warnings": listing(_PROBLEM, "Allowed but probably unintended settings."),
        "filters": listing(_FILTER, "The filters in order, at most 500."),
        "steps": listing(
            _step(), "The whole way of the task if no worker ever takes it, at most 500 steps."
        ),
        "ends": nullable(
            mapping(
                {
                    "kind": word("How it ends.", ["canceled", "refused", "cut_off"], "canceled"),
                    "after_second": whole("When, after its creation.", 86_400, null=True),
                    "reason": text("The reason of the cancellation.", None, null=True),
                    "words": text(
                        "The same in a sentence.",
                        "After 86,400 seconds it is canceled, as its lifetime is over.",
                    ),
                },
                "What becomes of the task if no worker ever takes it.",
            )
        ),
        "filters_left_out": whole("The number of filters that are not listed.", 0),
        "step": whole("The number of the step for which `workers` holds.", 1, least=1, null=True),
        **{
            name: EXPLANATION.properties[name]
            for name in ("task_condition", "known_worker", "workers_in_queue")
        },
        **{
            name: EXPLANATION.properties[name]
            for name in ("workers_elsewhere", "workers_eligible", "refusals")
        },
        "next_cycle": nullable(
            mapping(
                {
                    "step": whole("The number of the step in which it is offered.", 1, least=1),
                    "tasks_ahead": whole("The number of tasks that are served before it.", 0),
                    "worker_sids": listing(sid("", "WK"), "The workers who would get the offer."),
                    "worker_names": listing(text("", "Ines"), "Their names."),
                },
                "What the next cycle would do if the task were created now.",
            )
        ),
        "workers": listing(
            EXPLAINED_WORKER.schema, "The workers of the step's queue, the eligible ones first."
        ),
        "meta": mapping(
            {
                "key": text("The property that is paged.", "workers"),
                "page_size": whole("The maximum number of workers.", 50, least=1, most=1000),
                "next_page_token": text(
                    "PageToken of the next request; null: there are no more.", None, null=True
                ),
            },
            "The position in the list of workers.",
        ),
    },
    "What would become of a task that does not exist.",
)
