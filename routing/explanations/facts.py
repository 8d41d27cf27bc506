"""Explain a task: its past steps, what it waits for and until when, and who may have it.

The number of queries is fixed, and nothing is changed. Functions of the core judge the rows.
What the next cycle will do is computed by running the router without applying its decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from routing import configurations, models
from routing.core import lifecycle, snapshot
from routing.core import workflow_position as positions
from routing.core.clock import microseconds, moment
from routing.core.verdicts import Verdicts, judge_task, judge_workers
from routing.core.vocabulary import AssignmentStatus, ReservationStatus
from routing.explanations import history
from routing.explanations.explanation import (
    DIRECT,
    Deadline,
    DeadlineKind,
    Explanation,
    Foreseen,
    Holder,
    KnownWorker,
    Problem,
)
from routing.models.base import words
from routing.router.matching import match_workspace
from routing.snapshots import attributes, rejections, requirements, tasks, workers
from workflows import configuration

READ_WITH: Final = (*requirements.READ_WITH, "workspace__account")
"""Relations of a task that `explain_task` reads: to be selected with it."""


def explain_task(row: models.Task, *, now: datetime) -> Explanation:
    """Explain a task, selected with `READ_WITH`."""
    pending = row.assignment_status == AssignmentStatus.PENDING
    reservations = [] if pending else _reservations(row)
    holders = [_holder(reservation) for reservation in reservations]
    required = requirements.load_requirements(
        row, reserved_for={r.worker_id for r in reservations if r.worker_id is not None}, now=now
    )
    lane = required.lane
    deadline = _deadline(row, holders)
    everyone = workers.load_workers(models.Worker.objects.filter(workspace_id=row.workspace_id))
    paused = rejections.load_rejections(row, lane, everyone, now=now)
    verdicts = judge_workers(replace(required, rejections=paused), everyone)
    passed, step = _steps(row)
    target = _target(row) if pending else None
    asked = None if target is None else target.expression
    due = deadline is not None and deadline.date <= now
    return Explanation(
        task=row,
        now=now,
        passed=passed,
        step=step,
        deadline=deadline,
        holders=holders,
        known_worker=find_known_worker(
            lane,
            verdicts,
            attribute=DIRECT if target is None else name_known_worker_path(target),
            account_id=row.workspace.account_id,
        )
        if pending
        else None,
        target_expression="" if target is None else target.expression_text,
        task_side=None if asked is None else judge_task(asked, tasks.build_task_view(row, now=now)),
        foreseen=_foresee(row, lane, now) if verdicts.eligible and not due else None,
        verdicts=verdicts,
        readable=attributes.parse_attributes(row.attributes, sid=row.sid) is not None
        and lane.readable,
    )


def _task(row: models.Task, lane: snapshot.Lane) -> snapshot.Task:
    return snapshot.Task(
        id=row.pk,
        sid=row.sid,
        lane_id=lane.id,
        version=row.version,
        priority=row.priority,
        virtual_start_us=row.virtual_start_us,
        created_us=microseconds(row.date_created),
        status=AssignmentStatus(row.assignment_status),
    )


def _reservations(row: models.Task) -> list[models.Reservation]:
    """Return the reservations of workers who have the task on offer, hold it or completed it."""
    telling = words([*lifecycle.OPEN_RESERVATION, ReservationStatus.COMPLETED])
    found = row.reservations.filter(reservation_status__in=telling).select_related("worker")
    return list(found.order_by("pk"))


def _holder(row: models.Reservation) -> Holder:
    status = ReservationStatus(row.reservation_status)
    offered = status == ReservationStatus.PENDING
    return Holder(
        reservation_sid=row.sid,
        reservation_status=status,
        worker_sid=row.worker_sid,
        worker_name=row.worker_name,
        since=row.date_created if offered else _find_beginning(row),
        until=moment(row.deadline_us) if offered else None,
    )


def _find_beginning(row: models.Reservation) -> datetime:
    """Return since when an accepted reservation has had its status."""
    begun = row.date_updated
    if row.reservation_status == ReservationStatus.WRAPPING:
        # An extension of the wrap-up changes the row, too.
        begun = row.date_wrapping or begun
    return begun


def _deadline(row: models.Task, holders: Sequence[Holder]) -> Deadline | None:
    """Return the next deadline; an offer suspends that of the step, but not the lifetime."""
    status = AssignmentStatus(row.assignment_status)
    if status not in (AssignmentStatus.PENDING, AssignmentStatus.RESERVED):
        return None
    found = [(moment(row.expires_us), DeadlineKind.TASK)]
    if status == AssignmentStatus.PENDING and row.step_deadline_us is not None:
        found.append((moment(row.step_deadline_us), DeadlineKind.STEP))
    found.extend((h.until, DeadlineKind.RESERVATION) for h in holders if h.until is not None)
    date, kind = min(found, key=lambda pair: pair[0])
    return Deadline(kind=kind, date=date)


def _steps(row: models.Task) -> tuple[Sequence[history.Stay], history.Stay | None]:
    """Return the past steps of a task, and its present one."""
    known = (
        [] if row.filter_index is None else history.list_stays(row, workspace_sid=row.workspace.sid)
    )
    passed = [step for step in known if step.left is not None]
    if row.assignment_status == AssignmentStatus.CANCELED:
        return passed, None
    queue = row.task_queue
    entered: datetime | None = row.task_queue_entered_date or row.date_created
    if row.filter_index is not None:
        entered = known[-1].entered if known and known[-1].left is None else None
    return passed, history.Stay(
        filter_name=_filter_name(row),
        task_queue_sid=None if queue is None else queue.sid,
        task_queue_name=None if queue is None else queue.friendly_name,
        entered=entered,
    )


def _filter_name(row: models.Task) -> str | None:
    if row.filter_index is None or row.revision_id is None:
        return None
    if row.filter_index == positions.DEFAULT_FILTER:
        return "default_filter"
    return configurations.load_configuration(row.revision_id).filters[row.filter_index].name


def find_known_worker(
    lane: snapshot.Lane, verdicts: Verdicts, *, attribute: str, account_id: int
) -> KnownWorker | None:
    """Return the one worker that the tasks of a lane name; None if they name none.

    Arguments:
        attribute: the task's attribute or field with the name.
    """
    sid, name = lane.known_worker_sid, lane.known_worker_name
    named = name if sid is None else sid
    if named is None:
        return None
    verdict = None
    for each in (*verdicts.inside, *verdicts.outside):
        if named == (each.worker.friendly_name.casefold() if sid is None else each.worker.sid):
            verdict = each
    problem = None
    if not named:
        problem = Problem.MISSING
    elif verdict is None:
        elsewhere = models.Worker.objects.filter(sid=named, workspace__account=account_id)
        problem = Problem.OTHER_WORKSPACE if elsewhere.exists() else Problem.UNKNOWN
    elif verdict not in verdicts.inside:
        problem = Problem.NOT_IN_QUEUE
    return KnownWorker(attribute=attribute, named=named, verdict=verdict, problem=problem)


def _target(row: models.Task) -> configuration.Target | None:
    """Return the present target of a task; None for one that was routed directly."""
    step = tasks.build_step(row)
    if step is None or row.revision_id is None:
        return None
    return positions.find_target(configurations.load_configuration(row.revision_id), step)


def name_known_worker_path(target: configuration.Target) -> str:
    """Return the path of the attribute by which a target's tasks name a worker."""
    path = target.known_worker_sid or target.known_worker_friendly_name or ()
    return ".".join(["task", *map(str, path)])


def _foresee(row: models.Task, lane: snapshot.Lane, now: datetime) -> Foreseen:
    """Run the router without applying its decisions, and return the result for this task."""
    matched = match_workspace(row.workspace, now=now)
    chosen: tuple[snapshot.Worker, ...] = ()
    for decision in matched.decisions:
        if decision.task.sid == row.sid:
            chosen = tuple(worker for worker, _ in decision.workers)
    return Foreseen(ahead=matched.count_ahead(_task(row, lane), lane), workers=chosen)
