"""Run the router in one workspace: look, decide, do; the whole story on one screen."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from routing import models, store
from routing.actions import deadlines, offers, reservations, task_statuses, transfers
from routing.actions.errors import StaleState
from routing.core import cycle, decisions
from routing.core.clock import microseconds

logger = logging.getLogger(__name__)

MAX_ROUNDS: Final = 100
"""How often one run looks again; what is left then is for the next wake or the sweep."""

LONGEST: Final = timedelta(seconds=1)
"""After so long a run gives way, and is woken again."""


SLICE: Final = timedelta(milliseconds=250)
"""After so long, what is due gives way to offers; the rest follows in the next round."""

TOGETHER: Final = 100
"""So many waiting tasks whose time is up are locked at once."""


IsOver = Callable[[], bool]


Apply = Callable[[Sequence[Any], datetime, IsOver], int]


def _never() -> bool:
    return False


def _raise_if_lost(error: Exception) -> None:
    """Raise an error again after which the connection is gone: no row is at fault."""
    is_lost = connection.connection is None or getattr(connection.connection, "closed", False)
    if is_lost and isinstance(error, OperationalError | InterfaceError):
        raise error


def _each(action: Callable[..., object]) -> Apply:
    """Return an action on one decision as one on many; what has changed since is dropped."""

    def apply(decided: Sequence[Any], now: datetime, is_over: IsOver) -> int:
        done = 0
        for decision in decided:
            if is_over():
                break
            try:
                action(decision, now=now)
            except StaleState as error:
                logger.debug("%s: %s", type(decision).__name__, error)
            except Exception as error:  # one row that nothing can be done with stops no other
                _raise_if_lost(error)
                logger.exception("%s cannot be carried out", decision)
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
                logger.exception("%s cannot be carried out", decided[0])
                return 0
            logger.warning("%d tasks cannot be moved on together (%s)", len(decided), error)
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
    left = deadlines.give_up_together(decided, now=now)
    return len(decided) - len(left) + _GIVE_UP(left, now, _never)


_GIVE_UP: Final = _each(task_statuses.give_up)


def _reserve(decided: Sequence[decisions.ReserveWorkers], now: datetime, is_over: IsOver) -> int:
    """Reserve for all at once; when that fails, for each alone, so that one stops no other."""
    try:
        return offers.reserve_workers(decided, now=now)
    except Exception as error:
        _raise_if_lost(error)
        if len(decided) == 1:
            if not isinstance(error, StaleState):
                logger.exception("task %s cannot be offered", decided[0].task.sid)
            return 0
        logger.warning("%d tasks cannot be offered together (%s)", len(decided), error)
        return sum(_reserve([decision], now, is_over) for decision in decided)


def _time_out(decision: decisions.TimeOutReservation, *, now: datetime) -> None:
    reservations.time_out_reservation(sid=decision.reservation_sid, now=now)


APPLY: Final[dict[type[Any], Apply]] = {
    decisions.ReserveWorkers: _reserve,
    decisions.TimeOutReservation: _each(_time_out),
    decisions.EnterTarget: _in_slices(
        lambda decided, now: deadlines.enter_targets(decided, now=now)
    ),
    decisions.KeepWaiting: _each(task_statuses.keep_waiting),
    decisions.CancelTask: _in_slices(_cancel),
}
"""What carries out the decisions of each kind, and tells how many it did."""


_PURSUE: Final = _each(lambda transfer, *, now: transfers.pursue(transfer=transfer, now=now))


def run_cycle(*, workspace: models.Workspace, now: datetime) -> int:
    """Do everything that the router finds to do now; return how many decisions were carried out."""
    done, _ = _rounds(workspace, lambda: now)
    return done


def run_for_a_while(workspace: models.Workspace) -> bool:
    """Run rounds for about a second; return whether everything was done that could be.

    Every round asks the clock anew, so that no offer begins in the past; and no workspace keeps the
    runner from the others.
    """
    _, finished = _rounds(workspace, timezone.now)
    return finished


def _rounds(workspace: models.Workspace, clock: Callable[[], datetime]) -> tuple[int, bool]:
    """Look and do, again and again; tell how much was done, and whether nothing is left.

    Whatever changed between looking and doing makes a decision fail without a trace; the next round
    looks anew.
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
    """Expire, match, skip; return how much was done and whether to look again.

    Arguments:
        is_over: whether what is due shall give way to offers.
    """
    us = microseconds(now)
    seen = store.glance(workspace, now=now)
    due = store.load_overdue_offers(workspace, now=now) if seen.offers_due else []
    done = _carry_out(cycle.expire(due, tasks=(), now=us), now, is_over)
    if seen.transfers_seek or due:
        done += _pursue_transfers(workspace, now, is_over)
    # A task whose offer ended just now may itself be due.
    overdue = store.load_overdue_tasks(workspace, now=now) if seen.tasks_due or due else []
    done += _carry_out(cycle.expire((), tasks=overdue, now=us), now, is_over)
    again = len(due) >= store.BATCH or len(overdue) >= store.BATCH or is_over()
    if seen.somebody_free or due or overdue:
        looking = store.look(workspace, now=now)
        matched = _carry_out(looking.decisions, now, _never)
        done += matched
        again |= looking.unfinished or matched < len(looking.decisions)
    if seen.skips_unasked or due or overdue:
        asked = _ask_to_skip(workspace, now)
        done += _carry_out(asked, now, _never)
        again |= any(isinstance(decision, decisions.EnterTarget) for decision in asked)
    return done, again


def _pursue_transfers(workspace: models.Workspace, now: datetime, is_over: IsOver) -> int:
    """Offer the tasks that are handed on to queues to workers of these."""
    seeking = models.Transfer.objects.filter(workspace=workspace, seeking=True)
    rows = seeking.select_related("workspace", "task__task_channel").order_by("pk")
    return _PURSUE(list(rows[: store.BATCH]), now, is_over)


def _ask_to_skip(workspace: models.Workspace, now: datetime) -> list[decisions.Decision]:
    workers_of = functools.cache(store.count_workers)
    return [
        cycle.ask_to_skip(task, workers=workers_of(queue_id), now=microseconds(now))
        for task, queue_id in store.load_skippable_tasks(workspace, now=now)
    ]


def _carry_out(decided: Sequence[decisions.Decision], now: datetime, is_over: IsOver) -> int:
    kinds = dict.fromkeys(type(decision) for decision in decided)
    return sum(
        APPLY[kind]([decision for decision in decided if type(decision) is kind], now, is_over)
        for kind in kinds
    )
