"""Tasks, reservations and events are found by words and sids, in bounded time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from routing import models
from routing.actions import task_channels
from routing.actors import SYSTEM
from routing.admin import searching
from routing.admin.worker_channels import MOST_DRAWN, load
from tests import factories
from tests.admin.visitors import Visitor, words

ADA = {"subject": "Parcel lost", "customer": {"name": "Ada Lovelace"}, "order": {"no": 8123}}
GRACE = {"subject": "Größe falsch", "customer": "Grace"}


@pytest.fixture
def maria_reservation(workspace: models.Workspace) -> models.Reservation:
    """Return Maria's accepted reservation; another task waits, which was never offered."""
    factories.worker(workspace, "Maria Curie")
    reservation = factories.accepted(workspace, attributes=json.dumps(ADA))
    factories.task(workspace, attributes=json.dumps(GRACE))
    return reservation


def found(visitor: Visitor, noun: str, term: str) -> str:
    """Return what a list shows for a search."""
    page = visitor.get(f"/admin/routing/{noun}/?q={term}")
    assert page.status_code == 200
    return words(page)


@pytest.mark.parametrize("term", ["parcel", "LOVELACE", "8123", "lost ada", "curie"])
def test_a_task_is_found_by_words_of_its_attributes_or_of_its_worker(
    alice: Visitor, maria_reservation: models.Reservation, term: str
) -> None:
    page = found(alice, "task", term)
    assert "Parcel lost · Ada Lovelace" in page
    assert "Maria Curie" in page
    assert "Größe falsch" not in page


def test_a_word_is_found_however_its_letters_are_written(
    alice: Visitor, maria_reservation: models.Reservation
) -> None:
    page = found(alice, "task", "GRÖSSE")
    assert "Größe falsch · Grace" in page
    assert "Parcel lost" not in page


def test_all_words_must_match_and_names_of_attributes_do_not_count(
    alice: Visitor, maria_reservation: models.Reservation
) -> None:
    for term in ("parcel grace", "customer"):
        assert "Parcel lost" not in found(alice, "task", term)


def test_a_sid_finds_the_rows_that_refer_to_it(
    alice: Visitor, maria_reservation: models.Reservation
) -> None:
    task, worker = maria_reservation.task, maria_reservation.current_worker
    for noun in ("task", "reservation"):
        for sid in (task.sid, maria_reservation.sid, worker.sid):
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
    alice: Visitor, maria_reservation: models.Reservation, term: str
) -> None:
    assert "Maria Curie" in found(alice, "reservation", term)
    assert "Parcel lost" in found(alice, "event", term) or term == "curie"


def test_nothing_of_another_workspace_is_found(
    bob: Visitor, maria_reservation: models.Reservation
) -> None:
    for term in ("parcel", maria_reservation.task.sid):
        assert "Parcel lost" not in found(bob, "task", term)


def test_a_search_that_was_cut_off_says_so(
    alice: Visitor, workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.task(workspace, attributes=json.dumps(ADA))
    for _ in range(3):
        factories.task(workspace)
    monkeypatch.setattr(searching, "CHUNK_ROWS", 2)
    assert "Parcel lost" in found(alice, "task", "parcel")
    monkeypatch.setattr(searching, "MOST_ROWS", 2)
    page = found(alice, "task", "parcel")
    assert "Parcel lost" not in page
    assert "Searched the newest 2 only" in page
    assert "Searched" not in found(alice, "task", "")


def test_a_search_ends_in_time(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(6):
        factories.task(workspace)
    monkeypatch.setattr(searching, "CHUNK_ROWS", 2)
    moments: Iterator[float] = iter((0.0, 0.5, 1.5))

    def texts(rows: list[Any]) -> Iterable[tuple[int, Iterable[str]]]:
        return [(row[0], ["nothing"]) for row in rows]

    rows = models.Task.objects.filter(workspace=workspace)
    result = searching.scan_rows(rows, ("sid",), texts, ["word"], clock=lambda: next(moments))
    assert (result.scanned, result.is_complete) == (4, False)


@pytest.fixture
def workers_by_name(workspace: models.Workspace) -> dict[str, models.Worker]:
    """Return workers with skills, channels and logins of different kinds."""
    user = User.objects.create_user("zoe", password="secret")
    made = {
        "Zoe": factories.worker(
            workspace, "Zoe", user=user, attributes={"skills": ["billing"], "city": "Besançon"}
        ),
        "Yves": factories.worker(
            workspace, "Yves", attributes={"routing": {"skills": ["billing"]}}
        ),
        "Xaver": factories.worker(workspace, "Xaver", attributes={"note": "billing", "level": 3}),
    }
    factories.set_capacity(made["Xaver"], "chat", configured_capacity=0)
    factories.set_capacity(made["Yves"], "chat", available=False)
    return made


def names(page: Any) -> set[str]:
    """Return which of the people a list shows."""
    return {each.friendly_name for each in page.context["cl"].result_list} & {
        "Zoe",
        "Yves",
        "Xaver",
    }


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("BESANÇON", {"Zoe"}),
        ("billing", {"Zoe", "Yves", "Xaver"}),
        ("zoe billing", {"Zoe"}),
        ("city", set()),
    ],
)
def test_workers_are_found_by_words_of_their_attributes(
    alice: Visitor, workers_by_name: dict[str, models.Worker], term: str, expected: set[str]
) -> None:
    assert names(alice.get(f"/admin/routing/worker/?q={term}")) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("skill=billing", {"Zoe", "Yves"}),
        ("login=yes", {"Zoe"}),
        ("login=no", {"Yves", "Xaver"}),
        ("channel={chat}", {"Zoe"}),
        ("queue={queue}", {"Xaver"}),
        ("queue={elsewhere}", set()),
    ],
)
def test_workers_are_narrowed_by_skill_login_channel_and_queue(
    alice: Visitor,
    workspace: models.Workspace,
    other: models.Workspace,
    workers_by_name: dict[str, models.Worker],
    query: str,
    expected: set[str],
) -> None:
    sids = {
        "chat": factories.channel(workspace, "chat").sid,
        "queue": factories.queue(workspace, target_workers="level > 2").sid,
        "elsewhere": factories.queue(other, target_workers="level > 2").sid,
    }
    assert names(alice.get(f"/admin/routing/worker/?{query.format(**sids)}")) == expected


def test_a_list_row_stays_short_for_any_number_of_channels(
    alice: Visitor, workspace: models.Workspace, workers_by_name: dict[str, models.Worker]
) -> None:
    task_channels.add_custom_channels(workspace=workspace, actor=SYSTEM, now=factories.NOW)
    factories.accepted(workspace, channel="custom5")
    page = alice.see("routing_worker_changelist")
    drawn = {
        worker.friendly_name: str(load(worker)).count('class="slots ')
        for worker in page.context["cl"].result_list
    }
    assert set(drawn.values()) == {MOST_DRAWN}
    assert "custom5 1/1" in words(page)
