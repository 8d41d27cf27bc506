"""Counting by triggers: the counts follow every statement that changes tasks."""

from __future__ import annotations

from collections import Counter
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from routing import diagnosis, models
from routing.core.lifecycle import FINAL_TASK
from routing.core.vocabulary import AssignmentStatus
from routing.db.sql import task_counts
from routing.statistics import counting
from tests import factories
from tests.factories import NOW


def counted(workspace: models.Workspace) -> dict[str, int]:
    found: Counter[str] = Counter()
    for row in models.TaskCount.objects.filter(workspace_id=workspace.pk):
        found[row.assignment_status] += row.tasks
    assert counting.find_differences() == []
    return dict(+found)


@pytest.fixture
def workspace(db: None) -> models.Workspace:
    return factories.workspace()


def test_counts_follow_created_changed_and_deleted_tasks(workspace: models.Workspace) -> None:
    factories.worker(workspace, capacity={"chat": 5})
    tasks = [factories.task(workspace, priority=number % 2) for number in range(4)]
    assert counted(workspace) == {"pending": 4}
    factories.run(workspace)
    assert counted(workspace) == {"reserved": 4}
    models.Task.objects.filter(pk=tasks[0].pk).update(priority=9)
    models.Task.objects.filter(pk__in=[tasks[0].pk, tasks[1].pk]).update(
        assignment_status="assigned"
    )
    assert counted(workspace) == {"reserved": 2, "assigned": 2}
    models.Task.objects.filter(pk=tasks[0].pk).update(
        assignment_status="completed", date_finished=NOW
    )
    assert counted(workspace) == {"reserved": 2, "assigned": 1}
    models.Reservation.objects.all().delete()
    models.Task.objects.filter(pk=tasks[2].pk).delete()
    assert counted(workspace) == {"reserved": 1, "assigned": 1}


def test_changes_without_an_action_are_counted(workspace: models.Workspace) -> None:
    task = factories.task(workspace)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tasks SET workflow_id = NULL WHERE id = %s", [task.pk])
    assert counted(workspace) == {"pending": 1}
    (row,) = models.TaskCount.objects.filter(workspace_id=workspace.pk, tasks__gt=0)
    assert (row.workflow_id, row.task_queue_id) == (0, task.task_queue_id)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM tasks")
    assert counted(workspace) == {}


def test_a_deleted_workspace_leaves_no_counts(workspace: models.Workspace) -> None:
    factories.task(workspace)
    models.Task.objects.filter(workspace=workspace).delete()
    workspace.delete()
    assert counted(workspace) == {}


def test_counts_of_zero_are_deleted(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = factories.task(workspace)
    for priority in range(5):
        models.Task.objects.filter(pk=task.pk).update(priority=priority)
    counting.merge_counts()
    assert models.TaskCount.objects.count() == 5
    monkeypatch.setattr(counting, "MERGE_ABOVE", 3)
    counting.merge_counts()
    assert models.TaskCount.objects.get().priority == 4
    assert counted(workspace) == {"pending": 1}


def test_the_doctor_finds_a_wrong_count_and_repairs_it_on_request(
    workspace: models.Workspace,
) -> None:
    factories.task(workspace)
    assert list(diagnosis.find_problems()) == []
    models.TaskCount.objects.update(tasks=3)
    (problem,) = diagnosis.find_problems()
    assert "counted as 3; there are 1" in problem
    with pytest.raises(CommandError):
        call_command("doctor", stdout=StringIO())
    call_command("doctor", recount=True, stdout=StringIO())
    assert counted(workspace) == {"pending": 1}


@pytest.mark.django_db(transaction=True)
def test_counting_continues_after_the_table_was_altered() -> None:
    workspace = factories.workspace()
    factories.task(workspace)
    with connection.schema_editor() as editor:
        editor._remake_table(models.Task)  # type: ignore[attr-defined]  # SQLite's own
    factories.task(workspace)
    assert len(counting.find_differences()) == 1
    call_command("migrate", verbosity=0)
    assert counted(workspace) == {"pending": 2}
    factories.task(workspace)
    assert counted(workspace) == {"pending": 3}


def test_the_statements_name_every_status_of_live_tasks() -> None:
    assert set(counting.LIVE) == set(AssignmentStatus) - FINAL_TASK
    live = "IN (" + ", ".join(f"'{status}'" for status in counting.LIVE) + ")"
    for statements in task_counts.CREATE_TRIGGERS.values():
        text = "\n".join(statements)
        assert live in text
        assert text.count(" IN (") == text.count(live)
    assert live in task_counts.COUNT_TASKS
    assert live in task_counts.DIFFERENCES
