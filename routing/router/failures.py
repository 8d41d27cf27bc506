"""Decisions that could not be applied: each is logged once, and tried again after longer pauses.

A row that no action can change, because something else has written it, would cost every cycle an
exception and a transaction. Each process remembers such rows for itself, in memory.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from cachetools import FIFOCache

from routing.core import decisions, snapshot

FIRST_PAUSE: Final = timedelta(seconds=1)
"""Time after the first failure until the second attempt; each later pause is twice as long."""
LONGEST_PAUSE: Final = timedelta(minutes=5)
DOUBTFUL: Final = 3
"""Failed offers of a task to different workers, or of tasks to a worker, after which it is out."""
MOST: Final = 1_000
"""Most decisions to remember; the oldest are forgotten, and so tried again earlier."""

_Key = tuple[type[Any], Hashable]


def _list_rows(decision: Any) -> list[Hashable]:
    """Return what identifies a decision's rows among those of its kind."""
    match decision:
        case decisions.ReserveWorkers():
            return [(decision.task.id, worker.id) for worker, _ in decision.workers]
        case decisions.TimeOutReservation() | decisions.CompleteWrapUp():
            return [decision.reservation_sid]
        case decisions.EnterTarget() | decisions.KeepWaiting() | decisions.CancelTask():
            return [decision.task_sid]
    return [decision.sid]


class Failures:
    """The failed decisions of a process, with the end of each one's pause."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: FIFOCache[_Key, tuple[timedelta, datetime]] = FIFOCache(maxsize=MOST)

    def add(self, decision: Any, now: datetime) -> bool:
        """Record a failure; return whether it is the first one of this decision."""
        keys = [(type(decision), row) for row in _list_rows(decision)]
        with self._lock:
            is_first = not any(key in self._failed for key in keys)
            for key in keys:
                before = self._failed.get(key)
                pause = FIRST_PAUSE if before is None else min(2 * before[0], LONGEST_PAUSE)
                self._failed[key] = pause, now + pause
        return is_first

    def remove(self, applied: Iterable[Any]) -> None:
        """Forget the failures of decisions that were applied now."""
        if self._failed:
            with self._lock:
                for decision in applied:
                    for row in _list_rows(decision):
                        self._failed.pop((type(decision), row), None)

    def find_paused(self, *kinds: type[Any], now: datetime) -> frozenset[Any]:
        """Return the rows about which no decision of these kinds may be applied now.

        A row is given by its sid, and an offer by the ids of its task and its worker.
        """
        if not self._failed:
            return frozenset()
        with self._lock:
            failed = list(self._failed.items())
        return frozenset(row for (kind, row), (_, end) in failed if kind in kinds and end > now)

    def clear(self) -> None:
        """Forget all failures."""
        with self._lock:
            self._failed.clear()


process_failures: Final = Failures()


def leave_out_failed(seen: snapshot.Workspace, *, now: datetime) -> snapshot.Workspace:
    """Return a snapshot in which no worker is offered a task whose offer to them has failed.

    A task or a worker with several failed offers is left out, as it is probably their row.
    """
    pairs = process_failures.find_paused(decisions.ReserveWorkers, now=now)
    if not pairs:
        return seen
    by_task, by_worker = defaultdict[int, set[int]](set), Counter[int]()
    for task_id, worker_id in pairs:
        by_task[task_id].add(worker_id)
        by_worker[worker_id] += 1
    workers = [each for each in seen.workers if by_worker[each.id] < DOUBTFUL]
    everyone = {each.id for each in workers}
    passed_over = dict(seen.passed_over)
    for task_id, failed in by_task.items():
        more = everyone if len(failed) >= DOUBTFUL else failed
        passed_over[task_id] = more.union(passed_over.get(task_id, ()))
    return replace(seen, workers=workers, passed_over=passed_over)
