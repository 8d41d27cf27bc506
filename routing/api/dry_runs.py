"""Views for dry runs: what would become of a task, by a stored workflow or one that is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Final

from django.http import HttpRequest

from routing import models
from routing.actions.support.inputs import ATTRIBUTES_LIMIT
from routing.actions.support.task_changes import MAX_PRIORITY
from routing.actions.tasks import MAX_TIMEOUT
from routing.api import pagination
from routing.api.base import POST_ONLY, ResourceView
from routing.api.dry_run_shapes import DRY_RUN
from routing.api.explanations import (
    KEY,
    ORDER,
    cut_page,
    show_known_worker,
    show_task_condition,
    show_worker,
)
from routing.api.responses import ApiResponse
from routing.core.dry_run import MOST_STEPS, FilterTrial, Floor, RouteStep
from routing.core.vocabulary import Refusal
from routing.core.workflow_position import DEFAULT_FILTER
from routing.explanations import dry_run, dry_run_wording
from routing.explanations.dry_run import DryRun
from routing.fields.declarations import date_text
from routing.fields.queues import show_warnings
from routing.fields.shapes import Answer
from routing.operations import parameters, references
from routing.operations.pagination import PageRequest, encode_token
from routing.operations.parameters import Param

_WORKFLOW: Final = references.reference(
    "WorkflowSid", models.Workflow, "WW", argument="workflow"
).describe(
    "The workflow to try; optional if the workspace has exactly one, or with a Configuration."
)
_WORDS: Final = (
    "\n\nTries a task with these attributes without creating it: which filters match it and why"
    " not, its steps and times if no worker takes it, and for every worker of a step's queue a"
    " rank or the reason why not. With Floor `now` the answer names the workers who get the offer"
    " in the next cycle. Nothing is changed. A Configuration is tried as it is typed, without"
    " being stored; what is wrong with it stands in `problems`."
)


class _DryRuns(ResourceView):
    http_method_names = POST_ONLY
    shape = DRY_RUN
    params: ClassVar[tuple[Param, ...]] = (
        parameters.document("Attributes").describe(
            "The attributes of the task: a JSON object of at most 4096 characters.",
            '{"language": "es", "tier": "gold"}',
            maxLength=ATTRIBUTES_LIMIT,
        ),
        references.reference(
            "TaskChannel", models.TaskChannel, "TC", argument="task_channel", by="unique_name"
        ).describe("The task's channel, by sid or unique name. Defaults to `default`.", "chat"),
        parameters.whole_number("Priority", most=MAX_PRIORITY).describe(
            "The task's priority; a target with a priority overrides it."
        ),
        parameters.whole_number("Timeout", least=1, most=MAX_TIMEOUT).describe(
            "Seconds it may wait before it is canceled. Defaults to a day."
        ),
        # Any text may be tried: what is wrong with it is the answer.
        replace(parameters.document("Configuration"), schema={"type": "string"}).describe(
            "The text of a workflow to try, instead of the stored one."
        ),
        parameters.date_time("At").describe(
            "The moment for conditions on the time of day. Defaults to now; with another moment"
            " `next_cycle` is null."
        ),
        parameters.choice("Floor", Floor).describe(
            "`now`: the workers as they are, the default; `ready`: all available and without"
            " work; `busy`: all available, each with the work they have."
        ),
        parameters.whole_number("Step", least=1, most=MOST_STEPS).describe(
            "The number of the step whose workers are listed. Defaults to the one in which the"
            " next cycle offers the task, else the first that is not skipped."
        ),
        parameters.whole_number("PageSize").describe(
            "The number of workers to list; values above 1000 count as 1000.",
            minimum=1,
            maximum=pagination.MAX_PAGE_SIZE,
            default=pagination.DEFAULT_PAGE_SIZE,
        ),
        parameters.text("PageToken").describe(
            "The next workers, by `meta.next_page_token` of an answer to the same request."
        ),
    )

    def answer_run(self, **more: Any) -> ApiResponse:
        """Try the task of the form, and answer with a page of workers."""
        arguments = parameters.read_arguments(
            self.form_params(), self.form, workspace=self.workspace
        )
        for name in ("page_size", "page_token"):
            arguments.pop(name, None)
        wanted = pagination.read_page_request(self.form, ORDER)
        run = dry_run.try_task(
            workspace=self.workspace, now=self.now, **{"workflow": None, **arguments, **more}
        )
        return ApiResponse({**_show(run), **_page(run, wanted)})


class WorkspaceDryRun(_DryRuns):
    """Dry runs by any workflow of a workspace, or by one that is not stored."""

    params = (_WORKFLOW, *_DryRuns.params)
    about = {"post": f"Try a task{_WORDS}"}

    def post(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Try a task."""
        return self.answer_run()


class WorkflowDryRun(_DryRuns):
    """Dry runs by one workflow."""

    about = {"post": f"Try a task with a workflow{_WORDS}"}

    def post(self, request: HttpRequest, **names: str) -> ApiResponse:
        """Try a task with the workflow in the path."""
        rows = self.workspace.workflows.filter(sid=self.operation.sid("parent_sid", "WW"))
        return self.answer_run(workflow=self.operation.first_row(rows))


def _show(run: DryRun) -> Answer:
    """Return everything that concerns the task and not single workers."""
    tried, next_cycle = run.tried, run.next_cycle
    entered = {each.step.filter_index for each in run.route.steps}
    refusals: dict[Refusal, int] = {} if tried is None else dict(tried.verdicts.reasons)
    return {
        "account_sid": run.workspace.account.sid,
        "workspace_sid": run.workspace.sid,
        "workflow_sid": None if run.workflow is None else run.workflow.sid,
        "date": date_text(run.date),
        "floor": run.floor,
        "summary": dry_run_wording.summarize(run),
        "problems": show_warnings(run.problems),
        "warnings": show_warnings(run.warnings),
        "filters": [
            _show_filter(number, trial, entered=number - 1 in entered)
            for number, trial in enumerate(run.trials, 1)
        ],
        "steps": [_show_step(number, run, each) for number, each in enumerate(run.route.steps, 1)],
        "ends": None if run.problems else _show_end(run),
        "filters_left_out": run.filter_count - len(run.trials),
        "step": None if tried is None else tried.number,
        "task_condition": None if tried is None else show_task_condition(tried),
        "known_worker": None if tried is None else show_known_worker(tried.known_worker),
        "workers_in_queue": 0 if tried is None else len(tried.verdicts.inside),
        "workers_elsewhere": 0 if tried is None else len(tried.verdicts.outside),
        "workers_eligible": 0 if tried is None else tried.verdicts.eligible,
        "refusals": refusals,
        "next_cycle": next_cycle
        and {
            "step": next_cycle.step_number,
            "tasks_ahead": next_cycle.foreseen.ahead,
            "worker_sids": [worker.sid for worker in next_cycle.foreseen.workers],
            "worker_names": [worker.friendly_name for worker in next_cycle.foreseen.workers],
        },
    }


def _show_filter(number: int, trial: FilterTrial, *, entered: bool) -> Answer:
    return {
        "number": number,
        "filter_name": trial.name,
        "expression": trial.expression,
        "matched": trial.matches,
        "entered": entered,
        "because": [
            {
                "comparison": failure.text,
                "read": [
                    {
                        "name": name,
                        "value": None if value is None else dry_run_wording.show_value(value),
                    }
                    for name, value in failure.values
                ],
            }
            for failure in trial.because
        ],
    }


def _show_step(number: int, run: DryRun, step: RouteStep) -> Answer:
    target, identity = step.target, step.identity
    named = identity.known_worker_sid
    default = step.step.filter_index == DEFAULT_FILTER
    return {
        "number": number,
        "filter_name": step.filter_name,
        "target": 1 if default else step.step.target_index + 1,
        "from_second": run.count_seconds(step.entered_us),
        "until_second": None if step.left_us is None else run.count_seconds(step.left_us),
        "skipped": step.skipped,
        "skip_if": None if target.skip_if is None else target.skip_if.source,
        "skip_counts": dict(step.skip_counts or {}),
        "task_queue_sid": target.queue,
        "task_queue_friendly_name": dry_run_wording.describe_queue(run, number),
        "priority": step.priority,
        "target_expression": target.expression_text,
        "worker_expression": identity.expression,
        "order_by": identity.order_by,
        "known_worker": identity.known_worker_name if named is None else named,
    }


def _show_end(run: DryRun) -> Answer:
    route = run.route
    kind = "refused" if run.refused else "cut_off" if route.ends_us is None else "canceled"
    return {
        "kind": kind,
        "after_second": None if route.ends_us is None else run.count_seconds(route.ends_us),
        "reason": route.reason or None,
        "words": dry_run_wording.describe_end(run),
    }


def _page(run: DryRun, wanted: PageRequest) -> Answer:
    """Return a page of the workers of the step that was tried."""
    tried = run.tried
    page = cut_page(() if tried is None else tried.verdicts.inside, wanted)
    return {
        KEY: [] if tried is None else [show_worker(verdict, tried) for verdict in page.rows],
        "meta": {
            "key": KEY,
            "page_size": wanted.size,
            "next_page_token": page.after and encode_token(page.after, ORDER),
        },
    }
