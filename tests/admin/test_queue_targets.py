"""Targets of a queue in the admin, on the page of the queue."""

from __future__ import annotations

from typing import Any

from routing import models
from tests import factories
from tests.admin.visitors import Visitor

PAGE = "routing_taskqueue_change"
ONE: dict[str, Any] = {"targets-TOTAL_FORMS": 1}


def row(channel: models.TaskChannel, number: int = 0, **given: Any) -> dict[str, Any]:
    values = {"task_channel": channel.pk, "threshold": 20, "goal": 90, "short_abandon": 5}
    values |= {"formula": "B", "clock": "queue"} | given
    return {f"targets-{number}-{name}": value for name, value in values.items()}


def test_a_target_is_added_changed_and_removed(alice: Visitor, workspace: models.Workspace) -> None:
    queue, channel = factories.queue(workspace), factories.channel(workspace)
    alice.send(PAGE, queue.pk, **ONE, **row(channel))
    (target,) = models.QueueTarget.objects.all()
    assert (target.task_queue, target.threshold, target.goal) == (queue, 20, 90)
    alice.send(PAGE, queue.pk, **row(channel, threshold=30, formula="A"))
    target.refresh_from_db()
    assert (target.threshold, target.formula) == (30, "A")
    alice.send(PAGE, queue.pk, **row(channel, threshold=30, formula="A", DELETE="on"))
    assert not models.QueueTarget.objects.exists()


def test_a_threshold_is_one_of_the_edges_and_a_channel_one_of_the_workspace(
    alice: Visitor, workspace: models.Workspace
) -> None:
    queue = factories.queue(workspace)
    alice.send(PAGE, queue.pk, **ONE, **row(factories.channel(workspace), threshold=61))
    alice.send(PAGE, queue.pk, **ONE, **row(factories.channel(factories.workspace())))
    assert not models.QueueTarget.objects.exists()
