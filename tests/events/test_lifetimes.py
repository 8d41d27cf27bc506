"""Accepted tasks live for ever, unless a setting limits their lifetime."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from routing import housekeeping, jobs, models
from routing.actions import reservations, task_transitions, tasks
from routing.actions.support.errors import StaleState
from routing.actors import SYSTEM
from tests import factories
from tests.factories import NOW, later

pytestmark = pytest.mark.django_db

DAY = 86_400
Assert = Callable[[int], AbstractContextManager[object]]


@pytest.fixture
def workspace() -> models.Workspace:
    """Return a workspace with one worker."""
    workspace = factories.workspace()
    factories.worker(workspace)
    return workspace


@pytest.fixture
def accepted_reservation(workspace: models.Workspace) -> models.Reservation:
    """Return an offer of noon that was accepted a minute later."""
    offer = factories.offered(workspace)
    return reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=later(60))


def there(reservation: models.Reservation) -> bool:
    return models.Task.objects.filter(pk=reservation.task_id).exists()


def test_without_the_setting_an_accepted_task_is_never_deleted(
    accepted_reservation: models.Reservation, django_assert_num_queries: Assert
) -> None:
    with django_assert_num_queries(0):
        housekeeping.delete_overdue_tasks(now=later(1000 * DAY))
    assert there(accepted_reservation)


def test_an_accepted_task_is_deleted_when_its_time_is_up_and_frees_its_slot(
    accepted_reservation: models.Reservation, settings: Any
) -> None:
    settings.ASSIGNED_TASK_LIFETIME = DAY
    housekeeping.delete_overdue_tasks(now=later(DAY + 59))
    assert there(accepted_reservation)
    before = factories.last_event()
    housekeeping.delete_overdue_tasks(now=later(DAY + 60))
    assert not there(accepted_reservation)
    assert factories.event_types(before) == ["task.system-deleted", "reservation.completed"]
    channel = factories.worker_channel(accepted_reservation.current_worker)
    assert (channel.consumed, channel.assigned) == (0, 0)


def test_wrapping_up_gives_no_more_time(
    accepted_reservation: models.Reservation, settings: Any
) -> None:
    settings.ASSIGNED_TASK_LIFETIME = DAY
    reservations.wrap_up_reservation(reservation=accepted_reservation, actor=SYSTEM, now=later(DAY))
    housekeeping.delete_overdue_tasks(now=later(DAY + 59))
    assert there(accepted_reservation)
    housekeeping.delete_overdue_tasks(now=later(DAY + 60))
    assert not there(accepted_reservation)


def test_an_accepted_task_is_found_although_its_event_was_pruned(
    accepted_reservation: models.Reservation, settings: Any
) -> None:
    settings.ASSIGNED_TASK_LIFETIME = 60 * DAY
    models.Event.objects.all().delete()
    housekeeping.delete_overdue_tasks(now=later(60 * DAY + 119))
    assert there(accepted_reservation)
    housekeeping.delete_overdue_tasks(now=later(60 * DAY + 120))
    assert not there(accepted_reservation)


def test_offers_and_finished_tasks_are_left_alone(
    workspace: models.Workspace, accepted_reservation: models.Reservation, settings: Any
) -> None:
    settings.ASSIGNED_TASK_LIFETIME = 1
    task_transitions.complete_task(task=accepted_reservation.task, actor=SYSTEM, now=later(60))
    offer = factories.offered(workspace, now=later(60))
    housekeeping.delete_overdue_tasks(now=later(DAY))
    assert there(accepted_reservation)
    assert there(offer)


def test_a_task_that_was_completed_before_is_not_deleted(
    accepted_reservation: models.Reservation,
) -> None:
    task_transitions.complete_task(task=accepted_reservation.task, actor=SYSTEM, now=later(60))
    with pytest.raises(StaleState):
        tasks.delete_overdue_task(held=accepted_reservation, now=later(DAY))
    assert there(accepted_reservation)


def test_the_sweep_of_every_second_deletes_overdue_tasks(
    workspace: models.Workspace,
    accepted_reservation: models.Reservation,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.ASSIGNED_TASK_LIFETIME = DAY
    waiting = factories.task(workspace, now=NOW, timeout=10 * DAY)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later(DAY + 60))
    jobs.run_due_cycles()
    assert not there(accepted_reservation)
    # The slot is given away in the same sweep.
    assert factories.status(waiting) == "reserved"
