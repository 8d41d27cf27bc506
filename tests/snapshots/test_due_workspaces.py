"""Which workspaces the sweep runs: those in which a cycle would find due work."""

from __future__ import annotations

from dataclasses import astuple

import pytest

from routing import models
from routing.actions import workspaces
from routing.actors import SYSTEM
from routing.snapshots.due_work import list_due_workspaces, load_due_work
from tests import factories
from tests.factories import NOW, later

pytestmark = pytest.mark.django_db


def test_a_workspace_whose_workers_are_away_is_not_due(workspace: models.Workspace) -> None:
    factories.worker(workspace, available=False)
    factories.task(workspace)
    factories.run(workspace)
    assert list_due_workspaces(now=NOW) == []


def test_a_workspace_whose_workers_are_full_is_not_due() -> None:
    workspace = factories.workspace()
    factories.worker(workspace, capacity={"chat": 1})
    factories.accepted(workspace)
    factories.task(workspace)
    assert list_due_workspaces(now=NOW) == []


def test_a_workspace_with_a_free_worker_and_a_waiting_task_is_due(
    workspace: models.Workspace,
) -> None:
    idle = factories.workspace()
    factories.worker(idle)
    factories.worker(workspace)
    factories.task(workspace)
    assert list_due_workspaces(now=NOW) == [workspace.sid]


def test_without_multitasking_a_worker_without_capacity_is_free(
    workspace: models.Workspace,
) -> None:
    factories.worker(workspace, capacity={"chat": 0})
    factories.task(workspace)
    assert list_due_workspaces(now=NOW) == []
    models.Workspace.objects.filter(pk=workspace.pk).update(multi_task_enabled=False)
    assert list_due_workspaces(now=NOW) == [workspace.sid]


def test_a_deadline_makes_a_workspace_due_at_its_moment(workspace: models.Workspace) -> None:
    factories.worker(workspace, available=False)
    factories.task(workspace, timeout=60)
    factories.run(workspace)
    assert list_due_workspaces(now=later(59)) == []
    assert list_due_workspaces(now=later(60)) == [workspace.sid]


def test_the_sweep_takes_one_query_for_any_number_of_workspaces(
    django_assert_num_queries: object,
) -> None:
    for _ in range(3):
        floor = factories.workspace()
        factories.worker(floor, available=False)
        factories.task(floor)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert list_due_workspaces(now=NOW) == []


def test_nothing_is_due_in_a_workspace_that_was_deleted_since_it_was_loaded(
    workspace: models.Workspace,
) -> None:
    factories.worker(workspace)
    factories.task(workspace)
    assert any(astuple(load_due_work(workspace, now=NOW)))
    loaded = models.Workspace.objects.get(pk=workspace.pk)
    workspaces.delete_workspace(workspace=workspace, actor=SYSTEM, now=NOW)
    assert not any(astuple(load_due_work(loaded, now=NOW)))
