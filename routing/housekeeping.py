"""Delete old rows and overdue tasks, in jobs outside the routing path."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery

from routing import models
from routing.actions import tasks
from routing.actions.idempotency import LIFETIME
from routing.actions.supervision import batches
from routing.actions.support.errors import StaleState
from routing.core.clock import microseconds
from routing.core.event_catalog import EventType
from routing.core.vocabulary import ReservationStatus
from routing.db.sql.events import PLACE_RESTORED_EVENTS
from routing.events import unpublished
from routing.models.lanes import KEPT_EMPTY_FOR
from routing.statistics import bookkeeper

BATCH: Final = 1_000
"""Rows that a single statement deletes, so that its locks are short."""
FAILED_LOGINS_KEPT_FOR: Final = timedelta(days=1)
"""Far longer than failed logins can lock a login out."""


def delete_old_rows(*, now: datetime) -> None:
    """Delete rows past their retention: finished tasks, events, callbacks, lanes, logins."""
    old = now - timedelta(days=settings.TASK_RETENTION_DAYS)
    while finished := list(
        models.Task.objects.filter(date_finished__lt=old).values_list("pk", flat=True)[:BATCH]
    ):
        models.Task.objects.filter(pk__in=finished).delete()
    _delete_old_callbacks(now)
    _delete_oldest(models.IdempotencyKey.objects.all(), date_created__lte=now - LIFETIME)
    _delete_old_logins(now)
    _delete_oldest(models.Event.objects.all(), event_date__lt=old)
    unpublished.delete_orphans()
    _delete_old_figures(now)
    _delete_old_batches(now)
    _delete_oldest(models.Alert.objects.all(), date_cleared__lt=old)
    place_restored_events()
    used = models.Task.objects.filter(lane=OuterRef("pk"))
    models.Lane.objects.filter(~Exists(used), date_seen__lt=now - KEPT_EMPTY_FOR).delete()


def _delete_old_figures(now: datetime) -> None:
    """Delete figures past their retention; totals are kept."""
    kept = timedelta(days=settings.FIGURES_RETENTION_DAYS)
    oldest = bookkeeper.floor_minute(now - kept)
    for workspace in models.Workspace.objects.order_by("pk"):
        _delete_all(models.Figure.objects.filter(workspace=workspace, minute__lt=oldest))
        _delete_all(models.FigureWait.objects.filter(workspace=workspace, minute__lt=oldest))
        _delete_all(models.SlotFigure.objects.filter(workspace=workspace, minute__lt=oldest))
        _delete_all(models.ActivityFigure.objects.filter(workspace=workspace, minute__lt=oldest))


def _delete_old_callbacks(now: datetime) -> None:
    """Delete old callbacks, and deliveries before their events.

    Receivers are deleted when their workspace or workflow is gone and nothing is pending.
    """
    days = min(settings.CALLBACK_RETENTION_DAYS, settings.TASK_RETENTION_DAYS)
    old = now - timedelta(days=days)
    _delete_oldest(models.CallbackDelivery.objects.all(), date_created__lt=old)
    _delete_oldest(models.AssignmentCallback.objects.all(), date_created__lt=old)
    here = OuterRef("sid")
    models.CallbackReceiver.objects.filter(
        ~Exists(models.Workspace.objects.filter(sid=here)),
        ~Exists(models.Workflow.objects.filter(sid=here)),
        ~Exists(models.CallbackDelivery.objects.pending().filter(workspace_sid=here)),
    ).delete()


def _delete_old_batches(now: datetime) -> None:
    """Delete the rows of supervisors' batches with their events, and the batches much later.

    What supervisors wrote about tasks ends with the rows.
    """
    days = timedelta(days=settings.TASK_RETENTION_DAYS)
    _delete_oldest(models.BatchRow.objects.all(), batch__date_created__lt=now - days)
    about_tasks = models.Batch.objects.filter(command__startswith="tasks.")
    batches.erase_texts(about_tasks.filter(date_created__lt=now - days))
    days = timedelta(days=settings.FIGURES_RETENTION_DAYS)
    _delete_oldest(models.Batch.objects.all(), date_created__lt=now - days)


def _delete_old_logins(now: datetime) -> None:
    """Delete sessions that have ended, and failed logins that no limit counts any more."""
    _delete_all(Session.objects.filter(expire_date__lt=now))
    _delete_all(AccessAttempt.objects.filter(attempt_time__lt=now - FAILED_LOGINS_KEPT_FOR))


def _delete_all(rows: QuerySet[Any]) -> None:
    """Delete these rows in batches."""
    while found := list(rows.values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=found).delete()


def _delete_oldest(rows: QuerySet[Any], **old: datetime) -> None:
    """Delete old rows in batches, from the lowest id.

    Ids grow with time, so no index on the dates is needed to find the oldest rows.
    """
    deleted = 1
    while deleted:
        first = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        deleted, _ = rows.filter(pk__in=first, **old).delete()


def place_restored_events(**_: object) -> None:
    """Move events from another database before all that this one will ever write.

    They carry that database's transaction ids, while this PostgreSQL counts from the start again
    and SQLite writes 0. New events would seem to be older, and restored ones to be uncommitted.
    Called after every migration, and hourly.
    """
    tables = connection.introspection.table_names()
    if models.Event._meta.db_table not in tables:
        return
    _move_restored_events()
    if models.Bookmark._meta.db_table in tables:
        _move_bookmarks()


def _move_bookmarks() -> None:
    """Move the bookmarks of figures with their events, or before all if the event is gone."""
    at_mark = models.Event.objects.filter(pk=OuterRef("event_id")).values("transaction_id")
    marks = models.Bookmark.objects.annotate(moved_to=Subquery(at_mark))
    astray = Q(moved_to=None) | ~Q(moved_to=F("transaction_id"))
    for mark in marks.filter(astray, event_id__gt=0):
        place = mark.moved_to
        if place is None and not _is_foreign(mark.transaction_id):
            # It was deleted here, as it is old; its place in the log is still right.
            continue
        models.Bookmark.objects.filter(pk=mark.pk, event_id=mark.event_id).update(
            transaction_id=bookkeeper.BEFORE_ALL if place is None else place
        )


def _is_foreign(transaction_id: int) -> bool:
    """Return whether this database has not had a transaction of this id yet."""
    if connection.vendor != "postgresql":
        return transaction_id > 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        return bool(transaction_id >= cursor.fetchone()[0])


def _move_restored_events() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(PLACE_RESTORED_EVENTS)
        return
    for sid in models.Workspace.objects.values_list("sid", flat=True):
        log = models.Event.objects.filter(workspace_sid=sid)
        foreign = log.filter(transaction_id__gt=0)
        last = foreign.aggregate(transaction=Max("transaction_id"), pk=Max("pk"))
        if last["transaction"] is not None:
            log.filter(pk__lte=last["pk"]).update(
                transaction_id=F("transaction_id") - last["transaction"] - 1
            )


def delete_overdue_tasks(*, now: datetime) -> None:
    """Delete tasks held for longer than `ASSIGNED_TASK_LIFETIME`, if that is set."""
    if settings.ASSIGNED_TASK_LIFETIME is None:
        return
    for held in _list_reservations_held_since(
        now - timedelta(seconds=settings.ASSIGNED_TASK_LIFETIME)
    ):
        try:
            tasks.delete_overdue_task(held=held, now=now)
        except StaleState:  # completed since the query
            continue


def _list_reservations_held_since(moment: datetime) -> list[models.Reservation]:
    """Return the reservations that were accepted at this moment or before, and are still held.

    An offer whose deadline was before the moment was accepted before it. For others the event is
    checked. It lies within the time of the offer, where an index by type and date finds it.
    """
    accepted = models.Event.objects.filter(
        workspace_sid=OuterRef("workspace__sid"),
        resource_sid=OuterRef("sid"),
        event_type=EventType.RESERVATION_ACCEPTED.value,
        event_date__gte=OuterRef("date_created"),
        event_date__lte=moment,
    )
    return list(
        models.Reservation.objects.open()
        .exclude(reservation_status=ReservationStatus.PENDING.value)
        .filter(
            Q(deadline_us__lte=microseconds(moment)) | Exists(accepted), date_created__lte=moment
        )
        .order_by("pk")[:BATCH]
    )
