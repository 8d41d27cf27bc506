"""Targets of queues: what a queue promises on a channel."""

from __future__ import annotations

import json
from typing import Any

import pytest

from routing import models, sids
from routing.actions.queue_targets import clear_target, set_target
from routing.actions.support.errors import InvalidInput
from routing.actors import SYSTEM
from routing.core.rates import ServiceLevelFormula, Target, WaitClock
from routing.statistics import figures
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

GIVEN: dict[str, Any] = {"actor": SYSTEM, "now": NOW}


def read_target(queue: models.TaskQueue, channel: models.TaskChannel) -> Target:
    pair = sids.index_key(queue.sid), sids.index_key(channel.sid)
    return figures.load_targets(queue.workspace)[pair]


def changes() -> Any:
    event = models.Event.objects.filter(event_type="task-queue.updated").latest("pk")
    assert event.event_data["task_channel_unique_name"] == "chat"
    return json.loads(event.event_data["changes"])


def test_a_target_is_set_changed_and_cleared() -> None:
    queue = factories.queue(factories.workspace())
    channel = factories.channel(queue.workspace)
    assert read_target(queue, channel) == Target()
    set_target(queue=queue, channel=channel, threshold=20, **GIVEN)
    assert read_target(queue, channel) == Target(threshold=20)
    assert changes() == {"threshold": ["60", "20"]}
    set_target(
        queue=queue,
        channel=channel,
        formula=ServiceLevelFormula.STRICT,
        clock=WaitClock.CREATION,
        goal=90,
        **GIVEN,
    )
    assert changes() == {
        "goal": ["80", "90"],
        "formula": ["B", "A"],
        "clock": ["queue", "creation"],
    }
    clear_target(queue=queue, channel=channel, **GIVEN)
    assert read_target(queue, channel) == Target()
    assert changes()["threshold"] == ["20", "60"]


def test_the_same_target_again_is_no_change() -> None:
    queue = factories.queue(factories.workspace())
    channel = factories.channel(queue.workspace)
    set_target(queue=queue, channel=channel, threshold=20, **GIVEN)
    before = factories.last_event()
    set_target(queue=queue, channel=channel, threshold=20, **GIVEN)
    clear_target(queue=queue, channel=factories.channel(queue.workspace, "sms"), **GIVEN)
    assert factories.event_types(before) == []


@pytest.mark.parametrize("values", [{"threshold": 61}, {"short_abandon": 0}, {"goal": 101}])
def test_values_that_figures_could_not_follow_are_refused(values: dict[str, Any]) -> None:
    queue = factories.queue(factories.workspace())
    with pytest.raises(InvalidInput) as refused:
        set_target(queue=queue, channel=factories.channel(queue.workspace), **values, **GIVEN)
    assert refused.value.field == next(iter(values))


def test_a_channel_of_another_workspace_is_refused() -> None:
    queue = factories.queue(factories.workspace())
    foreign = factories.channel(factories.workspace())
    with pytest.raises(InvalidInput):
        set_target(queue=queue, channel=foreign, **GIVEN)
