"""Measure how long new tasks wait for their first offer, where a worker was free for them.

A worker was free if the first round that has considered a task made the offer. So a task is
measured if it was created after the round before began to match, in whichever process that was.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from routing import instruments, models
from routing.core.clock import microseconds
from routing.core.decisions import Decision, ReserveWorkers
from routing.redis import clients

logger = logging.getLogger(__name__)

KEPT_FOR: Final = timedelta(days=1)
_KEY: Final = "cordboard:considered:%s"


@dataclass(slots=True)
class Made:
    """The offers of one round.

    Arguments:
        count: how many there are.
        by_clock: whether a deadline was due in the round.
        created: when their tasks were created, in microseconds, of those that are measured.
    """

    count: int = 0
    by_clock: bool = False
    created: list[int] = field(default_factory=list)
    _before_us: int | None = None

    def begin(self, workspace: models.Workspace, *, now: datetime, by_clock: bool) -> None:
        """Remember when the round before began to match, and store that this one does."""
        self.by_clock = by_clock
        self._before_us = _exchange(workspace.sid, now)

    def add(self, decided: Sequence[Decision], applied: int) -> None:
        """Add the offers that were decided, and of which so many were applied."""
        self.count += applied
        if self._before_us is None or applied != len(decided):
            # It is not known which were dropped.
            return
        for each in decided:
            if isinstance(each, ReserveWorkers) and each.task.created_us > self._before_us:
                self.created.append(each.task.created_us)

    def observe_waits(self, *, now: datetime) -> None:
        """Measure the waits of the tasks until now."""
        for created in self.created:
            instruments.observe_offer((microseconds(now) - created) / 1e6)


def _exchange(workspace_sid: str, now: datetime) -> int | None:
    """Store the moment at which a workspace is matched; return the one before, if it is known."""
    client = clients.client()
    if client is None:
        return None
    try:
        key = _KEY % workspace_sid
        pipeline = client.pipeline(transaction=False)
        pipeline.getset(key, microseconds(now))
        pipeline.expire(key, KEPT_FOR)
        before, _ = pipeline.execute()
        return None if before is None else int(before)
    except clients.BROKEN as error:
        logger.debug("offers not measured workspace=%s (%s)", workspace_sid, error)
        return None
