"""Workers: names, activities, and what leaving does to offers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing import models
from routing.actions import workers
from routing.actions.support.errors import InUse, InvalidInput, NotNow, StaleState
from routing.actors import SYSTEM
from tests import factories
from tests.factories import NOW, later

Happened = Callable[[], list[str]]


def go(worker: models.Worker, activity: str, **given: object) -> models.Worker:
    return workers.set_activity(
        worker=worker,
        activity=factories.activity(worker.workspace, activity),
        actor=SYSTEM,
        now=later(90.7),
        **given,  # type: ignore[arg-type]
    )


def test_a_new_worker_is_offline_and_has_a_slot_on_every_channel(
    workspace: models.Workspace,
) -> None:
    worker = workers.create_worker(
        workspace=workspace, friendly_name="Alice", actor=SYSTEM, now=NOW
    )
    assert worker.activity.friendly_name == "Offline"
    channels = worker.channels.values_list("task_channel__unique_name", "configured_capacity")
    assert sorted(channels) == [
        ("chat", 1),
        ("default", 1),
        ("sms", 1),
        ("video", 1),
        ("voice", 1),
    ]


def test_names_are_compared_ignoring_case(workspace: models.Workspace) -> None:
    factories.worker(workspace, "Alice")
    with pytest.raises(InvalidInput, match="exists already"):
        factories.worker(workspace, "alice")
    elsewhere = factories.worker(factories.workspace(), "alice")
    assert elsewhere.friendly_name == "alice"


def test_a_change_of_activity_records_how_long_the_last_one_took(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    recorded_events()
    worker = go(worker, "Offline")
    assert recorded_events() == ["worker.activity.update"]
    data = models.Event.objects.latest("pk").event_data
    assert data["worker_time_in_previous_activity"] == "90"
    assert data["worker_time_in_previous_activity_ms"] == "90700"
    assert data["worker_previous_activity_name"] == "Available"


def test_staying_in_an_activity_is_no_change(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    recorded_events()
    assert go(worker, "Available").version == worker.version
    assert recorded_events() == []


def test_leaving_with_an_open_offer_is_refused_unless_the_request_rejects_it(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    offer = factories.offered(workspace)
    recorded_events()
    with pytest.raises(NotNow, match="1 pending reservations"):
        go(worker, "Offline")
    assert recorded_events() == []
    worker = go(worker, "Offline", reject_pending_reservations=True)
    assert worker.activity.friendly_name == "Offline"
    assert recorded_events() == ["reservation.rejected", "worker.activity.update"]
    assert factories.status(offer.task) == "pending"


def test_rejecting_offers_together_with_an_available_activity_is_refused(
    workspace: models.Workspace,
) -> None:
    worker = factories.worker(workspace)
    with pytest.raises(InvalidInput):
        go(worker, "Lunch", reject_pending_reservations=True)  # created as an available one


def test_offers_survive_a_move_between_available_activities(workspace: models.Workspace) -> None:
    worker = factories.worker(workspace)
    offer = factories.offered(workspace)
    go(worker, "Back office")
    assert factories.status(offer) == "pending"


def test_accepted_work_does_not_keep_a_worker_from_leaving(workspace: models.Workspace) -> None:
    worker = factories.worker(workspace)
    factories.accepted(workspace)
    assert go(worker, "Offline").activity.friendly_name == "Offline"


def test_an_activity_of_another_workspace_is_refused(workspace: models.Workspace) -> None:
    worker = factories.worker(workspace)
    elsewhere = factories.activity(factories.workspace())
    with pytest.raises(InvalidInput, match="another workspace"):
        workers.set_activity(worker=worker, activity=elsewhere, actor=SYSTEM, now=NOW)


def test_a_worker_with_work_in_hand_cannot_be_deleted(workspace: models.Workspace) -> None:
    worker = factories.worker(workspace)
    offer = factories.offered(workspace)
    with pytest.raises(InUse):
        workers.delete_worker(worker=worker, actor=SYSTEM, now=NOW)
    from routing.actions import task_transitions

    task_transitions.cancel_task(task=offer.task, actor=SYSTEM, now=NOW)
    workers.delete_worker(worker=worker, actor=SYSTEM, now=NOW)
    assert not models.Worker.objects.exists()


def test_a_stale_version_is_refused(workspace: models.Workspace) -> None:
    worker = factories.worker(workspace)
    workers.update_worker(worker=worker, attributes='{"a": 1}', actor=SYSTEM, now=NOW, if_version=0)
    with pytest.raises(StaleState):
        workers.update_worker(
            worker=worker, attributes='{"a": 2}', actor=SYSTEM, now=NOW, if_version=0
        )
