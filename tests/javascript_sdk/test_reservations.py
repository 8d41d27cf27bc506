"""The life of offers, by the published SDK."""

from __future__ import annotations

import pytest

from tests.javascript_sdk.conftest import Office
from tests.javascript_sdk.node import SdkError
from tests.supervisors.door import Supervisor


def test_an_offer_contains_its_complete_task(office: Office) -> None:
    session = office.open_session(office.worker())
    task = office.task(attributes='{"subject": "refund", "order": 1207}', priority=3)
    offer = session.next_event("reservationCreated")
    assert (offer["status"], offer["timeout"], offer["version"]) == ("pending", 120, "0")
    shown = offer["task"]
    assert shown["sid"] == task.sid
    assert shown["attributes"] == {"subject": "refund", "order": 1207}
    assert (shown["status"], shown["priority"], shown["queueName"]) == ("reserved", 3, "Chats")
    assert (shown["workflowName"], shown["taskChannelUniqueName"]) == ("All", "chat")
    assert shown["dateCreated"][:19] == task.date_created.isoformat()[:19]


def test_an_accepted_offer_is_wrapped_up_and_completed(office: Office) -> None:
    session = office.open_session(office.worker())
    office.task()
    sid = session.next_event("reservationCreated")["sid"]
    assert session.call("accept", reservation=sid)["status"] == "accepted"
    accepted = session.next_event("reservation.accepted")
    assert (accepted["version"], accepted["task"]["status"]) == ("1", "assigned")
    session.call("wrap", reservation=sid)
    assert session.next_event("reservation.wrapup")["task"]["status"] == "wrapping"
    session.call("complete", reservation=sid)
    assert session.next_event("reservation.completed")["task"]["status"] == "completed"
    assert session.next_event("task.completed")
    assert session.read_state()["reservations"] == {}


def test_methods_of_a_task_change_its_reservation(office: Office) -> None:
    session = office.open_session(office.worker())
    task = office.task()
    sid = session.next_event("reservationCreated")["sid"]
    session.call("accept", reservation=sid)
    before = session.next_event("reservation.accepted")["task"]["version"]
    session.call("setAttributes", {"checked": True}, reservation=sid, on="task")
    updated = session.next_event("task.updated")
    assert updated["attributes"] == {"checked": True}
    assert int(updated["version"]) == int(before) + 1
    session.call(
        "setVirtualStartTime", {"date": "2026-01-01T00:00:00Z"}, reservation=sid, on="task"
    )
    assert session.next_event("task.updated")["virtualStartTime"] == "2026-01-01T00:00:00.000Z"
    session.call("wrapUp", {"reason": "notes"}, reservation=sid, on="task")
    assert session.next_event("task.wrapup")["reason"] == "notes"
    assert session.next_event("reservation.wrapup")["task"]["reason"] == "notes"
    session.call("complete", "solved", reservation=sid, on="task")
    assert session.next_event("task.completed")["reason"] == "solved"
    session.next_event("reservation.completed")
    assert office.rest.tasks(task.sid).fetch().reason == "solved"


def test_a_start_in_the_future_is_refused(office: Office) -> None:
    session = office.open_session(office.worker())
    office.task()
    sid = session.next_event("reservationCreated")["sid"]
    session.call("accept", reservation=sid)
    with pytest.raises(SdkError, match=r"status code 400.*future"):
        session.call(
            "setVirtualStartTime", {"date": "2999-01-01T00:00:00Z"}, reservation=sid, on="task"
        )


def test_a_rejected_task_is_offered_to_the_next_worker_and_the_activity_is_set(
    office: Office,
) -> None:
    alice = office.worker()
    session = office.open_session(alice)
    office.task()
    sid = session.next_event("reservationCreated")["sid"]
    away = office.activities["Offline"]
    assert session.call("reject", {"activitySid": away}, reservation=sid)["status"] == "rejected"
    rejected = session.next_event("reservation.rejected")
    assert (rejected["sid"], rejected["task"]["status"]) == (sid, "pending")
    assert session.next_event("activityUpdated")["activity"]["name"] == "Offline"
    bob = office.open_session(office.worker("Bob", activity="Offline"))
    bob.call("setAsCurrent", activity=office.activities["Available"])
    assert bob.next_event("reservationCreated")["task"]["sid"] == rejected["task"]["sid"]


def test_an_offer_without_an_answer_times_out(office: Office) -> None:
    office.workflow.update(task_reservation_timeout=1)
    session = office.open_session(office.worker())
    office.task()
    sid = session.next_event("reservationCreated")["sid"]
    timed_out = session.next_event("reservation.timeout")
    assert (timed_out["sid"], timed_out["task"]["status"]) == (sid, "pending")
    assert session.next_event("activityUpdated")["activity"]["name"] == "Offline"
    assert session.read_state()["reservations"] == {}


def test_the_slower_of_two_offered_workers_gets_the_event_rescinded(
    office: Office,
) -> None:
    office.rest.task_queues(office.queue.sid).update(max_reserved_workers=2)
    alice, bob = office.open_session(office.worker()), office.open_session(office.worker("Bob"))
    office.task()
    hers, his = (each.next_event("reservationCreated")["sid"] for each in (alice, bob))
    alice.call("accept", reservation=hers)
    rescinded = bob.next_event("reservation.rescinded")
    assert (rescinded["sid"], rescinded["task"]["status"]) == (his, "assigned")
    assert alice.next_event("reservation.accepted")["sid"] == hers
    assert not bob.unread_events("reservation.accepted")


def test_canceling_a_task_by_rest_withdraws_its_offer(office: Office) -> None:
    session = office.open_session(office.worker())
    task = office.task()
    sid = session.next_event("reservationCreated")["sid"]
    office.rest.tasks(task.sid).update(assignment_status="canceled", reason="hung up")
    canceled = session.next_event("reservation.canceled")
    assert (canceled["sid"], canceled["task"]["status"]) == (sid, "canceled")
    assert session.next_event("task.canceled")["reason"] == "hung up"


def test_deleting_a_task_withdraws_its_offer(office: Office) -> None:
    session = office.open_session(office.worker())
    task = office.task()
    sid = session.next_event("reservationCreated")["sid"]
    office.rest.tasks(task.sid).delete()
    assert session.next_event("reservation.canceled")["sid"] == sid
    assert session.read_state()["reservations"] == {}


def test_deleting_a_task_ends_its_reservation(office: Office) -> None:
    session = office.open_session(office.worker())
    task = office.task()
    sid = session.next_event("reservationCreated")["sid"]
    session.call("accept", reservation=sid)
    office.rest.tasks(task.sid).delete()
    assert session.next_event("reservation.completed")["sid"] == sid
    assert session.read_state()["reservations"] == {}


def test_a_task_that_a_supervisor_takes_back_ends_as_a_completed_reservation(
    office: Office,
) -> None:
    alice = office.worker(chat=1)
    session = office.open_session(alice, enableVersionCheck=True)
    task = office.task()
    sid = session.next_event("reservationCreated")["sid"]
    session.call("accept", reservation=sid)
    session.next_event("reservation.accepted")
    lead = Supervisor(office.server, office.sid)
    # Without a slot, or she would be offered the task again at once.
    office.set_capacity(alice, "chat", capacity=0)
    session.next_event("channel.capacityUpdated")
    assert lead.act("tasks.take_back", [task.sid], reason="Alice has left")["ok"]
    ended = session.next_event("reservation.completed")
    assert (ended["sid"], ended["status"]) == (sid, "completed")
    assert ended["task"]["status"] == "pending"
    assert session.read_state()["reservations"] == {}
    with pytest.raises(SdkError, match="knows no"):
        session.call("complete", "solved", reservation=sid, on="task")
    # The session goes on: its version is still the server's, and the next offer reaches it.
    session.call("setAttributes", {"step": 1})
    session.next_event("attributesUpdated")
    office.set_capacity(alice, "chat", capacity=1)
    again = session.next_event("reservationCreated")
    assert (again["task"]["sid"], again["sid"] == sid) == (task.sid, False)
    session.call("accept", reservation=again["sid"])
    session.next_event("reservation.accepted")
    session.call("complete", "solved", reservation=again["sid"], on="task")
    session.next_event("task.completed")
    shown = office.rest.tasks(task.sid).fetch()
    assert (shown.assignment_status, shown.reason) == ("completed", "solved")


def test_a_task_in_wrap_up_is_taken_back_without_a_completion_of_the_task(office: Office) -> None:
    alice = office.worker(chat=1)
    session = office.open_session(alice)
    task = office.task()
    sid = session.next_event("reservationCreated")["sid"]
    session.call("accept", reservation=sid)
    session.call("wrap", reservation=sid)
    session.next_event("reservation.wrapup")
    lead = Supervisor(office.server, office.sid)
    assert lead.act("tasks.take_back", [task.sid], reason="stuck")["ok"]
    assert session.next_event("reservation.completed")["task"]["status"] == "pending"
    # Alice is free, so the task comes to her again; before that, nothing told of its end.
    assert session.next_event("reservationCreated")["task"]["sid"] == task.sid
    assert not session.unread_events("task.completed")


def test_an_answer_to_an_ended_offer_is_refused_with_the_reason(office: Office) -> None:
    alice = office.worker()
    session = office.open_session(alice)
    office.task()
    sid = session.next_event("reservationCreated")["sid"]
    office.rest.workers(alice.sid).reservations(sid).update(reservation_status="accepted")
    with pytest.raises(SdkError, match=r"status code 400.*already in state \[accepted\]") as said:
        session.call("accept", reservation=sid)
    assert said.value.name == "REQUEST_INVALID"


def test_the_latest_version_of_a_reservation_is_fetched_with_its_task(office: Office) -> None:
    session = office.open_session(office.worker())
    office.task()
    sid = session.next_event("reservationCreated")["sid"]
    fetched = session.call("fetchLatestVersion", reservation=sid)
    assert (fetched["status"], fetched["timeout"]) == ("pending", 120)
    assert session.call("fetchLatestVersion", reservation=sid, on="task")["status"] == "reserved"
    assert session.call("fetchLatestVersion")["activity"]["name"] == "Available"


@pytest.mark.parametrize(
    ("method", "arguments", "on"),
    [
        ("call", ["+372", "http://127.0.0.1/x"], ""),
        ("dequeue", [{}], ""),
        ("redirect", ["CA" + "0" * 32, "http://127.0.0.1/x"], ""),
        ("conference", [{}], ""),
        ("updateParticipant", [{"mute": True}], ""),
        ("hold", ["WK" + "0" * 32, True], "task"),
        ("kick", ["WK" + "0" * 32], "task"),
        ("updateParticipant", [{"hold": True}], "task"),
    ],
)
def test_voice_calls_are_refused_with_a_message(
    office: Office, method: str, arguments: list[object], on: str
) -> None:
    session = office.open_session(office.worker())
    office.task()
    sid = session.next_event("reservationCreated")["sid"]
    with pytest.raises(SdkError, match=r"status code 501.*not supported by this server") as said:
        session.call(method, *arguments, reservation=sid, on=on)
    assert said.value.name == "SERVER_ERROR"
