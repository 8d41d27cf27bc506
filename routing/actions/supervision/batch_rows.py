"""Run the rows of a batch one by one, each with its outcome in its own transaction.

A process that dies leaves the rows that it did with their outcomes, and the others without one.
The next process begins with the first row that has none, so no row is done twice.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from routing import models
from routing.actions.supervision.commands import Change, Gone, Order, Unchanged
from routing.actions.supervision.registry import COMMANDS
from routing.actions.support.errors import ActionError, StaleState
from routing.actors import Actor
from routing.core.vocabulary import BatchState, RowOutcome
from routing.db.errors import AWAY

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=15)
"""How long a process may work on a batch before another one may continue it."""
SLICE_SECONDS: Final = 3.0
"""How long a job works on a batch before it lets other jobs run."""
CHANGED: Final = "it has changed since it was shown; look again and decide again"
"""The reason of a row whose version is another one, or that changed at the same moment."""
MOST_ATTEMPTS: Final = 3
"""How often a row is tried while the database does not answer."""

_RUNNING: Final = BatchState.RUNNING.value


def run_slice(batch: models.Batch, *, most: int, seconds: float = SLICE_SECONDS) -> bool:
    """Run rows until there are no more, or so many are done, or so much time has passed.

    Returns whether the batch has an end now. The caller has the lease of the batch.
    """
    end = time.monotonic() + seconds
    for _ in range(most):
        if not _run_next_row(batch):
            return finish_batch(batch)
        if time.monotonic() >= end:
            break
    return finish_batch(batch)


def claim_batch(sid: str) -> models.Batch | None:
    """Take the lease of a running batch, if no other process has it."""
    now = timezone.now()
    free = models.Batch.objects.filter(sid=sid, state=_RUNNING, lease_until__lte=now)
    if not free.update(lease_until=now + LEASE):
        return None
    return models.Batch.objects.select_related("workspace__account").get(sid=sid)


def release_batch(batch: models.Batch) -> None:
    """Give the lease back, so that the next job continues at once."""
    rows = models.Batch.objects.filter(pk=batch.pk, state=_RUNNING)
    rows.update(lease_until=timezone.now())


def list_abandoned_batches() -> list[str]:
    """Return the sids of running batches on which no process works."""
    left = models.Batch.objects.filter(state=_RUNNING, lease_until__lte=timezone.now())
    return list(left.order_by("lease_until").values_list("sid", flat=True)[:100])


def finish_batch(batch: models.Batch, state: BatchState = BatchState.FINISHED) -> bool:
    """End a batch whose rows all have an outcome; return whether it has an end."""
    rows = models.BatchRow.objects.filter(batch=batch)
    if rows.filter(outcome="").exists():
        return False
    now = timezone.now()
    counts = count_outcomes(batch)
    models.Batch.objects.filter(pk=batch.pk, date_finished=None).update(
        state=state.value, date_finished=now, date_updated=now, **counts
    )
    batch.refresh_from_db()
    return True


def count_outcomes(batch: models.Batch) -> dict[str, int]:
    """Return how many rows have each outcome, by the names of the columns."""
    counted: dict[str, int] = models.BatchRow.objects.filter(batch=batch).aggregate(
        **{each.value: Count("pk", filter=Q(outcome=each.value)) for each in RowOutcome}
    )
    return counted


def _run_next_row(batch: models.Batch) -> bool:
    """Run the first row without an outcome; return False if there is none to take."""
    taken: models.BatchRow | None = None
    try:
        with transaction.atomic():
            taken = _take_row(batch)
            if taken is None:
                return False
            _run_row(batch, taken)
    except AWAY:
        if taken is None or not _count_attempt(taken):
            raise
    return True


def _take_row(batch: models.Batch) -> models.BatchRow | None:
    """Lock the first row without an outcome, unless the batch was stopped.

    Another process that works on the batch too has locked its row, which is skipped.
    """
    rows = models.BatchRow.objects.filter(batch=batch, batch__state=_RUNNING, outcome="")
    return rows.select_for_update(skip_locked=True, of=("self",)).order_by("position").first()


def _run_row(batch: models.Batch, row: models.BatchRow) -> None:
    """Run one row and store its outcome; a refusal undoes nothing but the row's own change."""
    outcome, reason = RowOutcome.DONE, ""
    try:
        with transaction.atomic():
            change = _apply(batch, row)
            row.old, row.new = dict(change.old), dict(change.new)
    except Unchanged:
        outcome = RowOutcome.SAME
    except Gone:
        outcome = RowOutcome.GONE
    except (StaleState, IntegrityError):
        # With the latter, a row that the change refers to was deleted at this moment.
        outcome, reason = RowOutcome.REFUSED, CHANGED
    except ActionError as error:
        outcome, reason = RowOutcome.REFUSED, error.message
    except AWAY:
        raise
    except Exception:
        logger.exception("batch.row_failed batch=%s subject=%s", batch.sid, row.subject_sid)
        outcome = RowOutcome.REFUSED
        reason = "an error of the server, which its log describes; nothing was changed"
    row.outcome, row.reason = outcome.value, reason
    row.save(update_fields=["outcome", "reason", "old", "new"])


def _apply(batch: models.Batch, row: models.BatchRow) -> Change:
    """Run the batch's command on a row, or undo what the other batch did to it."""
    command = COMMANDS[batch.command]
    order = Order(
        workspace=batch.workspace,
        sid=row.subject_sid,
        arguments=batch.arguments,
        actor=build_actor(batch),
        now=timezone.now(),
        version=row.seen_version,
    )
    if batch.undo_of_id is None:
        return command.run(order)
    assert command.undo is not None
    # The rows of an undo begin with what the other batch did: they have it in reverse.
    done = Change(old=row.new or {}, new=row.old or {})
    command.undo(order, done)
    return Change(old=done.new, new=done.old)


def build_actor(batch: models.Batch) -> Actor:
    """Return the actor that the events of a batch name."""
    return Actor(
        type="user",
        sid=batch.actor_sid,
        source="supervisor",
        ip_address=batch.ip_address,
        batch_sid=batch.sid,
        note=batch.note,
    )


def _count_attempt(row: models.BatchRow) -> bool:
    """Count a try that the database did not answer; return whether the row is given up.

    A row that always takes too long must not keep a batch from its end.
    """
    rows = models.BatchRow.objects.filter(pk=row.pk, outcome="")
    rows.update(attempts=F("attempts") + 1)
    given_up = rows.filter(attempts__gte=MOST_ATTEMPTS).update(
        outcome=RowOutcome.REFUSED.value,
        reason="the database did not answer in time; nothing was changed",
    )
    return bool(given_up)
