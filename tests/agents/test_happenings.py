"""The list "What happened": what is on it, what is not, and how it is dismissed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from agents import happenings
from routing import models
from routing.actions import (
    dismissals,
    reservations,
    task_transitions,
    tasks,
    transfers,
    worker_channels,
    workers,
)
from routing.actors import SYSTEM, Actor
from tests import factories
from tests.agents.conftest import Desk, Floor, make_floor
from tests.agents.sockets import ask, do, event, opened

API = Actor(type="api-key", sid="SK1", source="api")
OLGA = Actor(type="user", sid="olga", source="admin")


@pytest.fixture
def floor(floor: Floor) -> Floor:
    """Return the floor once both agents have opened a desk."""
    open_desks(floor)
    return floor


def open_desks(floor: Floor) -> None:
    """Begin the lists of both agents."""
    for desk in (floor.alice, floor.bob):
        desk.get()


def acting(desk: Desk) -> Actor:
    """Return the actor of an agent at the desk."""
    return Actor(type="worker", sid=desk.worker.sid, source="desk")


def panel(desk: Desk, now: datetime | None = None) -> happenings.HappenedPanel:
    """Return an agent's list."""
    worker = models.Worker.objects.select_related("workspace", "activity").get(pk=desk.worker.pk)
    return happenings.load_panel(worker, now=now or timezone.now())


def told(desk: Desk, now: datetime | None = None) -> list[str]:
    """Return the sentences on an agent's list, newest first."""
    shown = panel(desk, now)
    return [row.sentence for row in [*([shown.pinned] if shown.pinned else []), *shown.rows]]


def bring_bob(floor: Floor) -> None:
    """Make Bob available."""
    workers.set_activity(
        worker=floor.bob.worker,
        activity=factories.activity(floor.workspace),
        actor=acting(floor.bob),
        now=timezone.now(),
    )


# --- What is told -----------------------------------------------------------------------------


def test_what_a_supervisor_does_is_told_with_their_name_and_the_task_s_title(floor: Floor) -> None:
    User.objects.create_user("olga", first_name="Olga", last_name="Petrova")
    by: dict[str, Any] = {"actor": OLGA, "now": timezone.now()}
    offer = floor.offered(attributes={"subject": "Parcel", "customer": "Ada"})
    task_transitions.cancel_task(task=offer.task, reason="duplicate", **by)
    held = floor.accepted(attributes={"customer": "Ada"})
    reservations.wrap_up_reservation(reservation=held, **by)
    reservations.complete_reservation(reservation=held, **by)
    tasks.delete_task(task=floor.accepted(attributes={}).task, **by)
    chat = factories.worker_channel(floor.alice.worker)
    worker_channels.update_worker_channel(
        channel=chat, configured_capacity=5, available=False, **by
    )
    away = factories.activity(floor.workspace, "Offline")
    workers.set_activity(worker=floor.alice.worker, activity=away, **by)
    # The factory accepts for her.
    assert [line for line in told(floor.alice) if "accepted" not in line] == [
        "Supervisor Olga Petrova set you to “Offline”.",
        "Supervisor Olga Petrova switched Chat off for you.",
        "Supervisor Olga Petrova changed your capacity for Chat from 3 to 5.",
        "Supervisor Olga Petrova removed “Chat task” from your tasks.",
        "Supervisor Olga Petrova completed “Ada”.",
        "Supervisor Olga Petrova began to wrap up “Ada”.",
        "Supervisor Olga Petrova canceled “Parcel”: duplicate",
    ]
    assert told(floor.bob) == []


def test_what_the_agent_does_is_not_told_wherever_they_did_it(floor: Floor) -> None:
    offer = floor.offered()
    floor.alice.press("reservation.accept", reservation=offer.sid)
    floor.alice.press("task.complete", task=offer.task.sid)
    floor.alice.press("reservation.reject", reservation=floor.offered().sid)
    # In the admin, as the supervisor that they are, too.
    as_user = Actor(type="user", sid=floor.alice.user.username, source="admin")
    held = floor.offered()
    floor.alice.press("reservation.accept", reservation=held.sid)
    task_transitions.complete_task(task=held.task, actor=as_user, now=timezone.now())
    # By the worker SDK.
    sdk = Actor(type="worker", sid=floor.alice.worker.sid, source="sdk")
    away = factories.activity(floor.workspace, "Offline")
    workers.set_activity(
        worker=floor.alice.worker,
        activity=away,
        reject_pending_reservations=True,
        actor=sdk,
        now=timezone.now(),
    )
    assert told(floor.alice) == []


def test_an_offer_that_a_colleague_accepts_first_names_the_colleague(floor: Floor) -> None:
    bring_bob(floor)
    floor.queue.max_reserved_workers = 2
    floor.queue.save()
    offer = floor.offered(attributes={"subject": "Parcel"})
    theirs = models.Reservation.objects.get(task=offer.task, worker=floor.bob.worker)
    floor.bob.press("reservation.accept", reservation=theirs.sid)
    assert told(floor.alice) == ["Bob accepted “Parcel” first."]
    assert told(floor.bob) == []


@pytest.mark.parametrize(
    ("answer", "to_alice", "to_bob"),
    [
        ("accept", ["Bob accepted “Parcel” from you."], []),
        ("decline", ["Bob declined “Parcel”. It is yours again."], []),
        ("take back", [], ["Alice took the transfer of “Parcel” back."]),
        (
            "time out",
            ["Bob did not answer in time. “Parcel” is yours again."],
            ["You missed “Parcel” and were set to “Offline”."],
        ),
    ],
)
def test_the_end_of_a_transfer_is_told_once_to_the_other(
    floor: Floor, answer: str, to_alice: list[str], to_bob: list[str]
) -> None:
    bring_bob(floor)
    offer = floor.offered(attributes={"subject": "Parcel"})
    floor.alice.press("reservation.accept", reservation=offer.sid)
    floor.alice.press("task.transfer", task=offer.task.sid, to=floor.bob.worker.sid)
    theirs = models.Reservation.objects.get(task=offer.task, worker=floor.bob.worker)
    now = timezone.now()
    match answer:
        case "accept":
            floor.bob.press("reservation.accept", reservation=theirs.sid)
        case "decline":
            floor.bob.press("reservation.reject", reservation=theirs.sid)
        case "take back":
            floor.alice.press("task.cancel_transfer", task=offer.task.sid)
        case _:
            now += timedelta(seconds=200)
            floor.run(now)
    assert told(floor.alice, now) == to_alice
    assert told(floor.bob, now) == to_bob


def test_a_queue_that_does_not_accept_a_transfer_is_named(floor: Floor) -> None:
    held = floor.accepted(attributes={"subject": "Parcel"})
    now = timezone.now()
    transfers.begin_transfer(
        reservation=held, to=floor.queue.sid, actor=acting(floor.alice), now=now
    )
    floor.run(now + timedelta(seconds=200))
    assert told(floor.alice, now)[0] == (
        "No agent of Chats accepted “Parcel” in time. It is yours again."
    )


def test_what_was_before_the_first_desk_is_not_told(floor: Floor) -> None:
    models.Dismissals.objects.all().delete()
    factories.set_capacity(floor.alice.worker, configured_capacity=9)
    task_transitions.cancel_task(task=floor.offered().task, actor=API, now=timezone.now())
    assert "What happened" in floor.alice.get()
    assert told(floor.alice) == []
    task_transitions.cancel_task(task=floor.offered().task, actor=API, now=timezone.now())
    floor.alice.get()
    assert len(told(floor.alice)) == 1


# --- A missed offer ---------------------------------------------------------------------------


def miss(floor: Floor, subject: str = "Parcel") -> models.Reservation:
    """Offer Alice a task that she does not answer in time."""
    offer = floor.offered(
        attributes={"subject": subject}, now=timezone.now() - timedelta(seconds=200)
    )
    floor.run()
    return offer


def test_a_missed_offer_stays_with_the_way_back_until_the_agent_is_back(floor: Floor) -> None:
    miss(floor)
    html = floor.alice.get("panels/happened")
    assert "You missed “Parcel” and were set to “Offline”." in html
    assert "Back to Available" in html
    shown = panel(floor.alice)
    assert shown.back is not None
    assert (shown.rows, shown.total) == ([], 1)
    floor.alice.press("worker.set_activity", activity=shown.back.sid)
    shown = panel(floor.alice)
    assert (shown.pinned, shown.back) == (None, None)
    assert [row.is_missed for row in shown.rows] == [True]
    # Who leaves by themselves later is not asked to come back because of it.
    away = factories.activity(floor.workspace, "Offline")
    floor.alice.press("worker.set_activity", activity=away.sid)
    assert panel(floor.alice).pinned is None


def test_the_way_back_leads_to_the_activity_before_if_it_still_takes_work(floor: Floor) -> None:
    calm = factories.activity(floor.workspace, "Zen mode")
    floor.alice.press("worker.set_activity", activity=calm.sid)
    miss(floor)
    assert panel(floor.alice).back == calm
    calm.delete()
    back = panel(floor.alice).back
    assert back is not None
    assert back.friendly_name == "Available"


def test_an_agent_whose_desk_was_gone_is_told_and_may_come_back(floor: Floor) -> None:
    floor.offered(attributes={"subject": "Parcel"})
    no_desk = Actor(type="system", source="desk")
    workers.sign_off_worker(worker=floor.alice.worker, actor=no_desk, now=timezone.now())
    assert told(floor.alice) == [
        "You had no desk open, so Cordboard set you to “Offline”.",
        "You had no desk open, so Cordboard took the offer of “Parcel” back.",
    ]
    assert panel(floor.alice).back is not None


# --- How long it is told ------------------------------------------------------------------------


def test_lines_are_dismissed_one_by_one_and_all_at_once(floor: Floor) -> None:
    for number in range(4):
        task_transitions.cancel_task(
            task=floor.offered(attributes={"subject": f"No {number}"}).task,
            actor=API,
            now=timezone.now(),
        )
    rows = panel(floor.alice).rows
    assert floor.alice.press("desk.dismiss", event=rows[1].sid) == (200, {"ok": True})
    assert [row.sid for row in panel(floor.alice).rows] == [rows[i].sid for i in (0, 2, 3)]
    # What came after the list was drawn stays.
    floor.alice.press("desk.dismiss", event=rows[2].sid, with_older="true")
    assert told(floor.alice) == ["The API canceled “No 3”."]
    # A line that was dismissed in another tab is no error.
    assert floor.alice.press("desk.dismiss", event=rows[3].sid)[0] == 200
    assert floor.alice.press("desk.dismiss", event="EV" + "0" * 32)[0] == 200
    assert floor.alice.press("desk.dismiss", event="nothing")[0] == 400


def test_no_one_dismisses_what_was_told_to_others(floor: Floor) -> None:
    task_transitions.cancel_task(task=floor.offered().task, actor=API, now=timezone.now())
    (row,) = panel(floor.alice).rows
    floor.bob.press("desk.dismiss", event=row.sid, with_older="true")
    assert panel(floor.alice).rows == [row]
    assert models.Dismissals.objects.get(worker=floor.bob.worker).events == {}


def test_the_list_has_at_most_fifty_lines_and_forgets_after_twelve_hours(floor: Floor) -> None:
    now = timezone.now()
    chat = factories.worker_channel(floor.alice.worker)
    for number in range(130):
        worker_channels.update_worker_channel(
            channel=chat,
            configured_capacity=number % 2 + 1,
            actor=API,
            now=now + timedelta(milliseconds=number),
        )
    later = now + timedelta(seconds=1)
    shown = panel(floor.alice, later)
    assert shown.total == happenings.MOST_ROWS == 50
    assert shown.rows[0].at > shown.rows[-1].at
    assert shown.newest == shown.rows[0]
    # The older ones do not come back once these are dismissed.
    dismissals.dismiss_events(
        worker=floor.alice.worker,
        events=happenings.list_events(
            floor.alice.worker, up_to=shown.rows[0].sid, with_older=True, now=later
        ),
        with_older=True,
        now=later,
    )
    assert panel(floor.alice, later).total == 0
    models.Dismissals.objects.update(until=now, events={})
    assert panel(floor.alice, later).total == 50
    assert panel(floor.alice, later + timedelta(hours=13)).total == 0


def test_dismissals_are_kept_in_a_bounded_row(floor: Floor) -> None:
    now = timezone.now()
    for number in range(250):
        row = dismissals.dismiss_events(
            worker=floor.alice.worker,
            events={f"EV{number:032x}": now + timedelta(seconds=number)},
            now=now,
        )
    assert len(row.events) == dismissals.MOST_KEPT
    # The others count as dismissed by their moment.
    assert row.until == now + timedelta(seconds=250 - dismissals.MOST_KEPT - 1)
    much_later = now + timedelta(hours=13)
    row = dismissals.dismiss_events(worker=floor.alice.worker, events={}, now=much_later)
    assert row.events == {}


def test_an_event_that_becomes_visible_late_is_told_even_after_newer_ones_were_dismissed(
    floor: Floor,
) -> None:
    now = timezone.now()
    chat = factories.worker_channel(floor.alice.worker)

    def change(capacity: int, moment: datetime) -> None:
        worker_channels.update_worker_channel(
            channel=chat, configured_capacity=capacity, actor=API, now=moment
        )

    change(1, now)
    change(2, now + timedelta(milliseconds=9))
    newest = panel(floor.alice).rows[0]
    floor.alice.press("desk.dismiss", event=newest.sid, with_older="true")
    change(5, now + timedelta(milliseconds=4))
    assert len(told(floor.alice)) == 1


# --- Its cost -----------------------------------------------------------------------------------


def test_the_number_of_queries_does_not_depend_on_what_it_shows(
    floor: Floor, django_assert_num_queries: Callable[[int], AbstractContextManager[Any]]
) -> None:
    overhead = 3  # the session, the user, their workers
    with django_assert_num_queries(overhead + 2):
        floor.alice.get("panels/happened")
    User.objects.create_user("olga")
    for number in range(10):
        actor = OLGA if number % 2 else acting(floor.bob)
        task_transitions.cancel_task(task=floor.offered().task, actor=actor, now=timezone.now())
    miss(floor)
    # The names of workers, users and channels, and the activities to go back to.
    with django_assert_num_queries(overhead + 2 + 4):
        floor.alice.get("panels/happened")


@pytest.mark.django_db(transaction=True)
async def test_frames_name_the_list_unless_the_agent_caused_the_event(
    transactional_db: None,
) -> None:
    floor = await do(make_floor)
    await do(open_desks, floor)
    async with opened(floor.alice) as socket, opened(floor.alice) as other:
        offer = await do(floor.offered)
        assert "happened" not in (await event(socket, "reservation.created"))["stale"]
        await ask(other, "reservation.accept", reservation=offer.sid)
        assert "happened" not in (await event(socket, "reservation.accepted"))["stale"]
        await do(task_transitions.complete_task, task=offer.task, actor=API, now=timezone.now())
        assert "happened" in (await event(socket, "reservation.completed"))["stale"]
        (row,) = (await do(panel, floor.alice)).rows
        reply = await ask(other, "desk.dismiss", event=row.sid)
        assert reply["ok"]
        frame = await event(socket, "desk.happenings")
        assert frame == {"event": "desk.happenings", "stale": ["happened"]}
        await do(
            workers.set_activity,
            worker=floor.alice.worker,
            activity=await do(factories.activity, floor.workspace, "Offline"),
            actor=acting(floor.alice),
            now=timezone.now(),
        )
        # The way back may have to go.
        assert "happened" in (await event(socket, "worker.activity.update"))["stale"]
    assert await do(told, floor.alice) == []


def test_a_title_is_shown_as_text_and_not_as_markup(floor: Floor) -> None:
    offer = floor.offered(attributes={"subject": "<b>Parcel</b>"})
    task_transitions.cancel_task(task=offer.task, reason="<i>", actor=SYSTEM, now=timezone.now())
    html = floor.alice.get("panels/happened")
    assert "&lt;b&gt;Parcel&lt;/b&gt;" in html
    assert "<b>" not in html
    assert "<i>" not in html
