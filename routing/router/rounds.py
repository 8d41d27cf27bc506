"""Run the router in one workspace in rounds: load, decide, apply."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from routing import instruments, models
from routing.core import decisions, overdue
from routing.core.clock import microseconds
from routing.core.decisions import Decision, EnterTarget
from routing.router import applying, offer_latency
from routing.router.applying import IsOver, apply_decisions, never, offer_transfers
from routing.router.failures import process_failures
from routing.router.matching import match_workspace
from routing.snapshots import due_work
from routing.snapshots.due_work import DueWork

logger = logging.getLogger(__name__)

MAX_ROUNDS: Final = 100
"""Rounds of one run; the rest is left for the next wake or the sweep."""

LONGEST: Final = timedelta(seconds=1)
"""Time after which a run stops, and is woken again."""

OVERDUE_SHARE: Final = timedelta(milliseconds=250)
"""Time after which overdue work gives way to matching; the rest follows in the next round."""


def run_round(
    workspace: models.Workspace,
    now: datetime,
    is_over: IsOver = never,
    clock: Callable[[], datetime] | None = None,
    made: offer_latency.Made | None = None,
    due: DueWork | None = None,
) -> tuple[int, bool]:
    """Expire, match and skip once; return how many decisions were applied, and whether to repeat.

    Arguments:
        is_over: whether overdue work must give way to matching.
        clock: returns the time after overdue work; by default that is `now` too.
        made: gets the offers that the round has made.
        due: which kinds of work are due, if that has just been loaded.
    """
    due = due or due_work.load_due_work(workspace, now=now)
    find_paused = functools.partial(process_failures.find_paused, now=now)

    offers = wrap_ups = []
    if due.offers:
        paused = find_paused(decisions.TimeOutReservation)
        offers = due_work.load_overdue_offers(workspace, but=paused, now=now)
    applied = apply_decisions(overdue.decide_overdue_offers(offers), now, is_over)

    if due.wrap_ups:
        paused = find_paused(decisions.CompleteWrapUp)
        wrap_ups = due_work.load_overdue_wrap_ups(workspace, but=paused, now=now)
    applied += apply_decisions(overdue.decide_overdue_wrap_ups(wrap_ups), now, is_over)

    if due.transfers or offers:
        seeking = due_work.load_transfers(workspace, but=find_paused(models.Transfer))
        applied += offer_transfers(seeking, now, is_over)

    # A task whose offer has just expired may be due too.
    tasks, more_tasks = 0, False
    if due.tasks or offers:
        tasks, more_tasks = _apply_deadlines(workspace, now, is_over)
        applied += tasks
    again = max(len(offers), len(wrap_ups)) >= due_work.BATCH or more_tasks or is_over()

    if clock is not None:
        # Tasks may have been created since, and no offer may begin before its task.
        now = clock()
    if made is not None:
        made.begin(workspace, now=now, by_clock=due.beside_matching)
    if due.free_workers or offers or wrap_ups or tasks:
        matched = match_workspace(workspace, now=now)
        reserved = apply_decisions(matched.decisions, now)
        applied += reserved
        if made is not None:
            made.add(matched.decisions, reserved)
        again |= matched.unfinished or reserved < len(matched.decisions)

    if due.skips or offers or tasks:
        decided = _decide_skips(workspace, now)
        applied += apply_decisions(decided, now)
        again |= any(isinstance(decision, EnterTarget) for decision in decided)

    return applied, again


def _apply_deadlines(
    workspace: models.Workspace, now: datetime, is_over: IsOver
) -> tuple[int, bool]:
    """End or move overdue tasks, one slice after another.

    Returns how many decisions were applied, and whether more may be left.
    """
    applied = 0
    while True:
        # No more than one slice is loaded, as the time may be over after it.
        tasks = due_work.load_overdue_tasks(
            workspace,
            now=now,
            limit=applying.SLICE_SIZE,
            but=process_failures.find_paused(decisions.CancelTask, now=now),
            but_steps=process_failures.find_paused(decisions.EnterTarget, now=now),
        )
        decided = overdue.decide_overdue_tasks(tasks, now=microseconds(now))
        count = apply_decisions(decided, now, is_over)
        applied += count
        if len(tasks) < applying.SLICE_SIZE:
            return applied, False
        if not count or is_over():
            return applied, True


def _decide_skips(workspace: models.Workspace, now: datetime) -> list[Decision]:
    load_worker_counts = functools.cache(due_work.load_worker_counts)
    paused = process_failures.find_paused(
        decisions.CancelTask, decisions.EnterTarget, decisions.KeepWaiting, now=now
    )
    return [
        overdue.decide_skip(task, workers=load_worker_counts(queue_id), now=microseconds(now))
        for task, queue_id in due_work.load_skippable_tasks(workspace, but=paused, now=now)
    ]


def run_cycle(*, workspace: models.Workspace, now: datetime) -> int:
    """Run rounds until nothing is left to do now; return how many decisions were applied."""
    applied, _ = _run_rounds(workspace, lambda: now)
    return applied


def run_for_a_while(workspace: models.Workspace, due: DueWork | None = None) -> bool:
    """Run rounds for about a second; return whether nothing is left to do.

    Every round reads the clock again, so that no offer begins in the past. The time limit lets the
    runner serve other workspaces.

    Arguments:
        due: which kinds of work are due, if that has just been loaded.
    """
    _, finished = _run_rounds(workspace, timezone.now, due)
    return finished


def _run_rounds(
    workspace: models.Workspace, clock: Callable[[], datetime], due: DueWork | None = None
) -> tuple[int, bool]:
    """Run rounds; return how many decisions were applied, and whether none is left.

    Every round loads a new snapshot.
    """
    applied = 0
    give_up_at = clock() + LONGEST
    for _ in range(MAX_ROUNDS):
        now = clock()
        begun = time.monotonic()
        is_over = functools.partial(_is_past, now + OVERDUE_SHARE, clock)
        made = offer_latency.Made() if instruments.is_measuring() else None
        count, again = run_round(workspace, now, is_over, clock, made, due)
        due = None
        seconds = time.monotonic() - begun
        if made is not None:
            instruments.observe_round(seconds, made.count, by_clock=made.by_clock)
            made.observe_waits(now=clock())
        if seconds > settings.SLOW_CYCLE_SECONDS > 0:
            logger.warning(
                "slow cycle workspace=%s seconds=%.1f decisions=%d", workspace.sid, seconds, count
            )
        applied += count
        if not again:
            return applied, True
        if now >= give_up_at:
            break
    return applied, False


def _is_past(moment: datetime, clock: Callable[[], datetime]) -> bool:
    return clock() >= moment
