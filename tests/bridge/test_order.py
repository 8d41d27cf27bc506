"""What one session is told, in which order: nothing twice, nothing early, nothing unknown."""

from __future__ import annotations

import itertools

import pytest

from routing.bridge.frames import Frame
from routing.bridge.order import MOST_EARLY, Order, OutOfStep

_numbers = itertools.count()


def reservation(kind: str, version: int, *, sid: str = "WR1", worker_version: int = 9) -> Frame:
    name = f"reservation.{kind}"
    return Frame(f"EV{next(_numbers)}", name, "", sid, version, worker_version)


def capacity(worker_version: int) -> Frame:
    event = "worker.capacity.update"
    return Frame(f"EV{next(_numbers)}", event, "", worker_version=worker_version)


def ready(*, listed: dict[str, int] | None = None, worker_version: int | None = None) -> Order:
    order = Order()
    order.read_list(listed or {}, worker_version=worker_version)
    return order


def test_an_offer_is_told_from_its_making_to_its_end() -> None:
    order = ready()
    story = [
        reservation("created", 0),
        reservation("accepted", 1),
        reservation("wrapup", 2),
        reservation("completed", 3),
    ]
    assert [order.take(frame) for frame in story] == [[frame] for frame in story]


def test_nothing_is_told_twice() -> None:
    order = ready()
    first, second = reservation("created", 0), reservation("rejected", 1)
    changed = capacity(5)
    for frame in (first, second, changed):
        assert order.take(frame) == [frame]
    for frame in (first, second, changed):
        assert order.take(frame) == []


def test_what_comes_early_waits_for_what_is_before_it() -> None:
    order = ready()
    created, accepted, done = (
        reservation("created", 0),
        reservation("accepted", 1),
        reservation("completed", 2),
    )
    assert order.take(done) == order.take(accepted) == []
    assert order.is_waiting()
    assert order.take(created) == [created, accepted, done]
    assert not order.is_waiting()


def test_what_the_list_shows_is_not_told_again() -> None:
    order = ready(listed={"WR1": 1}, worker_version=9)
    assert order.take(reservation("created", 0, worker_version=9)) == []
    assert order.take(reservation("accepted", 1)) == []
    wrapped = reservation("wrapup", 2)
    assert order.take(wrapped) == [wrapped]


def test_an_offer_made_between_reading_the_worker_and_the_list_counts_once() -> None:
    order = ready(listed={"WR1": 0}, worker_version=8)
    made = reservation("created", 0, worker_version=9)
    assert order.take(made) == [made]
    assert order.take(capacity(8)) == []
    assert len(order.take(capacity(9))) == 1


def test_what_was_over_before_the_lists_were_read_is_not_told() -> None:
    order = ready(worker_version=9)
    assert order.take(reservation("created", 0, worker_version=7)) == []
    assert order.take(reservation("accepted", 1)) == []
    assert order.take(reservation("completed", 2)) == []
    order = ready()
    assert order.take(reservation("rejected", 1)) == []
    order.give_up_waiting()
    assert order.take(reservation("created", 0)) == []


def test_a_gap_that_stays_means_reading_anew() -> None:
    order = ready(listed={"WR1": 0})
    assert order.take(reservation("wrapup", 2)) == []
    with pytest.raises(OutOfStep):
        order.give_up_waiting()
    order = ready()
    for number in range(MOST_EARLY):
        order.take(reservation("accepted", 1, sid=f"WR{number}"))
    with pytest.raises(OutOfStep):
        order.take(reservation("accepted", 1, sid="WR"))


def test_whoever_never_reads_lists_is_told_everything() -> None:
    order = Order()
    accepted = reservation("accepted", 1)
    assert order.take(accepted) == [accepted]


def test_memory_stays_small_however_long_a_session_lasts() -> None:
    order = ready()
    for number in range(5_000):
        for kind, version in (("created", 0), ("rejected", 1)):
            assert order.take(reservation(kind, version, sid=f"WR{number}"))
        assert order.take(capacity(number))
    assert len(order._ended) + len(order._counted) + len(order._versions) <= 200
