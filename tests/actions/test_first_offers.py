"""When a task is left to the router although a worker is free."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from routing import models
from routing.actions.support import first_offers
from routing.snapshots import new_tasks
from tests import factories
from tests.factories import filter_, target
from tests.properties.first_offer_machine import offering_at_creation

pytestmark = pytest.mark.django_db


def choose(workspace: models.Workspace, **given: Any) -> list[int | None]:
    """Create a task and return which worker is chosen at that moment, if any."""
    with offering_at_creation() as chosen:
        factories.task(workspace, **given)
    return chosen


def furnish(*, workspace: dict[str, Any], queue: dict[str, Any], step: dict[str, Any]) -> Any:
    """Make a workspace with one queue, and an agent with two slots."""
    made = factories.workspace()
    models.Workspace.objects.filter(pk=made.pk).update(**workspace)
    made.refresh_from_db()
    only = factories.queue(made, **queue)
    workflow = step.pop("workflow", {})
    factories.workflow(made, filter_("1==1", target(only, **step)), **workflow)
    return made, factories.worker(made, "Alice", capacity={"chat": 2, "voice": 1})


def test_the_only_free_worker_is_chosen() -> None:
    workspace, alice = furnish(workspace={}, queue={}, step={})
    assert choose(workspace) == [alice.pk]


@pytest.mark.parametrize(
    ("workspace", "queue", "step"),
    [
        ({"multi_task_enabled": False}, {}, {}),
        ({}, {"max_reserved_workers": 2}, {}),
        ({}, {}, {"order_by": "worker.level DESC"}),
        ({}, {}, {"known_worker_friendly_name": "task.agent"}),
        ({}, {}, {"skip_if": "1==2"}),
        ({}, {}, {"expression": "task.age >= 0"}),
        ({}, {}, {"workflow": {"assignment_callback_url": "https://example.org/"}}),
    ],
)
def test_what_the_router_must_decide_is_left_to_it(
    workspace: dict[str, Any], queue: dict[str, Any], step: dict[str, Any]
) -> None:
    floor, _ = furnish(workspace=workspace, queue=queue, step=dict(step))
    assert choose(floor, attributes={"agent": "alice"}) == []


def test_a_task_for_one_worker_is_left_to_the_router() -> None:
    workspace, alice = furnish(workspace={}, queue={}, step={})
    assert choose(workspace, routing_target=alice.sid) == []


@pytest.mark.parametrize("channel", ["chat", "voice"])
def test_a_worker_that_a_waiting_task_needs_is_not_chosen(channel: str) -> None:
    workspace, _ = furnish(workspace={}, queue={}, step={})
    factories.task(workspace, channel=channel)
    assert choose(workspace) == []


def test_an_offer_past_its_time_comes_first() -> None:
    workspace, alice = furnish(workspace={}, queue={}, step={})
    factories.offered(workspace)
    assert choose(workspace) == [alice.pk]
    models.Task.objects.pending().delete()
    models.Reservation.objects.update(deadline_us=0)
    assert choose(workspace) == []


def test_too_many_free_workers_are_left_to_the_router(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, _ = furnish(workspace={}, queue={}, step={})
    factories.worker(workspace)
    monkeypatch.setattr(new_tasks, "MOST_WORKERS", 1)
    assert choose(workspace) == []


def test_pauses_double_up_to_the_longest_until_an_offer_is_made() -> None:
    pauses = first_offers._Pauses((1.0, 3.0))
    with mock.patch("time.monotonic") as clock:
        clock.return_value = 0.0
        for seconds in (1.0, 2.0, 3.0, 3.0):
            pauses.begin(1)
            assert 1 in pauses
            assert 2 not in pauses
            clock.return_value += seconds
            assert 1 not in pauses
        pauses.forget(1)
        pauses.begin(1)
        clock.return_value += 1.0
        assert 1 not in pauses
