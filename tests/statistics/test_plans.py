"""Statistics by index: no figure reads all tasks, nor more events than its window has."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from routing import models
from routing.statistics import bookkeeper, cumulative, durations, realtime
from routing.statistics.windows import Window
from tests import factories
from tests.factories import NOW, later


@pytest.fixture
def workspace(db: None) -> models.Workspace:
    made = factories.workspace()
    factories.worker(made)
    factories.offered(made)
    factories.task(made)
    return made


def plans(queries: CaptureQueriesContext) -> list[str]:
    found = []
    for query in queries:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + query["sql"].replace("%", "%%"))
            found.append("\n".join(row[3] for row in cursor.fetchall()))
    return found


def test_the_longest_waiting_tasks_are_read_from_an_index(workspace: models.Workspace) -> None:
    channels = list(workspace.task_channels.all())
    scopes: list[realtime.Scope] = [
        workspace,
        workspace.task_queues.get(),
        workspace.workflows.get(),
    ]
    indexes = ("tasks_oldest_of_channel", "tasks_oldest_of_queue", "tasks_oldest_of_workflow")
    for scope, index in zip(scopes, indexes, strict=True):
        with CaptureQueriesContext(connection) as queries:
            realtime.count_tasks(workspace, [scope], channels=channels)
        counts, longest, rows = plans(queries)
        assert "task_counts_kind" in counts
        assert index in longest
        assert "SCAN tasks" not in longest + rows
        assert "USE TEMP B-TREE" not in longest
        assert ("tasks_longest_in_queue" in longest) == isinstance(scope, models.TaskQueue)


def test_events_of_a_window_are_read_from_an_index(workspace: models.Workspace) -> None:
    window = Window(NOW, later(60))
    with CaptureQueriesContext(connection) as queries:
        cumulative.count_events(workspace.sid, window, cumulative.OF_WORKSPACE)
        everybody = workspace.workers.all()
        durations.measure_activities(
            workspace, window, workers=everybody, include_deleted=True, now=NOW
        )
    for plan in plans(queries):
        if "events" in plan:
            assert "events_typed (workspace_sid=? AND event_type=? AND event_date>" in plan


def test_the_bookkeeper_reads_the_log_from_its_bookmark_on(workspace: models.Workspace) -> None:
    while bookkeeper.keep_books(now=NOW):
        pass
    with CaptureQueriesContext(connection) as queries:
        assert bookkeeper.list_unread_workspaces() == []
        mark = bookkeeper.find_or_create_bookmark(workspace)
        assert bookkeeper.read_unread_events(workspace, mark, 10) == []
    of_log = [plan for plan in plans(queries) if "events" in plan]
    assert len(of_log) == 3
    for plan in of_log[:-1]:
        assert "events_log (workspace_sid=? AND transaction_id=? AND id>?)" in plan
    assert "events_log (workspace_sid=? AND transaction_id>?)" in of_log[-1]
