"""Messages of one session: none twice, none early, none about unknown reservations."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from routing.sdk.frames import Frame
from routing.sdk.sequencer import MAX_EARLY, OutOfOrder, Sequencer

_numbers = itertools.count()


def reservation(kind: str, version: int, *, sid: str = "WR1", worker_version: int = 9) -> Frame:
    name = f"reservation.{kind}"
    return Frame(
        event_sid=f"EV{next(_numbers)}",
        event_type=name,
        text="",
        reservation_sid=sid,
        version=version,
        worker_version=worker_version,
    )


def capacity(worker_version: int) -> Frame:
    event = "worker.capacity.update"
    return Frame(
        event_sid=f"EV{next(_numbers)}", event_type=event, text="", worker_version=worker_version
    )


def worker(kind: str, version: int, **shown: Any) -> Frame:
    name = f"worker.{kind}.update"
    text = json.dumps({"event_type": name, "payload": {"version": version, **shown}})
    return Frame(
        event_sid=f"EV{next(_numbers)}", event_type=name, text=text, worker_version=version
    )


def task(kind: str, version: int, sid: str = "WT1") -> Frame:
    text = json.dumps({"event_type": f"task.{kind}", "payload": {"sid": sid, "version": version}})
    return Frame(
        event_sid=f"EV{next(_numbers)}",
        event_type=f"task.{kind}",
        text=text,
        version=version,
        task_sid=sid,
    )


def said(frames: list[Frame]) -> list[tuple[str, dict[str, Any]]]:
    read = [json.loads(frame.text) for frame in frames]
    return [(each["event_type"], each["payload"]) for each in read]


def ready(*, listed: dict[str, int] | None = None, worker_version: int | None = None) -> Sequencer:
    order = Sequencer()
    order.record_list(listed or {}, worker_version=worker_version)
    return order


def test_all_events_of_an_offer_are_sent_from_its_creation_to_its_end() -> None:
    order = ready()
    story = [
        reservation("created", 0),
        reservation("accepted", 1),
        reservation("wrapup", 2),
        reservation("completed", 3),
    ]
    assert [order.add_frame(frame) for frame in story] == [[frame] for frame in story]


def test_no_event_is_sent_twice() -> None:
    order = ready()
    first, second = reservation("created", 0), reservation("rejected", 1)
    changed = capacity(5)
    for frame in (first, second, changed):
        assert order.add_frame(frame) == [frame]
    for frame in (first, second, changed):
        assert order.add_frame(frame) == []


def test_an_early_event_waits_for_the_ones_before_it() -> None:
    order = ready()
    created, accepted, done = (
        reservation("created", 0),
        reservation("accepted", 1),
        reservation("completed", 2),
    )
    assert order.add_frame(done) == order.add_frame(accepted) == []
    assert order.is_waiting()
    assert order.add_frame(created) == [created, accepted, done]
    assert not order.is_waiting()


def test_an_event_that_the_list_shows_is_not_sent() -> None:
    order = ready(listed={"WR1": 1}, worker_version=9)
    assert order.add_frame(reservation("created", 0, worker_version=9)) == []
    assert order.add_frame(reservation("accepted", 1)) == []
    wrapped = reservation("wrapup", 2)
    assert order.add_frame(wrapped) == [wrapped]


def test_an_offer_made_between_reading_the_worker_and_the_list_counts_once() -> None:
    order = ready(listed={"WR1": 0}, worker_version=8)
    made = reservation("created", 0, worker_version=9)
    assert order.add_frame(made) == [made]
    assert order.add_frame(capacity(8)) == []
    assert len(order.add_frame(capacity(9))) == 1


def test_a_reservation_that_ended_before_the_lists_were_read_is_not_sent() -> None:
    order = ready(worker_version=9)
    assert order.add_frame(reservation("created", 0, worker_version=7)) == []
    assert order.add_frame(reservation("accepted", 1)) == []
    assert order.add_frame(reservation("completed", 2)) == []
    order = ready()
    assert order.add_frame(reservation("accepted", 1)) == []
    rejected = reservation("completed", 2)
    assert order.add_frame(rejected) == []
    # Its end alone does no harm to an SDK without the reservation.
    assert order.release_ends() == [rejected]
    assert order.add_frame(reservation("created", 0)) == []


def test_a_lasting_gap_makes_the_session_read_its_lists_again() -> None:
    order = ready(listed={"WR1": 0})
    assert order.add_frame(reservation("wrapup", 2)) == []
    with pytest.raises(OutOfOrder):
        order.release_ends()
    order = ready()
    for number in range(MAX_EARLY):
        order.add_frame(reservation("accepted", 1, sid=f"WR{number}"))
    with pytest.raises(OutOfOrder):
        order.add_frame(reservation("accepted", 1, sid="WR"))


def test_a_reservation_that_ended_before_the_lists_is_not_sent_however_late_it_comes() -> None:
    order = ready(worker_version=9)
    assert order.add_frame(reservation("created", 0, sid="WR2", worker_version=10))
    for late in (reservation("created", 0, worker_version=8), capacity(9), worker("activity", 9)):
        assert order.add_frame(late) == []


def test_an_offer_is_not_sent_again_after_its_later_events() -> None:
    order = ready(listed={"WR1": 0}, worker_version=8)
    accepted = reservation("accepted", 1, worker_version=9)
    assert order.add_frame(accepted) == [accepted]
    assert order.add_frame(reservation("created", 0, worker_version=9)) == []


def test_a_session_with_two_possible_lists_gets_events_new_to_either() -> None:
    order = ready(listed={"WR1": 0, "WR2": 0}, worker_version=8)
    order.record_list({"WR1": 1, "WR3": 0}, worker_version=9)
    accepted = reservation("accepted", 1, sid="WR1")
    assert order.add_frame(accepted) == [accepted]
    made = reservation("created", 0, sid="WR3", worker_version=9)
    assert order.add_frame(made) == [made]
    assert order.add_frame(reservation("created", 0, sid="WR3", worker_version=9)) == []
    # The later list does not have it: "accepted" would break the SDK; its end does not.
    assert order.add_frame(reservation("accepted", 1, sid="WR2")) == []
    ended = reservation("completed", 2, sid="WR2")
    assert order.add_frame(ended) == []
    assert order.release_ends() == [ended]
    assert len(order.add_frame(capacity(9))) == 1


def test_a_second_list_without_a_version_makes_every_event_new() -> None:
    order = ready(worker_version=8)
    order.record_list({"WR1": 0}, worker_version=None)
    made = reservation("created", 0, worker_version=8)
    assert order.add_frame(made) == [made]
    assert len(order.add_frame(capacity(7))) == 1


def test_an_older_event_does_not_undo_a_newer_one_of_a_worker() -> None:
    order = ready(worker_version=4)
    newer, late = worker("attributes", 6, team="b"), worker("activity", 5, team="a")
    assert order.add_frame(newer) == [newer]
    assert said(order.add_frame(late)) == [("worker.activity.update", {"version": 6, "team": "b"})]
    assert order.add_frame(newer) == order.add_frame(late) == []


def test_a_worker_s_version_is_never_less_than_what_the_sdk_has_counted() -> None:
    order = ready(worker_version=4)
    assert order.add_frame(reservation("created", 0, worker_version=6))
    late = order.add_frame(worker("activity", 5, team="a"))
    assert said(late) == [("worker.activity.update", {"version": 6, "team": "a"})]
    assert said(order.add_frame(worker("attributes", 7)))[0][1] == {"version": 7}


def test_two_events_of_one_version_are_both_sent() -> None:
    order = ready(worker_version=4)
    for frame in (worker("activity", 5), worker("attributes", 5)):
        assert order.add_frame(frame) == [frame]


def test_an_older_event_does_not_undo_a_newer_one_of_a_task() -> None:
    order = ready()
    done, late, other = task("completed", 5), task("updated", 4), task("updated", 1, "WT2")
    assert order.add_frame(done) == [done]
    assert said(order.add_frame(late)) == [("task.updated", {"sid": "WT1", "version": 5})]
    assert order.add_frame(other) == [other]
    assert order.add_frame(done) == order.add_frame(late) == []


def test_events_that_were_sent_before_the_lists_are_sent_again_after_them() -> None:
    order = Sequencer()
    changed, made = worker("activity", 5), reservation("created", 0, worker_version=6)
    for _ in range(2):
        assert order.add_frame(changed) == [changed]
        assert order.add_frame(made) == [made]
        order.record_list({}, worker_version=4)
    assert order.add_frame(changed) == order.add_frame(made) == []


def test_a_session_that_never_reads_lists_gets_every_event() -> None:
    order = Sequencer()
    accepted = reservation("accepted", 1)
    assert order.add_frame(accepted) == [accepted]


def test_memory_stays_small_however_long_a_session_lasts() -> None:
    order = ready()
    for number in range(5_000):
        for kind, version in (("created", 0), ("rejected", 1)):
            assert order.add_frame(reservation(kind, version, sid=f"WR{number}"))
        assert order.add_frame(capacity(number))
        assert order.add_frame(task("updated", 1, f"WT{number}"))
    kept = len(order._ended) + len(order._sent_sids) + len(order._tasks)
    assert kept + len(order._versions) + len(order._listed) <= 220
