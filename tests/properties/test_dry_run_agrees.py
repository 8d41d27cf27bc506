"""A dry run says what becomes of a task, in many small random workspaces."""

from __future__ import annotations

import contextlib
import json
import random
from datetime import datetime
from typing import Any, Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from routing import models
from routing.actions import reservations, tasks, workers
from routing.actions.support.errors import ActionError, InvalidInput
from routing.actors import SYSTEM
from routing.core.clock import SECOND, microseconds, moment
from routing.core.decisions import Reason
from routing.core.vocabulary import AssignmentStatus, GrabPolicy, QueueOrder
from routing.explanations import dry_run
from routing.explanations.dry_run import DryRun
from routing.router import rounds
from routing.snapshots import due_work
from tests import factories
from tests.factories import filter_, later, target

WORLDS: Final = 20
TRIES: Final = 10
"""Tasks tried in each world: 200 in all."""

KINDS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"kind": "steps"},
    {"kind": "skips"},
    {"kind": "known", "agent": "worker 1"},
    {"kind": "known"},
    {"kind": "load"},
    {"kind": "newest"},
    {"kind": "skill", "level": 1},
    {"kind": "skill", "level": 9},
    {"kind": "nowhere"},
)


def _furnish(chance: random.Random, *, present: float = 0.8) -> models.Workspace:
    """Make a workspace whose workflow has every feature.

    Arguments:
        present: the probability that a worker is available.
    """
    workspace = factories.workspace(multi_task_enabled=chance.random() < 0.9)
    workspace.prioritize_queue_order = chance.choice([*QueueOrder])
    workspace.save(update_fields=["prioritize_queue_order"])
    fifo = factories.queue(
        workspace,
        max_reserved_workers=chance.randint(1, 2),
        grab_policy=chance.choice([*GrabPolicy]),
        grab_limit=2,
        grab_after=30,
    )
    lifo = factories.queue(workspace, task_order=QueueOrder.LIFO, target_workers="level > 1")
    team = factories.queue(workspace, target_workers=f"team == {chance.randint(1, 2)}")
    free = "worker.channel.{}.available_capacity_percentage"
    factories.workflow(
        workspace,
        filter_(
            'kind == "steps" AND taskrouter.currentHour >= 0',
            target(lifo, timeout=20, order_by="worker.level DESC", skip_if="1==1"),
            target(fifo, timeout=30, priority=3),
            target(team, timeout=100, expression="task.age >= 40 AND task.priority == 3"),
            name="Steps",
        ),
        filter_(
            'kind == "skips"',
            target(team, skip_if="workers.available < 2", timeout=15),
            target(lifo, skip_if="workers.available < 3", timeout=15, priority=2),
            target(fifo, skip_if="workers.unavailable > 1"),
            name="Skips",
        ),
        filter_(
            'kind == "known"',
            target(fifo, known_worker_friendly_name="task.agent", timeout=60),
            target(lifo),
            name="Known",
        ),
        filter_(
            'kind == "load"',
            target(
                fifo, expression=f"{free.format('chat')} > 25 AND {free.format('voice')} == 100"
            ),
            name="Load",
        ),
        filter_('kind == "newest"', target(lifo), name="Newest"),
        filter_('kind == "skill"', target(fifo, expression="worker.level >= task.level")),
        filter_('kind != "nowhere"', target(team)),
    )
    for number in range(chance.randint(2, 5)):
        factories.worker(
            workspace,
            f"Worker {number}",
            available=chance.random() < present,
            attributes={"team": chance.randint(1, 2), "level": chance.randint(0, 3)},
            capacity={"chat": chance.randint(0, 3), "voice": 1},
        )
    return workspace


def _draw_task(workspace: models.Workspace, chance: random.Random) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "attributes": json.dumps(chance.choice(KINDS)),
        "task_channel": factories.channel(workspace, chance.choice(["chat", "chat", "voice"])),
        "priority": chance.randint(0, 3),
        "timeout": chance.choice([50, 86_400]),
    }


def _disturb(workspace: models.Workspace, chance: random.Random, now: datetime) -> None:
    """Answer some offers, let workers come and go, and end some work."""
    for offer in models.Reservation.objects.pending().order_by("pk"):
        answer: Any = chance.choice(
            [None, reservations.accept_reservation, reservations.reject_reservation]
        )
        if answer is not None:
            # Of a task offered to two, the one who answers first gets it; an offer may be overdue.
            with contextlib.suppress(ActionError):
                answer(reservation=offer, actor=SYSTEM, now=now)
    for held in models.Reservation.objects.open().order_by("pk"):
        if held.reservation_status == "accepted" and chance.random() < 0.4:
            reservations.complete_reservation(reservation=held, actor=SYSTEM, now=now)
    for worker in workspace.workers.order_by("pk"):
        if chance.random() < 0.2:
            activity = factories.activity(workspace, chance.choice(["Available", "Offline"]))
            with contextlib.suppress(ActionError):
                workers.set_activity(worker=worker, activity=activity, actor=SYSTEM, now=now)


def _settle_overdue(workspace: models.Workspace, now: datetime) -> None:
    """Run the router if other work than matching is due: it comes before any new task."""
    due = due_work.load_due_work(workspace, now=now)
    if due.offers or due.wrap_ups or due.tasks or due.transfers or due.skips:
        rounds.run_cycle(workspace=workspace, now=now)


def _got(task: models.Task) -> set[str]:
    return set(task.reservations.open().values_list("worker__sid", flat=True))


def _check(run: DryRun, task: models.Task) -> None:
    """Compare a dry run with the task that was created right after it, and one cycle."""
    step = next(
        each
        for each in (*run.route.steps, None)
        if each is not None
        and (each.step.filter_index, each.step.target_index)
        == (task.filter_index, task.target_index)
    )
    assert task.task_queue is not None
    assert (step.target.queue, step.priority) == (task.task_queue.sid, task.priority)
    got = _got(task)
    if run.next_cycle is None:
        assert got == set()
        return
    assert got == {worker.sid for worker in run.next_cycle.foreseen.workers}
    if got:
        assert run.tried is not None
        entered = run.route.steps[run.next_cycle.step_number - 1]
        assert run.tried.number == run.next_cycle.step_number
        assert entered.step.target_index == task.target_index
        ranked = {each.worker.sid for each in run.tried.verdicts.inside if each.rank is not None}
        assert got <= ranked


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(WORLDS))
def test_the_next_cycle_offers_a_created_task_to_the_workers_its_dry_run_names(seed: int) -> None:
    chance = random.Random(seed)
    workspace = _furnish(chance)
    seconds = 0.0
    for _ in range(TRIES):
        seconds += chance.choice([0, 3, 25])
        now = later(seconds)
        _disturb(workspace, chance, now)
        if chance.random() < 0.5:
            rounds.run_cycle(workspace=workspace, now=now)
        for _ in range(chance.randint(0, 2)):
            arrives = _draw_task(workspace, chance)
            with contextlib.suppress(InvalidInput):
                tasks.create_task(**arrives, actor=SYSTEM, now=now)
        workspace.refresh_from_db()
        _settle_overdue(workspace, now)
        given = _draw_task(workspace, chance)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            run = dry_run.try_task(**given, now=now)
        assert all(each["sql"].lstrip().startswith(("SELECT", "WITH")) for each in queries)
        if run.refused:
            with pytest.raises(InvalidInput):
                tasks.create_task(**given, actor=SYSTEM, now=now)
            continue
        task = tasks.create_task(**given, actor=SYSTEM, now=now)
        rounds.run_cycle(workspace=workspace, now=now)
        task.refresh_from_db()
        if task.assignment_status == AssignmentStatus.CANCELED:
            assert run.route.ends_us == microseconds(now)
            assert run.route.reason == task.reason == Reason.WORKFLOW_SKIPPED
        else:
            _check(run, task)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(WORLDS, WORLDS + 12))
def test_a_task_that_no_worker_takes_goes_the_way_of_its_dry_run(seed: int) -> None:
    chance = random.Random(seed)
    workspace = _furnish(chance, present=0)
    now = later(0)
    for kind in KINDS:
        given = _draw_task(workspace, chance) | {"attributes": json.dumps(kind)}
        run = dry_run.try_task(**given, now=now)
        if run.refused:
            continue
        task = tasks.create_task(**given, actor=SYSTEM, now=now)
        for each in run.route.steps:
            if each.skipped:
                continue
            rounds.run_cycle(workspace=workspace, now=moment(each.entered_us))
            task.refresh_from_db()
            place = (task.filter_index, task.target_index, task.priority)
            assert place == (each.step.filter_index, each.step.target_index, each.priority)
        assert run.route.ends_us is not None
        rounds.run_cycle(workspace=workspace, now=moment(run.route.ends_us - SECOND))
        task.refresh_from_db()
        assert task.assignment_status == AssignmentStatus.PENDING
        rounds.run_cycle(workspace=workspace, now=moment(run.route.ends_us))
        task.refresh_from_db()
        assert (task.assignment_status, task.reason) == ("canceled", run.route.reason)
