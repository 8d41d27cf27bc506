"""Apply the core's decisions: each kind by its action, and one failure never stops the rest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import connection

from routing.actions import offers, reservations, task_deadlines, transfers
from routing.actions.support.errors import StaleState
from routing.core import decisions
from routing.db.errors import AWAY
from routing.router.failures import LONGEST_PAUSE, process_failures

logger = logging.getLogger(__name__)

SLICE_SIZE: Final = 300
"""Number of overdue waiting tasks that are locked in one transaction."""

IsOver = Callable[[], bool]
"""Whether work must stop now, because its time is over."""

Apply = Callable[[Sequence[Any], datetime, IsOver], int]
"""Applies decisions of one kind, and returns how many it applied."""


def never() -> bool:
    """Return that the time is not over, however long the work takes."""
    return False


def apply_decisions(
    decided: Sequence[decisions.Decision], now: datetime, is_over: IsOver = never
) -> int:
    """Apply decisions, kind by kind; return how many were applied.

    A decision whose rows have changed since the snapshot is dropped.
    """
    kinds = dict.fromkeys(type(decision) for decision in decided)
    return sum(
        APPLY[kind]([decision for decision in decided if type(decision) is kind], now, is_over)
        for kind in kinds
    )


def _one_by_one(action: Callable[..., object]) -> Apply:
    """Return an action on one decision as an action on many; skip those that are out of date."""

    def apply(decided: Sequence[Any], now: datetime, is_over: IsOver) -> int:
        applied = 0
        for decision in decided:
            if is_over():
                break
            try:
                action(decision, now=now)
            except StaleState as error:
                logger.debug("%s: %s", type(decision).__name__, error)
            except Exception as error:  # one broken row must not stop the others
                _record_failure(decision, error, now)
            else:
                process_failures.remove([decision])
                applied += 1
        return applied

    return apply


def _in_slices(action: Callable[[Sequence[Any], datetime], int]) -> Apply:
    """Return an action on many tasks as one on slices of them; a slice that fails is halved."""

    def apply_slice(decided: Sequence[Any], now: datetime) -> int:
        try:
            applied = action(decided, now)
        except Exception as error:
            if len(decided) == 1:
                _record_failure(decided[0], error, now)
                return 0
            _raise_if_lost(error)
            logger.warning("slice failed tasks=%d, halving it (%s)", len(decided), error)
            middle = len(decided) // 2
            return apply_slice(decided[:middle], now) + apply_slice(decided[middle:], now)
        process_failures.remove(decided)
        return applied

    def apply(decided: Sequence[Any], now: datetime, is_over: IsOver) -> int:
        applied = 0
        for start in range(0, len(decided), SLICE_SIZE):
            if is_over():
                break
            applied += apply_slice(decided[start : start + SLICE_SIZE], now)
        return applied

    return apply


def _reserve(decided: Sequence[decisions.ReserveWorkers], now: datetime, is_over: IsOver) -> int:
    """Reserve for all decisions at once; if that fails, for each alone."""
    try:
        made = offers.reserve_workers(decided, now=now)
    except Exception as error:
        if len(decided) == 1:
            if not isinstance(error, StaleState):
                _record_failure(decided[0], error, now)
            return 0
        _raise_if_lost(error)
        logger.warning("offers failed tasks=%d, retrying one by one (%s)", len(decided), error)
        return sum(_reserve([decision], now, is_over) for decision in decided)
    process_failures.remove(decided)
    return made


def _cancel(decided: Sequence[decisions.CancelTask], now: datetime) -> int:
    """Cancel waiting tasks together, and those on offer one by one."""
    left = task_deadlines.cancel_overdue_tasks(decided, now=now)
    return len(decided) - len(left) + _cancel_one_by_one(left, now, never)


_cancel_one_by_one: Final = _one_by_one(task_deadlines.cancel_overdue_task)


def _record_failure(decision: Any, error: Exception, now: datetime) -> None:
    """Log the first failure of a decision, and pause before it is tried again."""
    _raise_if_lost(error)
    if process_failures.add(decision, now):
        logger.exception(
            "decision failed longest_pause_seconds=%d decision=%s",
            LONGEST_PAUSE.total_seconds(),
            decision,
        )
    else:
        logger.debug("decision failed again decision=%s: %s", decision, error)


def _raise_if_lost(error: Exception) -> None:
    """Raise an error again if the connection is lost, because then no row is at fault."""
    is_lost = connection.connection is None or getattr(connection.connection, "closed", False)
    if is_lost and isinstance(error, AWAY):
        raise error


APPLY: Final[dict[type[Any], Apply]] = {
    decisions.ReserveWorkers: _reserve,
    decisions.TimeOutReservation: _one_by_one(
        lambda decision, *, now: reservations.time_out_reservation(
            sid=decision.reservation_sid, now=now
        )
    ),
    decisions.CompleteWrapUp: _one_by_one(
        lambda decision, *, now: reservations.complete_overdue_wrap_up(
            sid=decision.reservation_sid, now=now
        )
    ),
    decisions.EnterTarget: _in_slices(
        lambda decided, now: task_deadlines.enter_targets(decided, now=now)
    ),
    decisions.KeepWaiting: _one_by_one(task_deadlines.keep_waiting),
    decisions.CancelTask: _in_slices(_cancel),
}
"""The function that applies the decisions of each kind."""

offer_transfers: Final = _one_by_one(
    lambda transfer, *, now: transfers.offer_to_next_worker(transfer=transfer, now=now)
)
"""Offer tasks in transfer to queues to the next workers of these queues."""
