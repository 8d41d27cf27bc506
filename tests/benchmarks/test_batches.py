"""A batch of a supervisor beside its rows one by one, and beside the bare action (bar P8)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import pytest
from django.utils import timezone

from routing import models
from routing.actions import tasks
from routing.actions.supervision import batch_rows, batches
from routing.actions.supervision.batches import Subject
from routing.actors import Actor
from tests import factories
from tests.benchmarks.conftest import Table

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

ROWS = 500
ROUNDS = 5
KIM = Actor(type="user", sid="kim", source="supervisor")


def act_singly(workspace: models.Workspace, sids: list[str]) -> None:
    """Act on each row by itself."""
    for sid in sids:
        act(workspace, [sid])


def change_all(tasks: list[models.Task]) -> None:
    """Change each task without an act."""
    for task in tasks:
        change(task)


def test_a_batch_beside_single_acts(table: Table) -> None:
    workspace = factories.workspace()
    factories.workflow(workspace, default=factories.queue(workspace))
    waiting = [factories.task(workspace, now=timezone.now()) for _ in range(ROWS)]
    sids = [task.sid for task in waiting]
    together, singly, barely = [], [], []
    for _ in range(ROUNDS):
        together.append(measure(lambda: act(workspace, sids)))
        singly.append(measure(lambda: act_singly(workspace, sids)))
        barely.append(measure(lambda: change_all(waiting)))
    batch, single, bare = (statistics.median(each) for each in (together, singly, barely))
    table.add(
        f"P8  a batch of {ROWS}, beside {ROWS} acts on one row (bar: 1.3x)",
        f"{batch / ROWS * 1e3:.2f} ms CPU a row",
        f"{batch / single:.2f}x",
        batch / single <= 1.3,
    )
    table.add(
        f"P8  a batch of {ROWS}, beside {ROWS} bare actions",
        f"{bare / ROWS * 1e3:.2f} ms CPU a row",
        f"{batch / bare:.2f}x",
    )


def measure(carry_out: Callable[[], object]) -> float:
    """Return the seconds of CPU of this process."""
    begun = time.process_time()
    carry_out()
    return time.process_time() - begun


def act(workspace: models.Workspace, sids: Sequence[str]) -> None:
    batch = batches.create_batch(
        workspace=workspace,
        command="tasks.set_priority",
        arguments={"by": 1},
        subjects=[Subject(sid=sid) for sid in sids],
        actor=KIM,
        now=timezone.now(),
    )
    assert batch_rows.run_slice(batch, most=len(sids), seconds=600)


def change(task: models.Task) -> None:
    task.refresh_from_db()
    tasks.update_task(task=task, priority=task.priority + 1, actor=KIM, now=timezone.now())
