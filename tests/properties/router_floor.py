"""The workspace of the state machine: a workflow with every feature."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from routing import models
from routing.core.vocabulary import QueueOrder
from tests import factories
from tests.factories import filter_, target

KINDS: Final[Sequence[dict[str, Any]]] = (
    {},
    {"kind": "steps"},
    {"kind": "known", "agent": "bob"},
    {"kind": "known", "agent": None},
    {"kind": "load"},
    {"kind": "newest"},
    {"kind": "skill", "level": 1},
    {"kind": "skill", "level": 2},
    {"kind": "skill", "level": 9},
)
"""Attributes that lead to every filter of the workflow."""


def furnish(workspace: models.Workspace) -> None:
    """Give a workspace three queues and one workflow: steps, skips, known workers, conditions."""
    fifo = factories.queue(workspace, max_reserved_workers=2)
    lifo = factories.queue(workspace, task_order=QueueOrder.LIFO, target_workers="level > 1")
    free = "worker.channel.{}.available_capacity_percentage"
    factories.workflow(
        workspace,
        filter_(
            'kind == "steps"',
            target(lifo, timeout=20, order_by="worker.level DESC", skip_if="1==1"),
            target(fifo, timeout=30, priority=3),
            target(lifo, timeout=100),
        ),
        filter_(
            'kind == "known"',
            target(
                fifo,
                known_worker_friendly_name="task.agent",
                timeout=60,
                skip_if="workers.available == 0",
            ),
            target(lifo),
        ),
        filter_(
            'kind == "load"',
            target(
                fifo,
                expression=f"{free.format('chat')} > 25 AND {free.format('voice')} == 100",
            ),
        ),
        filter_('kind == "newest"', target(lifo)),
        filter_('kind == "skill"', target(fifo, expression="worker.level >= task.level")),
        default=factories.queue(workspace),
        task_reservation_timeout=45,
    )
