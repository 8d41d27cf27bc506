"""Cached workers advance by the offers of their process, and stay equal to the rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.db import transaction

from routing import models
from routing.actions import offers, reservations
from routing.actors import SYSTEM
from routing.core import snapshot
from routing.snapshots import workers
from tests import factories
from tests.factories import NOW, later

pytestmark = pytest.mark.django_db(transaction=True)


def load(workspace: models.Workspace) -> list[snapshot.Worker]:
    return workers.load_workers(models.Worker.objects.filter(workspace=workspace))


def load_fresh(workspace: models.Workspace) -> list[snapshot.Worker]:
    """Return the workers as the rows have them, as nothing is cached in a transaction."""
    with transaction.atomic():
        return load(workspace)


def test_after_an_offer_a_worker_is_not_loaded_again(
    django_assert_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    workspace = factories.workspace()
    factories.workflow(workspace)
    factories.worker(workspace, capacity={"chat": 2})
    factories.offered(workspace)
    with django_assert_num_queries(1):
        (found,) = load(workspace)
    assert [found] == load_fresh(workspace)
    assert {each.unique_name: each.consumed for each in found.channels.values()}["chat"] == 1


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("multi_task", [True, False])
def test_whatever_is_offered_the_cache_agrees_with_the_rows(seed: int, multi_task: bool) -> None:
    dice = random.Random(seed)
    workspace = factories.workspace(multi_task_enabled=multi_task)
    busy = factories.activity(workspace, "Offline")
    queue = factories.queue(
        workspace, max_reserved_workers=2, reservation_activity=None if multi_task else busy
    )
    factories.workflow(workspace, default=queue)
    people = [
        factories.worker(workspace, capacity={"chat": dice.randint(1, 4), "sms": 2})
        for _ in range(4)
    ]
    for second in range(6):
        for _ in range(dice.randint(1, 4)):
            factories.task(workspace, channel=dice.choice(["chat", "sms"]), now=later(second))
        factories.run(workspace, later(second))
        assert load(workspace) == load_fresh(workspace)
        offer = models.Reservation.objects.pending().filter(workspace=workspace).first()
        if offer is not None:
            reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=later(second))
        assert load(workspace) == load_fresh(workspace)
    assert models.Reservation.objects.filter(worker__in=people).exists()


def test_offers_that_are_rolled_back_advance_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = factories.workspace()
    factories.workflow(workspace)
    factories.worker(workspace)
    task = factories.task(workspace)
    before = load(workspace)

    def fail(*given: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(offers, "_ask_callbacks", fail)
    factories.run(workspace, NOW)
    assert factories.status(task) == "pending"
    assert load(workspace) == load_fresh(workspace) == before
