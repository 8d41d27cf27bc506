"""How far the router is behind: the age of the oldest work that is due and not done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from routing import models
from routing.router import lag_warnings
from tests import factories
from tests.factories import NOW


def late(seconds: float) -> float:
    """Return by how many seconds the oldest work is late then, with all events published."""
    models.UnpublishedEvent.objects.all().delete()
    return lag_warnings.find_oldest_due_age(now=factories.later(seconds)).total_seconds()


def test_nothing_is_late_where_nothing_is_due(workspace: models.Workspace) -> None:
    factories.task(workspace)
    assert late(0) == 0


def test_the_lateness_is_that_of_the_oldest_overdue_task_of_all_workspaces(
    workspace: models.Workspace,
) -> None:
    factories.task(workspace, timeout=60)
    factories.task(factories.workspace(), timeout=50)
    assert late(49) == 0
    assert late(62) == 12


def test_a_task_that_does_not_leave_its_step_in_time_is_late(workspace: models.Workspace) -> None:
    unserved = factories.queue(workspace, target_workers="never == true")
    step = factories.filter_("1 == 1", factories.target(unserved, timeout=60))
    factories.task(workspace, workflow=factories.workflow(workspace, step))
    assert late(59) == 0
    assert late(67) == 7


def test_an_offer_that_is_not_ended_in_time_is_late(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    factories.offered(workspace)
    workflow = models.Workflow.objects.get(workspace=workspace)
    assert late(workflow.task_reservation_timeout + 7) == 7


def test_an_event_that_is_not_published_is_late(workspace: models.Workspace) -> None:
    event = models.Event.objects.order_by("pk").last()
    assert event is not None
    models.Event.objects.filter(pk=event.pk).update(event_date=NOW)
    models.UnpublishedEvent.objects.exclude(pk=event.pk).delete()
    assert lag_warnings.find_oldest_due_age(now=factories.later(3)) == timedelta(seconds=3)


def test_lag_is_logged_once_in_a_while(
    workspace: models.Workspace,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lag_warnings, "process_warnings", lag_warnings.Warnings())
    factories.task(workspace, timeout=60)
    models.UnpublishedEvent.objects.all().delete()
    for seconds in (64, 66, 67):
        lag_warnings.warn_of_lag(now=factories.later(seconds))
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["lag seconds=6.0"]


def test_a_slow_round_of_the_router_is_logged_with_its_workspace(
    workspace: models.Workspace, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    factories.run(workspace)
    assert not caplog.records
    settings.SLOW_CYCLE_SECONDS = 1e-9
    factories.run(workspace)
    (record,) = caplog.records
    assert record.getMessage().startswith(f"slow cycle workspace={workspace.sid} seconds=")
