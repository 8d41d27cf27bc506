"""Housekeeping: old sessions and logins are deleted, and restored events precede new ones."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session

from config.patches.session_store import SessionStore
from routing import housekeeping, models
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def test_only_expired_sessions_are_removed() -> None:
    for name, expires in (("ended", NOW), ("lasting", NOW + timedelta(minutes=1))):
        store = SessionStore()
        store["name"] = name
        store.save()
        Session.objects.filter(session_key=store.session_key).update(expire_date=expires)
    housekeeping.delete_old_rows(now=NOW + timedelta(seconds=1))
    assert [row.get_decoded() for row in Session.objects.all()] == [{"name": "lasting"}]


def test_expired_sessions_are_removed_in_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    Session.objects.bulk_create(
        Session(session_key=f"key {number}", session_data="", expire_date=NOW)
        for number in range(5)
    )
    housekeeping.delete_old_rows(now=NOW + timedelta(seconds=1))
    assert not Session.objects.exists()


def test_failed_logins_are_removed_after_a_day() -> None:
    for username, hours in (("old", 25), ("new", 1)):
        made = AccessAttempt.objects.create(
            username=username, ip_address="192.0.2.1", failures_since_start=10
        )
        attempt_time = NOW - timedelta(hours=hours)
        AccessAttempt.objects.filter(pk=made.pk).update(attempt_time=attempt_time)
    housekeeping.delete_old_rows(now=NOW)
    assert [row.username for row in AccessAttempt.objects.all()] == ["new"]


def test_restored_events_precede_events_that_are_written_later() -> None:
    workspace = factories.workspace()
    log = models.Event.objects.filter(workspace_sid=workspace.sid).order_by("pk")
    first, second, *_ = log
    log.update(transaction_id=41)
    log.filter(pk=first.pk).update(transaction_id=42)  # committed last
    housekeeping.place_restored_events()
    second.refresh_from_db()
    factories.worker(workspace)
    unread = log.after(second).order_by("transaction_id", "pk")
    assert unread.last() == log.last()
    assert first in unread
    placed = list(log.values_list("transaction_id", flat=True))
    housekeeping.place_restored_events()
    assert placed == list(log.values_list("transaction_id", flat=True))
