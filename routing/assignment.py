"""Run the router in one workspace: look, decide, do; the whole story on one screen."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from routing import models, store
from routing.actions import offers, reservations, task_statuses, transfers
from routing.actions.errors import StaleState
from routing.core import cycle, decisions
from routing.core.clock import microseconds

logger = logging.getLogger(__name__)

MAX_ROUNDS: Final = 100
"""How often one run looks again; what is left then is for the next wake or the sweep."""

LONGEST: Final = timedelta(seconds=1)
"""After so long a run gives way, and is woken again."""


Apply = Callable[[Sequence[Any], datetime], int]


def _each(action: Callable[..., object]) -> Apply:
    """Return an action on one decision as one on many; what has changed since is dropped."""

    def apply(decided: Sequence[Any], now: datetime) -> int:
        done = 0
        for decision in decided:
            try:
                action(decision, now=now)
            except StaleState as error:
                logger.debug("%s: %s", type(decision).__name__, error)
            except Exception:  # one row that nothing can be done with stops no other
                logger.exception("%s cannot be carried out", decision)
            else:
                done += 1
        return done

    return apply


def _reserve(decided: Sequence[decisions.ReserveWorkers], now: datetime) -> int:
    """Reserve for all at once; when that fails, for each alone, so that one stops no other."""
    try:
        return offers.reserve_workers(decided, now=now)
    except Exception as error:
        if len(decided) == 1:
            if not isinstance(error, StaleState):
                logger.exception("task %s cannot be offered", decided[0].task.sid)
            return 0
        logger.warning("%d tasks cannot be offered together (%s)", len(decided), error)
        return sum(_reserve([decision], now) for decision in decided)


def _time_out(decision: decisions.TimeOutReservation, *, now: datetime) -> None:
    reservations.time_out_reservation(sid=decision.reservation_sid, now=now)


APPLY: Final[dict[type[Any], Apply]] = {
    decisions.ReserveWorkers: _reserve,
    decisions.TimeOutReservation: _each(_time_out),
    decisions.EnterTarget: _each(task_statuses.enter_target),
    decisions.KeepWaiting: _each(task_statuses.keep_waiting),
    decisions.CancelTask: _each(task_statuses.give_up),
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
        count, again = run_round(workspace, now)
        done += count
        if not again:
            return done, True
        if now >= give_up_at:
            break
    return done, False


def run_round(workspace: models.Workspace, now: datetime) -> tuple[int, bool]:
    """Expire, match, skip; tell how much was done and whether to look again."""
    us = microseconds(now)
    seen = store.glance(workspace, now=now)
    due = store.load_overdue_offers(workspace, now=now) if seen.offers_due else []
    done = _carry_out(cycle.expire(due, tasks=(), now=us), now)
    if seen.transfers_seek or due:
        done += _pursue_transfers(workspace, now)
    # A task whose offer ended just now may itself be due.
    overdue = store.load_overdue_tasks(workspace, now=now) if seen.tasks_due or due else []
    done += _carry_out(cycle.expire((), tasks=overdue, now=us), now)
    again = len(due) >= store.BATCH or len(overdue) >= store.BATCH
    if seen.somebody_free or due or overdue:
        looking = store.look(workspace, now=now)
        matched = _carry_out(looking.decisions, now)
        done += matched
        again |= looking.unfinished or matched < len(looking.decisions)
    if seen.skips_unasked or due or overdue:
        asked = _ask_to_skip(workspace, now)
        done += _carry_out(asked, now)
        again |= any(isinstance(decision, decisions.EnterTarget) for decision in asked)
    return done, again


def _pursue_transfers(workspace: models.Workspace, now: datetime) -> int:
    """Find somebody for the tasks that are handed on to queues."""
    seeking = models.Transfer.objects.filter(workspace=workspace, seeking=True)
    rows = seeking.select_related("workspace", "task__task_channel").order_by("pk")
    return sum(_PURSUE([row], now) for row in rows[: store.BATCH])


def _ask_to_skip(workspace: models.Workspace, now: datetime) -> list[decisions.Decision]:
    workers_of = functools.cache(store.count_workers)
    return [
        cycle.ask_to_skip(task, workers=workers_of(queue_id), now=microseconds(now))
        for task, queue_id in store.load_skippable_tasks(workspace, now=now)
    ]


def _carry_out(decided: Sequence[decisions.Decision], now: datetime) -> int:
    kinds = dict.fromkeys(type(decision) for decision in decided)
    return sum(
        APPLY[kind]([decision for decision in decided if type(decision) is kind], now)
        for kind in kinds
    )
