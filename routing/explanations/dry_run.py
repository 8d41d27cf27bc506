"""Try a task: what would become of it, if it were created now with these attributes.

Nothing is changed, and no lock is taken. Each decision is made by the function of the core that
makes it for a real task. What the next cycle would do is computed by running the router without
applying its decisions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from routing import configurations, models, sids
from routing.actions.support import inputs, task_changes, task_routes
from routing.actions.support.errors import InvalidInput, StaleState
from routing.actions.tasks import MAX_TIMEOUT
from routing.core import eligibility, snapshot
from routing.core.clock import SECOND, microseconds, moment, whole_second
from routing.core.decisions import CancelTask, EnterTarget
from routing.core.dry_run import (
    FilterTrial,
    Floor,
    Route,
    RouteStep,
    SupposedTask,
    enter_step,
    suppose_workers,
    trace_route,
    try_filters,
)
from routing.core.matching.supposition import Supposition
from routing.core.overdue import decide_skip
from routing.core.verdicts import TaskSide, Verdicts, judge_task, judge_workers
from routing.explanations.explanation import Foreseen, KnownWorker
from routing.explanations.facts import find_known_worker, name_known_worker_path
from routing.router.matching import match_workspace
from routing.snapshots import attributes as attribute_snapshots
from routing.snapshots import due_work, requirements, workers
from routing.snapshots import lanes as lane_snapshots
from workflows.configuration import Configuration, ConfigurationError, parse_configuration
from workflows.documents import Problem

MOST_ROUNDS: Final = 20
"""Rounds of the router that a dry run looks ahead."""
_LAST_ID: Final = 2**63 - 1
_FIRST_YEAR, _LAST_YEAR = 1970, 2999


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedStep:
    """The step of a dry run for which the workers are judged; it is a `JudgedTask`.

    Arguments:
        number: its place in the route, from 1.
    """

    number: int
    now: datetime
    task_side: TaskSide | None
    known_worker: KnownWorker | None
    verdicts: Verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class NextCycle:
    """What the next cycle would do with the task, in the step with this number."""

    foreseen: Foreseen
    step_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What would become of a task; with `problems` the configuration was not tried.

    Arguments:
        date: the moment of the creation that is supposed.
        queues: the queues of the route, by sid.
        tried: None if the task would be refused, or its first step needs no worker.
        next_cycle: None unless the floor is as it is now and some worker may have the task.
    """

    workspace: models.Workspace
    workflow: models.Workflow | None
    date: datetime
    floor: Floor
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    trials: Sequence[FilterTrial] = ()
    filter_count: int = 0
    route: Route = field(default_factory=lambda: Route(steps=(), ends_us=None, reason=""))
    queues: Mapping[str, models.TaskQueue] = field(default_factory=dict)
    tried: TriedStep | None = None
    next_cycle: NextCycle | None = None

    @property
    def refused(self) -> bool:
        """Return whether the creation would be refused, as no filter takes the task."""
        return not self.problems and not self.route.steps

    def count_seconds(self, at_us: int) -> int:
        """Return how many whole seconds after its creation a moment is."""
        return (at_us - microseconds(self.date)) // SECOND


def try_task(
    *,
    workspace: models.Workspace,
    attributes: str = "{}",
    task_channel: models.TaskChannel | None = None,
    priority: int = 0,
    timeout: int = 86_400,
    workflow: models.Workflow | None = None,
    configuration: str | None = None,
    at: datetime | None = None,
    floor: Floor = Floor.NOW,
    step: int | None = None,
    now: datetime,
) -> DryRun:
    """Return what would become of a task; raises `InvalidInput` as its creation does.

    Arguments:
        workflow: may be left out when the workspace has exactly one, or with a configuration.
        configuration: the text of a workflow to try, instead of the one that is stored.
        at: the moment for expressions that read the time of day; by default that is `now`.
        step: the number of the step for which the workers are judged. By default it is the step in
            which the next cycle offers the task, else the first that is not skipped.
    """
    parsed = attribute_snapshots.parse_attributes(inputs.check_attributes(attributes), sid="")
    assert parsed is not None, "checked attributes are an object"
    inputs.check_integer(timeout, field="timeout", least=1, most=MAX_TIMEOUT)
    channel = task_channel or workspace.task_channels.filter(unique_name="default").first()
    if channel is None:
        raise StaleState("the workspace no longer exists; it was deleted")
    channel.workspace = workspace
    if configuration is None:
        workflow = task_routes.choose_route(
            workspace=workspace,
            routing_target=None,
            ignore_capacity=None,
            workflow=workflow,
            task_queue=None,
        ).workflow
    date = now if at is None else _check_moment(at)
    run = DryRun(workspace=workspace, workflow=workflow, date=date, floor=floor)
    try:
        document = _load_document(workspace, workflow, configuration)
    except ConfigurationError as error:
        return replace(run, problems=error.problems)
    created_us = microseconds(date)
    task = SupposedTask(
        sid=sids.new_ordered_sid("WT", now),
        attributes=parsed,
        channel_unique_name=channel.unique_name,
        channel_sid=channel.sid,
        priority=task_changes.check_priority(priority),
        workflow_sid=None if workflow is None else workflow.sid,
        created_us=created_us,
        expires_us=created_us + timeout * SECOND,
    )
    trial = _Trial(workspace, channel, document, task, floor)
    route = trace_route(document, task, count_workers=trial.count_workers)
    run = replace(
        run,
        warnings=document.warnings,
        trials=try_filters(
            document, task.build_view(priority=task.priority, now=created_us), now=created_us
        ),
        filter_count=len(document.filters),
        route=route,
    )
    if not route.steps:
        return run
    next_cycle = trial.foresee_offer(route.steps[0]) if floor == Floor.NOW and at is None else None
    return replace(
        run,
        next_cycle=next_cycle,
        tried=trial.judge_step(route, _choose_step(route, step, next_cycle)),
        queues={each.target.queue: trial.load_queue(each.target.queue) for each in route.steps},
    )


def _check_moment(at: datetime) -> datetime:
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise InvalidInput(
            f"at {at:%Y-%m-%dT%H:%M:%SZ} must lie between the years {_FIRST_YEAR} and {_LAST_YEAR}",
            field="at",
        )
    return at


def _load_document(
    workspace: models.Workspace, workflow: models.Workflow | None, text: str | None
) -> Configuration:
    """Return the configuration to try; raises `ConfigurationError`."""
    queue_sids = set(workspace.task_queues.values_list("sid", flat=True))
    if text is not None:
        return parse_configuration(text, queue_sids=queue_sids)
    assert workflow is not None
    assert workflow.revision_id is not None
    document = configurations.load_configuration(workflow.revision_id)
    if not document.queues <= queue_sids:
        # A queue was deleted after the workflow was stored.
        return parse_configuration(
            configurations.load_text(workflow.revision_id), queue_sids=queue_sids
        )
    return document


def _choose_step(route: Route, wanted: int | None, next_cycle: NextCycle | None) -> int:
    """Return the number of the step for which the workers are judged."""
    if wanted is not None:
        return inputs.check_integer(wanted, field="step", least=1, most=len(route.steps))
    if next_cycle is not None and next_cycle.foreseen.workers:
        return min(next_cycle.step_number, len(route.steps))
    waits = (number for number, each in enumerate(route.steps, 1) if not each.skipped)
    return next(waits, 1)


class _Trial:
    """A task on a floor, and the rows that are loaded for it, each once."""

    def __init__(
        self,
        workspace: models.Workspace,
        channel: models.TaskChannel,
        document: Configuration,
        task: SupposedTask,
        floor: Floor,
    ) -> None:
        self._workspace = workspace
        self._channel = channel
        self._document = document
        self._task = task
        rows = models.Worker.objects.filter(workspace_id=workspace.pk)
        self._workers = list(suppose_workers(workers.load_workers(rows), floor))
        self._queues: dict[str, models.TaskQueue] = {}
        self._counts: dict[str, Mapping[str, int]] = {}
        self._activity_sids: list[str] | None = None

    def load_queue(self, sid: str) -> models.TaskQueue:
        """Return a queue of the configuration."""
        if sid not in self._queues:
            self._queues[sid] = self._workspace.task_queues.get(sid=sid)
        return self._queues[sid]

    def count_workers(self, queue_sid: str) -> Mapping[str, int]:
        """Return the values of `workers.…` for a queue."""
        if self._activity_sids is None:
            self._activity_sids = due_work.load_activity_sids(self._workspace.pk)
        if queue_sid not in self._counts:
            self._counts[queue_sid] = eligibility.count_workers(
                lane_snapshots.build_queue(self.load_queue(queue_sid)),
                self._workers,
                activity_sids=self._activity_sids,
            )
        return self._counts[queue_sid]

    def judge_step(self, route: Route, number: int) -> TriedStep:
        """Judge all workers for a step, as if the task had just come to it."""
        entered = route.steps[number - 1]
        lane = self._load_lane(entered)
        verdicts = judge_workers(self._build_requirements(entered, lane), self._workers)
        asked = entered.target.expression
        return TriedStep(
            number=number,
            now=moment(entered.entered_us),
            task_side=None if asked is None else judge_task(asked, entered.view),
            known_worker=find_known_worker(
                lane,
                verdicts,
                attribute=name_known_worker_path(entered.target),
                account_id=self._workspace.account_id,
            ),
            verdicts=verdicts,
        )

    def foresee_offer(self, entered: RouteStep) -> NextCycle | None:
        """Run rounds of the router until one offers the task, or leaves it waiting.

        A task that gets no offer may skip its step, and be offered in the next round. Decisions
        about other tasks count as applied in the rounds after.
        """
        number, ahead, now = 1, 0, self._task.created_us
        supposition = self._suppose(entered)
        for _ in range(MOST_ROUNDS):
            result = match_workspace(self._workspace, now=moment(now), supposition=supposition)
            first = ahead + result.count_ahead(supposition.task, supposition.lane)
            if (decision := supposition.find_decision(result)) is not None:
                chosen = tuple(worker for worker, _ in decision.workers)
                return NextCycle(foreseen=Foreseen(ahead=first, workers=chosen), step_number=number)
            ahead += len(result.decisions)
            offers, again = supposition.list_offers(result), result.unfinished
            if entered.step.skip_unasked:
                waiting = self._task.wait(
                    self._document, entered.step, priority=entered.priority, now=now
                )
                counts = self.count_workers(entered.target.queue)
                skip = decide_skip(waiting, workers=counts, now=now)
                if isinstance(skip, CancelTask):
                    return None
                if isinstance(skip, EnterTarget):
                    number, again = number + 1, True
                    entered = enter_step(
                        self._document, self._task, skip.step, priority=entered.priority, now=now
                    )
                else:
                    entered = replace(entered, step=replace(entered.step, skip_unasked=False))
            if not again:
                break
            supposition = replace(self._suppose(entered), offers=offers)
        if not supposition.workers:
            return None
        return NextCycle(foreseen=Foreseen(ahead=ahead, workers=()), step_number=number)

    def _suppose(self, entered: RouteStep) -> Supposition:
        lane, us = self._load_lane(entered), self._task.created_us
        required = self._build_requirements(entered, lane)
        return Supposition(
            task=snapshot.Task(
                id=_LAST_ID,
                sid=self._task.sid,
                lane_id=lane.id,
                version=0,
                priority=entered.priority,
                virtual_start_us=whole_second(us),
                created_us=us,
            ),
            lane=lane,
            workers=[
                worker
                for worker in self._workers
                if eligibility.router_refusal(eligibility.Candidate(worker), required) is None
            ],
        )

    def _load_lane(self, entered: RouteStep) -> snapshot.Lane:
        return lane_snapshots.load_lane_of_identity(
            entered.identity,
            queue=self.load_queue(entered.target.queue),
            task_channel=self._channel,
        )

    def _build_requirements(
        self, entered: RouteStep, lane: snapshot.Lane
    ) -> eligibility.TaskRequirements:
        return requirements.build_new_requirements(
            lane,
            workspace=self._workspace,
            queue=self.load_queue(entered.target.queue),
            target=entered.target,
            task=entered.view,
            created_us=self._task.created_us,
            now=entered.entered_us,
        )
