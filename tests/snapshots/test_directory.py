"""The directory caches workers by lane key, and is read again as soon as one has changed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from routing import models
from routing.actions import workers
from routing.actors import SYSTEM
from routing.router.matching import match_workspace
from routing.snapshots import due_work, free_workers, lanes, skill_index
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_cache(real_redis: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start with a Redis and an empty cache, which is used from the first cycle on."""
    monkeypatch.setattr(skill_index, "FULL_LOADS", 0)
    monkeypatch.setattr(skill_index, "MIN_FREE_WORKERS", 0)


def chosen(workspace: models.Workspace) -> list[tuple[str, list[int]]]:
    """Return the router's decisions: each task and its workers."""
    decided = match_workspace(workspace, now=NOW).decisions
    return [(each.task.sid, [seen.id for seen, _ in each.workers]) for each in decided]


def describe(worker: models.Worker, attributes: str) -> None:
    workers.update_worker(worker=worker, attributes=attributes, actor=SYSTEM, now=NOW)


def test_only_workers_with_a_matching_key_are_read(workspace: models.Workspace) -> None:
    for _ in range(5):
        factories.worker(workspace, attributes={"langs": ["de"]})
    english = factories.worker(workspace, attributes={"langs": ["en"]})
    factories.task(workspace, attributes={"lang": "en"})
    assert [seen.id for seen in due_work.load_snapshot(workspace).workers] == [english.pk]


def test_a_new_worker_is_found_by_the_next_cycle(workspace: models.Workspace) -> None:
    task = factories.task(workspace, attributes={"lang": "en"})
    factories.worker(workspace, attributes={"langs": ["de"]})
    assert chosen(workspace) == []
    skill_index.announce_change(workspace.sid)  # as delivery does for the event of a new worker
    english = factories.worker(workspace, attributes={"langs": ["en"]})
    skill_index.announce_change(workspace.sid)
    assert chosen(workspace) == [(task.sid, [english.pk])]


def test_a_worker_who_gains_a_skill_is_found_and_one_who_loses_it_is_not(
    workspace: models.Workspace,
) -> None:
    task = factories.task(workspace, attributes={"lang": "en"})
    one, other = (
        factories.worker(workspace, attributes={"langs": [lang]}) for lang in ("en", "de")
    )
    assert chosen(workspace) == [(task.sid, [one.pk])]
    describe(one, '{"langs": []}')
    describe(other, '{"langs": ["en"]}')
    skill_index.announce_change(workspace.sid)
    assert chosen(workspace) == [(task.sid, [other.pk])]


def test_no_worker_is_chosen_by_outdated_attributes_even_if_the_mark_was_lost(
    workspace: models.Workspace,
) -> None:
    factories.task(workspace, attributes={"lang": "en"})
    worker = factories.worker(workspace, attributes={"langs": ["en"]})
    assert len(chosen(workspace)) == 1
    describe(worker, '{"langs": ["de"]}')
    assert chosen(workspace) == []


def test_a_change_whose_mark_was_lost_is_noticed_within_a_second(
    workspace: models.Workspace,
) -> None:
    task = factories.task(workspace, attributes={"lang": "en"})
    worker = factories.worker(workspace, attributes={"langs": ["de"]})
    assert chosen(workspace) == []
    describe(worker, '{"langs": ["en"]}')
    assert chosen(workspace) == []
    skill_index._uses.expire(time.monotonic() + skill_index.CACHE_SECONDS + 0.001)
    assert chosen(workspace) == [(task.sid, [worker.pk])]


def test_the_event_of_a_change_invalidates_the_skill_index(
    workspace: models.Workspace,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    worker = factories.worker(workspace, attributes={"langs": ["de"]})
    marks = [skill_index._mark(workspace.sid)]
    with django_capture_on_commit_callbacks(execute=True):
        describe(worker, '{"langs": ["en"]}')
    marks.append(skill_index._mark(workspace.sid))
    with django_capture_on_commit_callbacks(execute=True):
        workers.set_activity(
            worker=worker, activity=factories.activity(workspace, "Offline"), actor=SYSTEM, now=NOW
        )
    marks.append(skill_index._mark(workspace.sid))
    assert marks[0] != marks[1] == marks[2]


def test_the_first_cycles_of_a_second_do_not_use_the_directory(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skill_index, "FULL_LOADS", 2)
    assert [skill_index.load_skill_index(workspace) is None for _ in range(4)] == [
        True,
        True,
        False,
        False,
    ]
    skill_index._uses.expire(time.monotonic() + skill_index.CACHE_SECONDS + 0.001)
    assert [skill_index.load_skill_index(workspace) is None for _ in range(4)] == [
        True,
        True,
        False,
        False,
    ]


def test_only_free_workers_are_loaded_if_they_are_few(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skill_index, "MIN_FREE_WORKERS", 2)
    for lang in ("en", "de", "fr"):
        factories.task(workspace, attributes={"lang": lang})
    first = factories.worker(workspace, attributes={"langs": ["en"]})
    assert len(due_work.load_snapshot(workspace).workers) == 1
    assert skill_index.load_skill_index(workspace) is None
    factories.worker(workspace, attributes={"langs": ["de"]})
    assert len(due_work.load_snapshot(workspace).workers) == 2
    assert skill_index.load_skill_index(workspace) is not None
    assert {seen.id for seen in due_work.load_snapshot(workspace).workers} > {first.pk}


def test_lanes_without_a_key_are_for_every_free_worker(workspace: models.Workspace) -> None:
    worker = factories.worker(workspace)
    task = factories.task(workspace, routing_target=factories.queue(workspace).sid)
    assert chosen(workspace) == [(task.sid, [worker.pk])]


def test_free_workers_are_loaded_first_if_there_are_too_many_lane_keys(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skill_index, "MAX_KEYS", 3)
    people = [
        factories.worker(workspace, attributes={"langs": [f"l{number}"]}) for number in range(5)
    ]
    task = factories.task(workspace, attributes={"lang": "l4"})
    known = skill_index.load_skill_index(workspace)
    assert known is not None
    assert known.find_lane_keys(lanes.load_key_paths(workspace)) is None
    assert chosen(workspace) == [(task.sid, [people[4].pk])]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("few", [0, 1_000])
def test_the_router_decides_the_same_with_and_without_a_skill_index(
    workspace: models.Workspace, seed: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With 0 each worker is looked up, with 1,000 all free ones of the channels are read.
    monkeypatch.setattr(free_workers, "FEW", few)
    dice = random.Random(seed)
    langs = ["en", "de", "fr", "it"]
    for _ in range(8):
        factories.worker(
            workspace,
            attributes={"langs": dice.sample(langs, dice.randint(0, 3))},
            available=dice.random() < 0.7,
            capacity={"chat": dice.randint(0, 2), "sms": dice.randint(0, 1)},
        )
    for _ in range(12):
        factories.task(
            workspace,
            attributes={"lang": dice.choice([*langs, "ja"])},
            channel=dice.choice(["chat", "sms"]),
            priority=dice.randint(0, 2),
        )
    by_heart = chosen(workspace)
    monkeypatch.setattr(skill_index, "load_skill_index", lambda workspace: None)
    assert by_heart == chosen(workspace)
    assert by_heart
