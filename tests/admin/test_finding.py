"""Tasks, reservations and events are found by words and sids, in bounded time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from routing import models
from routing.admin import searching
from tests import factories
from tests.admin.visitors import Visitor, words

ADA = {"subject": "Parcel lost", "customer": {"name": "Ada Lovelace"}, "order": {"no": 8123}}
GRACE = {"subject": "Größe falsch", "customer": "Grace"}


@pytest.fixture
def worked(floor: models.Workspace) -> models.Reservation:
    """Return what Maria has in hand; another task waits, which was never offered."""
    factories.worker(floor, "Maria Curie")
    reservation = factories.accepted(floor, attributes=json.dumps(ADA))
    factories.task(floor, attributes=json.dumps(GRACE))
    return reservation


def found(visitor: Visitor, noun: str, term: str) -> str:
    """Return what a list shows for a search."""
    page = visitor.get(f"/admin/routing/{noun}/?q={term}")
    assert page.status_code == 200
    return words(page)


@pytest.mark.parametrize("term", ["parcel", "LOVELACE", "8123", "lost ada", "curie"])
def test_a_task_is_found_by_any_word_of_what_it_says_or_of_who_had_it(
    alice: Visitor, worked: models.Reservation, term: str
) -> None:
    page = found(alice, "task", term)
    assert "Parcel lost · Ada Lovelace" in page
    assert "Maria Curie" in page
    assert "Größe falsch" not in page


def test_a_word_is_found_however_its_letters_are_written(
    alice: Visitor, worked: models.Reservation
) -> None:
    page = found(alice, "task", "GRÖSSE")
    assert "Größe falsch · Grace" in page
    assert "Parcel lost" not in page


def test_all_words_are_asked_for_and_names_of_attributes_are_no_words(
    alice: Visitor, worked: models.Reservation
) -> None:
    for term in ("parcel grace", "customer"):
        assert "Parcel lost" not in found(alice, "task", term)


def test_sids_lead_to_what_has_to_do_with_them(alice: Visitor, worked: models.Reservation) -> None:
    task, worker = worked.task, worked.current_worker
    for noun in ("task", "reservation"):
        for sid in (task.sid, worked.sid, worker.sid):
            page = found(alice, noun, sid)
            assert "Parcel lost" in page
            assert "Größe falsch" not in page
    event = models.Event.objects.filter(event_type="task.created").first()
    assert event is not None
    for sid in (task.sid, event.sid):
        assert "task.created" in found(alice, "event", sid) or "Task created" in found(
            alice, "event", sid
        )


@pytest.mark.parametrize("term", ["lovelace", "curie", "parcel"])
def test_reservations_and_events_are_found_by_words(
    alice: Visitor, worked: models.Reservation, term: str
) -> None:
    assert "Maria Curie" in found(alice, "reservation", term)
    assert "Parcel lost" in found(alice, "event", term) or term == "curie"


def test_nothing_of_another_floor_is_found(bob: Visitor, worked: models.Reservation) -> None:
    for term in ("parcel", worked.task.sid):
        assert "Parcel lost" not in found(bob, "task", term)


def test_a_search_that_does_not_come_to_the_end_says_so(
    alice: Visitor, floor: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.task(floor, attributes=json.dumps(ADA))
    for _ in range(3):
        factories.task(floor)
    monkeypatch.setattr(searching, "_CHUNK", 2)
    assert "Parcel lost" in found(alice, "task", "parcel")
    monkeypatch.setattr(searching, "MOST_ROWS", 2)
    page = found(alice, "task", "parcel")
    assert "Parcel lost" not in page
    assert "Looked at the newest 2 of them" in page
    assert "Looked at" not in found(alice, "task", "")


def test_a_search_ends_in_time(floor: models.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        factories.task(floor)
    monkeypatch.setattr(searching, "_CHUNK", 2)
    moments: Iterator[float] = iter((0.0, 0.5, 1.5))

    def texts(rows: list[Any]) -> Iterable[tuple[int, Iterable[str]]]:
        return [(row[0], ["nothing"]) for row in rows]

    rows = models.Task.objects.filter(workspace=floor)
    result = searching.scan(rows, ("sid",), texts, ["word"], clock=lambda: next(moments))
    assert (result.scanned, result.is_complete) == (4, False)
