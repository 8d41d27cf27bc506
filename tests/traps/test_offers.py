"""Traps of offers: several at once, late answers, rejections, expiry."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing import models
from routing.actions import activities, reservations, workers
from routing.actions.support.errors import InvalidInput, NotNow
from routing.actors import SYSTEM
from routing.core.clock import microseconds
from tests import factories
from tests.api.conftest import Api
from tests.factories import NOW, later
from tests.worlds.world import World

Happened = Callable[[], list[str]]


def test_leaving_stops_new_offers_and_running_work_can_be_completed(office: World) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 2})
    office.task("running")
    office.run()
    office.answer("alice", "running", "accepted")
    office.sign("alice", available=False)
    office.task("new")
    office.run()
    assert office.status("new") == "pending"
    office.answer("alice", "running", "completed")
    assert office.status("running") == "completed"
    office.run()
    assert office.status("new") == "pending"


def test_an_expired_offer_blocks_all_channels_even_with_multitasking(
    office: World,
) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice", capacity={"chat": 2})
    office.task("ignored")
    office.run()
    office.wait(120)
    assert not office.is_available("alice")
    office.task("call", channel="voice")
    office.run()
    assert office.status("call") == "pending"
    office.sign("alice", available=True)
    office.run()
    assert sorted(office.offers("alice")) == ["call", "ignored"]


def test_an_expired_offer_leads_to_the_workspaces_timeout_activity(
    workspace: models.Workspace,
) -> None:
    worker = factories.worker(workspace)
    factories.offered(workspace)
    factories.run(workspace, later(120))
    worker.refresh_from_db()
    assert worker.activity == workspace.timeout_activity


def test_the_only_worker_gets_the_same_offer_again_after_a_rejection(
    office: World,
) -> None:
    office.workflow(default=office.queue("support"))
    office.worker("alice")
    office.task("a")
    for _ in range(3):
        office.run()
        assert office.offers("alice") == ["a"]
        office.answer("alice", "a", "rejected")
        assert office.is_available("alice")


def test_rejecting_what_is_pending_while_staying_available_is_refused(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    offer = factories.offered(workspace)
    lunch = factories.activity(workspace, "Unavailable")
    ready = activities.create_activity(
        workspace=workspace, friendly_name="Ready", available=True, actor=SYSTEM, now=NOW
    )
    recorded_events()

    def move(activity: models.Activity) -> None:
        workers.set_activity(
            worker=worker,
            activity=activity,
            reject_pending_reservations=True,
            actor=SYSTEM,
            now=NOW,
        )

    with pytest.raises(InvalidInput):
        move(ready)
    assert recorded_events() == []
    assert factories.status(offer) == "pending"
    move(lunch)
    assert factories.status(offer) == "rejected"


def test_by_request_it_is_a_400(api: Api, workspace: models.Workspace, root: str) -> None:
    worker = factories.worker(workspace)
    ready = factories.activity(workspace, "Ready")
    path = f"{root}/Workers/{worker.sid}"
    answer = api.post(path, ActivitySid=ready.sid, RejectPendingReservations="true")
    assert (answer.status, answer["code"]) == (400, 20001)
    assert api.post(path, ActivitySid=ready.sid).status == 200


def test_offers_survive_a_move_between_available_activities(
    workspace: models.Workspace,
) -> None:
    worker = factories.worker(workspace)
    offer = factories.offered(workspace)
    ready = factories.activity(workspace, "Ready")
    workers.set_activity(worker=worker, activity=ready, actor=SYSTEM, now=NOW)
    assert factories.status(offer) == "pending"
    reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    assert factories.status(offer.task) == "assigned"


def test_a_move_to_an_unavailable_activity_with_offers_is_refused_by_default(
    workspace: models.Workspace,
) -> None:
    worker = factories.worker(workspace)
    factories.offered(workspace)
    with pytest.raises(NotNow, match="1 pending reservations"):
        workers.set_activity(
            worker=worker, activity=factories.activity(workspace, "Offline"), actor=SYSTEM, now=NOW
        )


def test_two_eligible_workers_of_five_wanted_get_two_offers_counted_once(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    factories.workflow(workspace, default=factories.queue(workspace, max_reserved_workers=5))
    for _ in range(2):
        factories.worker(workspace)
    task = factories.task(workspace)
    recorded_events()
    factories.run(workspace)
    assert recorded_events() == ["reservation.created", "reservation.created"]
    # A worker who comes now is not added to a task that is on offer already.
    factories.worker(workspace)
    factories.run(workspace)
    assert task.reservations.count() == 2
    task.refresh_from_db()
    assert task.assignments == 1


@pytest.fixture
def siblings(workspace: models.Workspace) -> list[models.Reservation]:
    """Return the two offers of one task, which stand long enough for any test."""
    factories.workflow(workspace, default=factories.queue(workspace, max_reserved_workers=2))
    factories.worker(workspace)
    factories.worker(workspace)
    task = factories.task(workspace)
    factories.run(workspace)
    models.Reservation.objects.update(deadline_us=microseconds(later(10**9)))
    return list(task.reservations.select_related("task").order_by("pk"))


def path_of(reservation: models.Reservation) -> str:
    workspace = reservation.workspace.sid
    return f"Workspaces/{workspace}/Tasks/{reservation.task.sid}/Reservations/{reservation.sid}"


def test_accepting_one_offer_rescinds_the_other_and_a_late_accept_gets_410(
    api: Api, siblings: list[models.Reservation]
) -> None:
    first, second = siblings
    before = factories.last_event()
    assert api.post(path_of(first), ReservationStatus="accepted").status == 200
    assert factories.event_types(before) == ["reservation.accepted", "reservation.rescinded"]
    late = api.post(path_of(second), ReservationStatus="accepted")
    assert (late.status, late["code"]) == (410, 20410)
    assert factories.status(first.task) == "assigned"


def test_a_task_is_reserved_until_the_last_of_its_offers_has_ended(office: World) -> None:
    office.workflow(default=office.queue("support", max_reserved_workers=3))
    for name in ("alice", "bob", "carol"):
        office.worker(name)
    office.task("a")
    office.run()
    office.answer("alice", "a", "rejected")
    office.answer("bob", "a", "rejected")
    assert office.status("a") == "reserved"
    # No worker is added in the place of those who rejected.
    office.run()
    assert [office.offers(name) for name in ("alice", "bob", "carol")] == [[], [], ["a"]]
    office.answer("carol", "a", "rejected")
    assert office.status("a") == "pending"


def test_of_two_accepts_of_one_offer_one_gets_200_and_the_other_400(
    api: Api, siblings: list[models.Reservation]
) -> None:
    path = path_of(siblings[0])
    answers = [api.post(path, ReservationStatus="accepted") for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 400]
    assert answers[1]["code"] == 20001


def test_an_accept_with_an_outdated_reservation_is_refused(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    factories.worker(workspace)
    offer = factories.offered(workspace)
    seen_before = models.Reservation.objects.get(pk=offer.pk)
    reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    recorded_events()
    with pytest.raises(NotNow, match=r"\[accepted\] and cannot go to \[accepted\]"):
        reservations.accept_reservation(reservation=seen_before, actor=SYSTEM, now=NOW)
    assert recorded_events() == []


def test_the_first_to_accept_frees_the_other(office: World) -> None:
    office.workflow(default=office.queue("support", max_reserved_workers=2))
    office.worker("a")
    office.worker("b")
    office.task("t")
    office.run()
    assert (office.offers("a"), office.offers("b")) == (["t"], ["t"])
    assert office.percentage("b", "chat") == 0
    office.answer("a", "t", "accepted")
    assert office.offers("b") == []
    assert office.percentage("b", "chat") == 100
