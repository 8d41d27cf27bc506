"""Run the router in one workspace in rounds: load, decide, apply."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from routing import models
from routing.actions import offers, reservations, task_deadlines, transfers
from routing.actions.support.errors import StaleState
from routing.core import decisions
from routing.core.clock import microseconds
from routing.core.matching import matching_pass
from routing.db.errors import AWAY
from routing.snapshots import due_work

logger = logging.getLogger(__name__)

MAX_ROUNDS: Final = 100
"""Rounds of one run; the rest is left for the next wake or the sweep."""

LONGEST: Final = timedelta(seconds=1)
"""Time after which a run stops, and is woken again."""


SLICE: Final = timedelta(milliseconds=250)
"""Time after which overdue work gives way to matching; the rest follows in the next round."""

TOGETHER: Final = 300
"""Number of overdue waiting tasks that are locked in one transaction."""


IsOver = Callable[[], bool]


Apply = Callable[[Sequence[Any], datetime, IsOver], int]


def _never() -> bool:
    return False


def _raise_if_lost(error: Exception) -> None:
    """Raise an error again if the connection is lost, because then no row is at fault."""
    is_lost = connection.connection is None or getattr(connection.connection, "closed", False)
    if is_lost and isinstance(error, AWAY):
        raise error


def _each(action: Callable[..., object]) -> Apply:
    """Return an action on one decision as an action on many; skip those that are out of date."""

    def apply(decided: Sequence[Any], now: datetime, is_over: IsOver) -> int:
        done = 0
        for decision in decided:
            if is_over():
                break
            try:
                action(decision, now=now)
            except StaleState as error:
                logger.debug("%s: %s", type(decision).__name__, error)
            except Exception as error:  # one broken row must not stop the others
                _raise_if_lost(error)
                logger.exception("decision failed decision=%s", decision)
            else:
                done += 1
        return done

    return apply


def _in_slices(act: Callable[[Sequence[Any], datetime], int]) -> Apply:
    """Return an action on many tasks as one on slices of them; a slice that fails is halved."""

    def carry_out(decided: Sequence[Any], now: datetime) -> int:
        try:
            return act(decided, now)
        except Exception as error:
            _raise_if_lost(error)
            if len(decided) == 1:
                logger.exception("decision failed decision=%s", decided[0])
                return 0
            logger.warning("slice failed tasks=%d, halving it (%s)", len(decided), error)
            middle = len(decided) // 2
            return carry_out(decided[:middle], now) + carry_out(decided[middle:], now)

    def apply(decided: Sequence[Any], now: datetime, is_over: IsOver) -> int:
        done = 0
        for start in range(0, len(decided), TOGETHER):
            if is_over():
                break
            done += carry_out(decided[start : start + TOGETHER], now)
        return done

    return apply


def _cancel(decided: Sequence[decisions.CancelTask], now: datetime) -> int:
    """Cancel waiting tasks together, and those on offer one by one."""
    left = task_deadlines.cancel_overdue_tasks(decided, now=now)
    return len(decided) - len(left) + _GIVE_UP(left, now, _never)


_GIVE_UP: Final = _each(task_deadlines.cancel_overdue_task)


def _reserve(decided: Sequence[decisions.ReserveWorkers], now: datetime, is_over: IsOver) -> int:
    """Reserve for all decisions at once; if that fails, for each alone."""
    try:
        return offers.reserve_workers(decided, now=now)
    except Exception as error:
        _raise_if_lost(error)
        if len(decided) == 1:
            if not isinstance(error, StaleState):
                logger.exception("offer failed task=%s", decided[0].task.sid)
            return 0
        logger.warning("offers failed tasks=%d, retrying one by one (%s)", len(decided), error)
        return sum(_reserve([decision], now, is_over) for decision in decided)


def _time_out(decision: decisions.TimeOutReservation, *, now: datetime) -> None:
    reservations.time_out_reservation(sid=decision.reservation_sid, now=now)


APPLY: Final[dict[type[Any], Apply]] = {
    decisions.ReserveWorkers: _reserve,
    decisions.TimeOutReservation: _each(_time_out),
    decisions.EnterTarget: _in_slices(
        lambda decided, now: task_deadlines.enter_targets(decided, now=now)
    ),
    decisions.KeepWaiting: _each(task_deadlines.keep_waiting),
    decisions.CancelTask: _in_slices(_cancel),
}
"""The function that applies the decisions of each kind, and returns how many it applied."""


_PURSUE: Final = _each(
    lambda transfer, *, now: transfers.offer_to_next_worker(transfer=transfer, now=now)
)


def run_cycle(*, workspace: models.Workspace, now: datetime) -> int:
    """Run rounds until nothing is left to do now; return how many decisions were applied."""
    done, _ = _rounds(workspace, lambda: now)
    return done


def run_for_a_while(workspace: models.Workspace) -> bool:
    """Run rounds for about a second; return whether nothing is left to do.

    Every round reads the clock again, so that no offer begins in the past. The time limit lets the
    runner serve other workspaces.
    """
    _, finished = _rounds(workspace, timezone.now)
    return finished


def _rounds(workspace: models.Workspace, clock: Callable[[], datetime]) -> tuple[int, bool]:
    """Load and apply in rounds; return how many decisions were applied, and whether none is left.

    A decision whose rows have changed since the snapshot is dropped. The next round loads a new
    snapshot.
    """
    done = 0
    give_up_at = clock() + LONGEST
    for _ in range(MAX_ROUNDS):
        now = clock()
        begun = time.monotonic()
        count, again = run_round(workspace, now, functools.partial(_is_past, now + SLICE, clock))
        taken = time.monotonic() - begun
        if taken > settings.SLOW_CYCLE_SECONDS > 0:
            logger.warning(
                "slow cycle workspace=%s seconds=%.1f decisions=%d", workspace.sid, taken, count
            )
        done += count
        if not again:
            return done, True
        if now >= give_up_at:
            break
    return done, False


def _is_past(moment: datetime, clock: Callable[[], datetime]) -> bool:
    return clock() >= moment


def run_round(
    workspace: models.Workspace, now: datetime, is_over: IsOver = _never
) -> tuple[int, bool]:
    """Expire, match and skip once; return how many decisions were applied, and whether to repeat.

    Arguments:
        is_over: whether overdue work must give way to matching.
    """
    us = microseconds(now)
    seen = due_work.load_due_work(workspace, now=now)
    due = due_work.load_overdue_offers(workspace, now=now) if seen.offers_due else []
    done = _carry_out(matching_pass.expire(due, tasks=(), now=us), now, is_over)
    if seen.transfers_seek or due:
        done += _pursue_transfers(workspace, now, is_over)
    # A task whose offer has just expired may be due too.
    overdue = due_work.load_overdue_tasks(workspace, now=now) if seen.tasks_due or due else []
    done += _carry_out(matching_pass.expire((), tasks=overdue, now=us), now, is_over)
    again = len(due) >= due_work.BATCH or len(overdue) >= due_work.BATCH or is_over()
    if seen.somebody_free or due or overdue:
        looking = due_work.run_pass(workspace, now=now)
        matched = _carry_out(looking.decisions, now, _never)
        done += matched
        again |= looking.unfinished or matched < len(looking.decisions)
    if seen.skips_unasked or due or overdue:
        asked = _ask_to_skip(workspace, now)
        done += _carry_out(asked, now, _never)
        again |= any(isinstance(decision, decisions.EnterTarget) for decision in asked)
    return done, again


def _pursue_transfers(workspace: models.Workspace, now: datetime, is_over: IsOver) -> int:
    """Offer tasks in transfer to queues to workers of these queues."""
    seeking = models.Transfer.objects.filter(workspace=workspace, seeking=True)
    rows = seeking.select_related("workspace", "task__task_channel").order_by("pk")
    return _PURSUE(list(rows[: due_work.BATCH]), now, is_over)


def _ask_to_skip(workspace: models.Workspace, now: datetime) -> list[decisions.Decision]:
    workers_of = functools.cache(due_work.count_workers)
    return [
        matching_pass.ask_to_skip(task, workers=workers_of(queue_id), now=microseconds(now))
        for task, queue_id in due_work.load_skippable_tasks(workspace, now=now)
    ]


def _carry_out(decided: Sequence[decisions.Decision], now: datetime, is_over: IsOver) -> int:
    kinds = dict.fromkeys(type(decision) for decision in decided)
    return sum(
        APPLY[kind]([decision for decision in decided if type(decision) is kind], now, is_over)
        for kind in kinds
    )
