"""A worker's session of the published SDK: its lists, activities, attributes and channels."""

from __future__ import annotations

import pytest

from tests.javascript_sdk.conftest import Office
from tests.javascript_sdk.node import SdkError


def test_a_session_becomes_ready_with_its_lists(office: Office) -> None:
    alice = office.worker(chat=3)
    seen = office.open_session(alice).read_state()
    assert seen["sid"] == alice.sid
    assert {each["name"] for each in seen["activities"].values()} == set(office.activities)
    capacities = {c["taskChannelUniqueName"]: c["capacity"] for c in seen["channels"].values()}
    assert capacities == {"default": 1, "voice": 1, "sms": 1, "video": 1, "chat": 3}


def test_a_session_that_begins_during_work_has_the_open_reservations(office: Office) -> None:
    alice = office.worker(chat=2)
    office.task()
    earlier = office.open_session(alice)
    offer = office.wait_for_offer(alice)
    earlier.call("accept", reservation=offer)
    (found,) = office.open_session(alice).read_state()["reservations"].values()
    assert (found["sid"], found["status"]) == (offer, "accepted")
    assert found["task"]["status"] == "assigned"


def test_every_session_gets_a_change_of_activity(office: Office) -> None:
    alice = office.worker()
    first, second = office.open_session(alice), office.open_session(alice)
    first.call("setAsCurrent", activity=office.activities["Offline"])
    for session in (first, second):
        heard = session.next_event("activityUpdated")
        assert heard["activity"]["name"] == "Offline"
        assert heard["available"] is False
    first.call("setAsCurrent", activity=office.activities["Offline"])
    assert office.rest.workers(alice.sid).fetch().activity_name == "Offline"


def test_a_session_can_begin_in_an_activity(office: Office) -> None:
    alice = office.worker(activity="Offline")
    session = office.open_session(alice, connectActivitySid=office.activities["Available"])
    assert session.next_event("activityUpdated")["activity"]["name"] == "Available"


def test_a_worker_may_leave_only_if_open_offers_are_rejected(office: Office) -> None:
    alice = office.worker()
    session = office.open_session(alice)
    office.task()
    offer = session.next_event("reservationCreated")["sid"]
    away = office.activities["Offline"]
    with pytest.raises(SdkError, match=r"status code 400.*pending reservations"):
        session.call("setAsCurrent", activity=away)
    session.call("setAsCurrent", {"rejectPendingReservations": True}, activity=away)
    assert session.next_event("reservation.rejected")["sid"] == offer
    assert session.next_event("activityUpdated")["activity"]["name"] == "Offline"


def test_attributes_are_objects_on_both_sides(office: Office) -> None:
    alice = office.worker()
    session = office.open_session(alice)
    session.call("setAttributes", {"languages": ["et", "日本語"], "level": 2.5})
    assert session.next_event("attributesUpdated")["attributes"] == {
        "languages": ["et", "日本語"],
        "level": 2.5,
    }


def test_a_change_of_a_channel_by_rest_reaches_the_session(office: Office) -> None:
    alice = office.worker(chat=1)
    session = office.open_session(alice)
    office.set_capacity(alice, "chat", capacity=4)
    assert session.next_event("channel.capacityUpdated")["capacity"] == 4
    office.set_capacity(alice, "chat", available=False)
    heard = session.next_event("channel.availabilityUpdated")
    assert (heard["available"], heard["taskChannelUniqueName"]) == (False, "chat")


def test_a_multitasking_worker_is_offered_the_capacity_of_each_channel(office: Office) -> None:
    session = office.open_session(office.worker(chat=2, sms=1))
    for channel in ("chat", "chat", "chat", "sms", "sms"):
        office.task(task_channel=channel)
    offers = [session.next_event("reservationCreated") for _ in range(3)]
    assert sorted(each["task"]["taskChannelUniqueName"] for each in offers) == [
        "chat",
        "chat",
        "sms",
    ]
    for each in offers:
        session.call("accept", reservation=each["sid"])
        session.next_event("reservation.accepted", each["sid"])
    assert not session.unread_events("reservationCreated")
    done = next(o for o in offers if o["task"]["taskChannelUniqueName"] == "chat")
    session.call("complete", "solved", reservation=done["sid"], on="task")
    refill = session.next_event("reservationCreated")
    assert refill["task"]["taskChannelUniqueName"] == "chat"


def test_checked_writes_succeed_after_every_kind_of_change(office: Office) -> None:
    alice = office.worker(chat=1)
    session = office.open_session(alice, enableVersionCheck=True)
    office.task()
    offer = session.next_event("reservationCreated")["sid"]
    office.set_capacity(alice, "chat", capacity=2)
    session.next_event("channel.capacityUpdated")
    office.set_capacity(alice, "sms", available=False)
    session.next_event("channel.availabilityUpdated")
    session.call("setAttributes", {"step": 1})
    session.next_event("attributesUpdated")
    session.call("accept", reservation=offer)
    session.next_event("reservation.accepted")
    session.call("setAsCurrent", activity=office.activities["Unavailable"])
    session.next_event("activityUpdated")
    session.call("setAttributes", {"step": 2}, reservation=offer, on="task")
    session.next_event("task.updated")
    session.call("wrapUp", {"reason": "notes"}, reservation=offer, on="task")
    session.next_event("reservation.wrapup")
    session.next_event("task.wrapup")
    session.call("complete", "done", reservation=offer, on="task")
    session.next_event("reservation.completed")
    session.call("setAttributes", {"step": 3})
    shown = office.rest.workers(alice.sid).fetch()
    assert shown.attributes == '{"step":3}'


def test_a_stale_version_is_refused(office: Office) -> None:
    alice = office.worker()
    session = office.open_session(alice, enableVersionCheck=True)
    office.task()
    offer = session.next_event("reservationCreated")["sid"]
    office.rest.workers(alice.sid).reservations(offer).update(reservation_status="accepted")
    session.next_event("reservation.accepted")
    office.rest.tasks(office.rest.workers(alice.sid).reservations(offer).fetch().task_sid).update(
        attributes='{"newer": true}'
    )
    with pytest.raises(SdkError, match="status code 412"):
        session.node.call(
            session.name,
            "setAttributes",
            args=[{"older": True}],
            reservation=offer,
            on="task",
            stale=True,
        )


def test_a_task_that_a_worker_creates_for_themselves_is_offered(office: Office) -> None:
    alice = office.worker()
    session = office.open_session(alice)
    options = {"attributes": {"subject": "call back"}, "taskChannelUniqueName": "voice"}
    made = session.call(
        "createTask", "customer", "support", office.workflow.sid, office.queue.sid, options
    )
    offer = session.next_event("reservationCreated")
    assert offer["task"]["sid"] == made
    assert offer["task"]["attributes"] == {
        "subject": "call back",
        "outbound_to": "customer",
        "from": "support",
    }
    assert offer["task"]["routingTarget"] == alice.sid


def test_a_task_for_one_worker_that_times_out_is_reported(office: Office) -> None:
    alice = office.worker(activity="Offline")
    session = office.open_session(alice)
    task = office.task(routing_target=alice.sid, ignore_capacity=False, timeout=1)
    failed = session.next_event("reservationFailed")
    assert (failed["sid"], failed["assignment_status"]) == (task.sid, "canceled")


def test_a_new_activity_is_known_to_open_sessions_soon(office: Office) -> None:
    alice = office.worker()
    session = office.open_session(alice)
    lunch = office.rest.activities.create(friendly_name="Lunch", available=False)
    office.rest.workers(alice.sid).update(activity_sid=lunch.sid)
    session.next_event("disconnected")
    session.next_event("ready")
    assert session.read_state()["activity"]["name"] == "Lunch"
