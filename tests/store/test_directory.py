"""Who has what lanes look for is known by heart, and as soon as it has changed it is read anew."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from routing import models, store
from routing.actions import workers
from routing.actors import SYSTEM
from routing.seen import directory, lanes
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_known(real_redis: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin with a Redis and without directories, which are used from the first look on."""
    monkeypatch.setattr(directory, "WHOLE", 0)
    monkeypatch.setattr(directory, "MANY", 0)
    directory._seconds.clear()
    yield
    directory._seconds.clear()


def chosen(floor: models.Workspace) -> list[tuple[str, list[int]]]:
    """Return what the router decides: which task, and for whom."""
    decided = store.look(floor, now=NOW).decisions
    return [(each.task.sid, [seen.id for seen, _ in each.workers]) for each in decided]


def describe(worker: models.Worker, attributes: str) -> None:
    workers.update_worker(worker=worker, attributes=attributes, actor=SYSTEM, now=NOW)


def test_only_whom_a_task_can_be_for_are_looked_at(floor: models.Workspace) -> None:
    for _ in range(5):
        factories.worker(floor, attributes={"langs": ["de"]})
    english = factories.worker(floor, attributes={"langs": ["en"]})
    factories.task(floor, attributes={"lang": "en"})
    assert [seen.id for seen in store.load_floor(floor).workers] == [english.pk]


def test_whoever_is_hired_is_found_by_the_next_look(floor: models.Workspace) -> None:
    task = factories.task(floor, attributes={"lang": "en"})
    factories.worker(floor, attributes={"langs": ["de"]})
    assert chosen(floor) == []
    directory.note(floor.sid)  # as delivery does for the event of whoever is hired
    english = factories.worker(floor, attributes={"langs": ["en"]})
    directory.note(floor.sid)
    assert chosen(floor) == [(task.sid, [english.pk])]


def test_whoever_learns_a_language_is_found_and_whoever_forgets_it_is_not(
    floor: models.Workspace,
) -> None:
    task = factories.task(floor, attributes={"lang": "en"})
    one, other = (factories.worker(floor, attributes={"langs": [lang]}) for lang in ("en", "de"))
    assert chosen(floor) == [(task.sid, [one.pk])]
    describe(one, '{"langs": []}')
    describe(other, '{"langs": ["en"]}')
    directory.note(floor.sid)
    assert chosen(floor) == [(task.sid, [other.pk])]


def test_nobody_is_chosen_by_what_they_had_even_when_nobody_said_that_it_changed(
    floor: models.Workspace,
) -> None:
    factories.task(floor, attributes={"lang": "en"})
    worker = factories.worker(floor, attributes={"langs": ["en"]})
    assert len(chosen(floor)) == 1
    describe(worker, '{"langs": ["de"]}')
    assert chosen(floor) == []


def test_what_nobody_said_is_noticed_within_a_second(
    floor: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = factories.task(floor, attributes={"lang": "en"})
    worker = factories.worker(floor, attributes={"langs": ["de"]})
    assert chosen(floor) == []
    describe(worker, '{"langs": ["en"]}')
    assert chosen(floor) == []
    then = time.monotonic() + directory.LONGEST + 0.001
    monkeypatch.setattr(time, "monotonic", lambda: then)
    assert chosen(floor) == [(task.sid, [worker.pk])]


def test_the_event_of_a_change_marks_directories_as_old(
    floor: models.Workspace,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    worker = factories.worker(floor, attributes={"langs": ["de"]})
    marks = [directory._mark(floor.sid)]
    with django_capture_on_commit_callbacks(execute=True):
        describe(worker, '{"langs": ["en"]}')
    marks.append(directory._mark(floor.sid))
    with django_capture_on_commit_callbacks(execute=True):
        workers.set_activity(
            worker=worker, activity=factories.activity(floor, "Offline"), actor=SYSTEM, now=NOW
        )
    marks.append(directory._mark(floor.sid))
    assert marks[0] != marks[1] == marks[2]


def test_the_first_looks_of_a_second_do_without(
    floor: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "WHOLE", 2)
    assert [directory.of(floor) is None for _ in range(4)] == [True, True, False, False]
    then = time.monotonic() + directory.LONGEST + 0.001
    monkeypatch.setattr(time, "monotonic", lambda: then)
    assert [directory.of(floor) is None for _ in range(4)] == [True, True, False, False]


def test_where_few_are_free_only_they_are_asked(
    floor: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "MANY", 2)
    for lang in ("en", "de", "fr"):
        factories.task(floor, attributes={"lang": lang})
    first = factories.worker(floor, attributes={"langs": ["en"]})
    assert len(store.load_floor(floor).workers) == 1
    assert directory.of(floor) is None
    factories.worker(floor, attributes={"langs": ["de"]})
    assert len(store.load_floor(floor).workers) == 2
    assert directory.of(floor) is not None
    assert {seen.id for seen in store.load_floor(floor).workers} > {first.pk}


def test_lanes_for_anybody_are_for_whoever_is_free(floor: models.Workspace) -> None:
    worker = factories.worker(floor)
    task = factories.task(floor, routing_target=factories.queue(floor).sid)
    assert chosen(floor) == [(task.sid, [worker.pk])]


def test_where_people_differ_in_too_much_whoever_is_free_is_asked_first(
    floor: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "MOST", 3)
    people = [factories.worker(floor, attributes={"langs": [f"l{number}"]}) for number in range(5)]
    task = factories.task(floor, attributes={"lang": "l4"})
    known = directory.of(floor)
    assert known is not None
    assert known.sought(lanes.kinds(floor)) is None
    assert chosen(floor) == [(task.sid, [people[4].pk])]


@pytest.mark.parametrize("seed", range(6))
def test_with_and_without_a_directory_the_router_decides_the_same(
    floor: models.Workspace, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(seed)
    langs = ["en", "de", "fr", "it"]
    for _ in range(8):
        factories.worker(
            floor,
            attributes={"langs": dice.sample(langs, dice.randint(0, 3))},
            available=dice.random() < 0.7,
            capacity={"chat": dice.randint(0, 2), "sms": dice.randint(0, 1)},
        )
    for _ in range(12):
        factories.task(
            floor,
            attributes={"lang": dice.choice([*langs, "ja"])},
            channel=dice.choice(["chat", "sms"]),
            priority=dice.randint(0, 2),
        )
    by_heart = chosen(floor)
    monkeypatch.setattr(directory, "of", lambda workspace: None)
    assert by_heart == chosen(floor)
    assert by_heart
