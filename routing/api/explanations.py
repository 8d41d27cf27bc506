"""Views for explanations: why a task waits, and which workers may have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.http import HttpRequest

from routing import models
from routing.api import pagination
from routing.api.base import READ_ONLY, ResourceView
from routing.api.explanation_shapes import EXPLAINED_WORKER, EXPLANATION
from routing.api.responses import ApiResponse
from routing.core.verdicts import Verdict
from routing.core.vocabulary import AssignmentStatus
from routing.explanations import facts, wording
from routing.explanations.explanation import Explanation, KnownWorker
from routing.explanations.history import Stay
from routing.fields.declarations import date_text
from routing.fields.shapes import Answer
from routing.operations import keysets, parameters, references
from routing.operations.pagination import Page, PageRequest

_UNRANKED: Final = 2**31
ORDER: Final[keysets.Order] = (keysets.Clause("place"), keysets.Clause("id"))
KEY: Final = "workers"


class TaskExplanation(ResourceView):
    """The explanation of one task."""

    http_method_names = READ_ONLY
    key = KEY
    shape = EXPLAINED_WORKER
    beside = EXPLANATION
    about = {
        "get": "Explain a task\n\nThe steps it has passed, the one it is in, its next deadline, and"
        " for every worker of its queue a rank or the reason why not, page by page."
    }
    filters = (
        references.reference("WorkerSid", models.Worker, "WK", argument="worker").describe(
            "Only this worker, even if they do not serve the queue."
        ),
    )

    def get(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Return the task's state and a page of the workers of its queue."""
        rows = self.workspace.tasks.select_related(*facts.READ_WITH)
        task = self.operation.first_row(rows.filter(sid=self.operation.sid("task_sid", "WT")))
        form = self.read_query()
        arguments = parameters.read_arguments(self.filters, form, workspace=self.workspace)
        wanted = pagination.read_page_request(form, ORDER)
        explained = facts.explain_task(task, now=self.now)
        workers: Sequence[Verdict] = explained.verdicts.inside
        if "worker" in arguments:
            one = explained.verdicts.find_verdict(arguments["worker"].sid)
            workers = [] if one is None else [one]
        page = cut_page(workers, wanted)
        body = pagination.page_body(
            request,
            form,
            key=KEY,
            items=[show_worker(verdict, explained) for verdict in page.rows],
            wanted=wanted,
            page=page,
            order=ORDER,
        )
        url = f"{self.base}/Workspaces/{self.workspace.sid}/Tasks/{task.sid}"
        return ApiResponse({**_task(explained), **body, "url": f"{url}/Explanation"})


def _key(verdict: Verdict) -> keysets.Key:
    return (_UNRANKED if verdict.rank is None else verdict.rank, verdict.worker.id)


def cut_page(workers: Sequence[Verdict], wanted: PageRequest) -> Page[Any]:
    """Return a page of a list that is not a table, in the order of `_key`."""
    token, size = wanted.token, wanted.size
    if token is None:
        start, end = 0, size
    elif token.backwards:
        end = sum(_key(verdict) < token.key for verdict in workers)
        start = max(end - size, 0)
    else:
        start = sum(_key(verdict) <= token.key for verdict in workers)
        end = start + size
    rows = workers[start:end]
    return Page(
        rows,
        before=keysets.Token(_key(rows[0]), backwards=True) if start and rows else None,
        after=keysets.Token(_key(rows[-1])) if end < len(workers) and rows else None,
    )


def _task(explained: Explanation) -> Answer:
    """Return everything that concerns the task and not single workers."""
    task, verdicts, foreseen = explained.task, explained.verdicts, explained.foreseen
    deadline, step = explained.deadline, explained.step
    waits = explained.status == AssignmentStatus.PENDING and task.lane is not None
    return {
        "account_sid": task.workspace.account.sid,
        "workspace_sid": task.workspace.sid,
        "task_sid": task.sid,
        "assignment_status": task.assignment_status,
        "summary": wording.summarize(explained),
        "steps_passed": [_step(passed) for passed in explained.passed],
        "step": None if step is None else _step(step),
        "target_expression": explained.target_expression if waits else None,
        "worker_expression": task.lane.expression if waits and task.lane else None,
        "order_by": task.lane.order_by if waits and task.lane else None,
        "task_condition": show_task_condition(explained),
        "known_worker": show_known_worker(explained.known_worker),
        "next_deadline": deadline
        and {
            "kind": deadline.kind,
            "date": date_text(deadline.date),
            "words": wording.describe_deadline(explained),
        },
        "next_cycle": foreseen
        and {
            "tasks_ahead": foreseen.ahead,
            "worker_sids": [worker.sid for worker in foreseen.workers],
            "worker_names": [worker.friendly_name for worker in foreseen.workers],
        },
        "reservations": [
            {
                "sid": holder.reservation_sid,
                "reservation_status": holder.reservation_status,
                "worker_sid": holder.worker_sid,
                "worker_name": holder.worker_name,
                "since": date_text(holder.since),
                "until": date_text(holder.until),
            }
            for holder in explained.holders
        ],
        "date_finished": date_text(task.date_finished),
        "reason": task.reason,
        "workers_in_queue": len(verdicts.inside),
        "workers_elsewhere": len(verdicts.outside),
        "workers_eligible": verdicts.eligible,
        "refusals": verdicts.reasons,
    }


def _step(step: Stay) -> Answer:
    return {
        "filter_name": step.filter_name,
        "task_queue_sid": step.task_queue_sid,
        "task_queue_friendly_name": step.task_queue_name,
        "date_entered": date_text(step.entered),
        "date_left": date_text(step.left),
        "outcome": step.outcome,
    }


def show_task_condition(explained: wording.JudgedTask) -> Answer | None:
    """Return how a task's attributes decide its target's expression, if they do."""
    side, words = explained.task_side, wording.describe_task_side(explained)
    if side is None or words is None:
        return None
    return {
        "rules_out_all": bool(side.unmet),
        "expression": side.unmet or None,
        "attributes": side.attributes,
        "missing": list(side.missing),
        "words": words,
    }


def show_known_worker(known: KnownWorker | None) -> Answer | None:
    """Return the one worker that a task names, if any."""
    if known is None:
        return None
    return {
        "attribute": known.attribute,
        "named": known.named,
        "worker_sid": None if known.verdict is None else known.verdict.worker.sid,
        "problem": known.problem,
        "words": wording.describe_known_worker(known),
    }


def show_worker(verdict: Verdict, explained: wording.JudgedTask) -> Answer:
    """Return a worker with the rank or the reason against them."""
    worker = verdict.worker
    return {
        "worker_sid": worker.sid,
        "worker_name": worker.friendly_name,
        "activity_name": worker.activity_name,
        "rank": verdict.rank,
        "reason": verdict.refusal,
        "words": wording.describe_verdict(verdict, explained),
        "may_grab": verdict.grab_refusal is None,
        "grab_reason": verdict.grab_refusal,
        "grab_words": wording.describe_grab_verdict(verdict),
    }
