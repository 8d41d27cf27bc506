"""Create, stop, repeat and undo batches: the acts of supervisors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from routing import models, sids
from routing.actions.supervision.batch_rows import LEASE, finish_batch
from routing.actions.supervision.registry import COMMANDS
from routing.actions.support import inputs, locking
from routing.actions.support.errors import InvalidInput, NotNow
from routing.actors import Actor
from routing.core.vocabulary import BatchState, RowOutcome
from routing.models.batches import LONGEST_NOTE

MOST_ROWS: Final = 5_000
"""Rows of a batch."""
AT_ONCE: Final = 50
"""Rows up to which a batch is run in the request that creates it."""
UNDO_FOR: Final = timedelta(hours=24)
"""How long a batch can be undone."""
_CHUNK: Final = 500
_FREE_TEXTS: Final = ["reason"]
"""Arguments that are a text of the supervisor."""

_Model = type[models.Worker] | type[models.Task] | type[models.TaskQueue]
_SUBJECTS: Final[Mapping[str, _Model]] = {
    "WK": models.Worker,
    "WT": models.Task,
    "WQ": models.TaskQueue,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One row that a batch is to change, and the version that the supervisor saw."""

    sid: str
    version: int | None = None


@transaction.atomic
def create_batch(
    *,
    workspace: models.Workspace,
    command: str,
    arguments: Mapping[str, Any],
    subjects: Iterable[Subject],
    note: str | None = None,
    actor: Actor,
    now: datetime,
) -> models.Batch:
    """Create a batch with its frozen list of rows; the caller runs it, or a job does.

    A subject that is not in the workspace gets a row that ends as `gone`, as one does that is
    deleted before its turn.

    Raises `InvalidInput`.
    """
    if command not in COMMANDS:
        raise InvalidInput(f"there is no command {command[:40]!r}", field="command")
    unique = {each.sid: each for each in subjects}
    if not unique:
        raise InvalidInput("no rows are selected; select at least one", field="subjects")
    if len(unique) > MOST_ROWS:
        raise InvalidInput(
            f"{len(unique)} rows are selected; at most {MOST_ROWS} can be changed at once",
            field="subjects",
        )
    batch = _build_batch(workspace, command, arguments, note, actor, now)
    rows = [
        models.BatchRow(
            batch=batch,
            position=position,
            subject_sid=sid,
            subject_name=name,
            seen_version=unique[sid].version,
        )
        for position, (sid, name) in enumerate(_sort_by_lock(workspace, command, list(unique)))
    ]
    _save(batch, rows)
    return batch


def _sort_by_lock(
    workspace: models.Workspace, command: str, wanted: Sequence[str]
) -> list[tuple[str, str]]:
    """Return the sids with the names of their rows, in the order in which actions lock them."""
    model = _SUBJECTS[COMMANDS[command].subject]
    named = model is not models.Task
    found: list[tuple[int, str, str]] = []
    for start in range(0, len(wanted), _CHUNK):
        rows = model._default_manager.filter(
            workspace=workspace, sid__in=wanted[start : start + _CHUNK]
        )
        columns = ("pk", "sid", "friendly_name") if named else ("pk", "sid")
        found += [(*row, "")[:3] for row in rows.values_list(*columns)]
    known = {sid for _, sid, _ in found}
    return [(sid, name) for _, sid, name in sorted(found)] + [
        (sid, "") for sid in wanted if sid not in known
    ]


def _build_batch(
    workspace: models.Workspace,
    command: str,
    arguments: Mapping[str, Any],
    note: str | None,
    actor: Actor,
    now: datetime,
) -> models.Batch:
    note = " ".join((note or "").split())
    return models.Batch(
        sid=sids.new_ordered_sid("BA", now),
        workspace=workspace,
        command=command,
        arguments=dict(arguments),
        note=inputs.check_text(note, field="note", limit=LONGEST_NOTE) or None,
        actor_sid=actor.sid or "",
        ip_address=actor.ip_address,
        lease_until=now + LEASE,
        date_created=now,
        date_updated=now,
    )


def _save(batch: models.Batch, rows: Sequence[models.BatchRow]) -> None:
    batch.size = len(rows)
    batch.save(force_insert=True)
    for row in rows:
        row.batch = batch
    models.BatchRow.objects.bulk_create(rows, batch_size=_CHUNK)


@transaction.atomic
def stop_batch(*, batch: models.Batch, now: datetime) -> models.Batch:
    """Stop a batch: rows without an outcome are not reached. A row being run is still done.

    Raises `NotNow` when the batch is over.
    """
    running = models.Batch.objects.filter(pk=batch.pk, state=BatchState.RUNNING.value)
    if not running.update(state=BatchState.STOPPED.value, date_updated=now):
        raise NotNow("this act is over already; nothing is left to stop")
    left = models.BatchRow.objects.filter(batch=batch, outcome="")
    left.update(outcome=RowOutcome.NOT_REACHED.value)
    finish_batch(batch, BatchState.STOPPED)
    return batch


def retry_batch(*, batch: models.Batch, actor: Actor, now: datetime) -> models.Batch:
    """Create a batch for the rows of another that were refused or not reached.

    Raises `NotNow` when there are none, or the batch is not over.
    """
    _check_over(batch)
    if batch.undo_of_id is not None:
        raise NotNow("an undo is not tried again: what it left has changed since")
    again = [RowOutcome.REFUSED.value, RowOutcome.NOT_REACHED.value]
    left = batch.rows.filter(outcome__in=again).values_list("subject_sid", flat=True)
    subjects = [Subject(sid=sid) for sid in left]
    if not subjects:
        raise NotNow("no row of this act failed; nothing is left to try again")
    return create_batch(
        workspace=batch.workspace,
        command=batch.command,
        arguments=batch.arguments,
        subjects=subjects,
        note=batch.note,
        actor=actor,
        now=now,
    )


@transaction.atomic
def undo_batch(
    *, batch: models.Batch, note: str | None = None, actor: Actor, now: datetime
) -> models.Batch:
    """Create a batch that sets back what another did, where that still stands.

    Raises `NotNow` when it is not over, cannot be undone, was undone, or is older than `UNDO_FOR`.
    """
    locking.lock_row(batch)
    batch.refresh_from_db()
    _check_over(batch)
    if (why := explain_no_undo(batch, now=now)) is not None:
        raise NotNow(why)
    made = _build_batch(batch.workspace, batch.command, batch.arguments, note, actor, now)
    made.undo_of = batch
    rows = [
        models.BatchRow(
            position=position,
            subject_sid=row.subject_sid,
            subject_name=row.subject_name,
            old=row.new,
            new=row.old,
        )
        for position, row in enumerate(
            batch.rows.filter(outcome=RowOutcome.DONE.value).order_by("position")
        )
    ]
    try:
        with transaction.atomic():
            _save(made, rows)
    except IntegrityError:
        raise NotNow("this act was undone already") from None
    return made


def explain_no_undo(batch: models.Batch, *, now: datetime) -> str | None:
    """Return why a finished batch cannot be undone, or None."""
    if batch.undo_of_id is not None:
        return "this is an undo itself; repeat the act instead"
    if COMMANDS[batch.command].undo is None:
        return "this act cannot be undone"
    if not batch.done:
        return "no row of this act was changed; nothing is left to undo"
    if now - batch.date_created > UNDO_FOR:
        return "this act is older than 24 hours, so it cannot be undone any more"
    if models.Batch.objects.filter(undo_of=batch).exists():
        return "this act was undone already"
    return None


def _check_over(batch: models.Batch) -> None:
    if batch.state == BatchState.RUNNING:
        raise NotNow("this act is still running; wait for its end, or stop it")


def erase_texts(rows: QuerySet[models.Batch]) -> None:
    """Erase notes and reasons of batches: a supervisor may have written of a customer."""
    written = Q(note__isnull=False) | Q(arguments__has_any_keys=_FREE_TEXTS)
    for batch in rows.filter(written).iterator(chunk_size=_CHUNK):
        kept = {name: each for name, each in batch.arguments.items() if name not in _FREE_TEXTS}
        models.Batch.objects.filter(pk=batch.pk).update(note=None, arguments=kept)
