"""Time of slots and activities by quarter, found by walking back from the rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from routing import models, sids
from routing.actions import (
    offers,
    reservations,
    task_channels,
    workers,
    workspaces,
)
from routing.actors import SYSTEM
from routing.statistics import bookkeeper, occupancy, slot_figures
from routing.statistics.windows import Span
from tests import factories
from tests.factories import NOW, later
from tests.statistics.naive_slots import NaiveSlots
from tests.statistics.test_books import generate, read_log

# On PostgreSQL, events can be counted once their transaction has ended.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "postgresql")

HOUR_MS = 3_600_000


def write(workspace: models.Workspace, now: datetime) -> int:
    mark = bookkeeper.find_or_create_bookmark(workspace)
    return slot_figures.write_workspace(mark, end=bookkeeper.floor_minute(now))


def row(worker: models.Worker, channel: str = "", minute: int | None = None) -> Any:
    """Return the sums of a worker's rows, of a channel or about the worker."""
    key = 0
    if channel:
        key = sids.index_key(factories.channel(worker.workspace, channel).sid)
    rows = models.SlotFigure.objects.filter(
        worker_key=sids.index_key(worker.sid), task_channel_key=key
    )
    names = ("busy_ms", "free_ms", "offered_ms", "closed_ms", "effort_ms")
    found = rows.values_list(*names)
    return dict(zip(names, (sum(column) for column in zip(*found, strict=True)), strict=True))


def test_three_chats_at_once_for_an_hour() -> None:
    workspace = factories.workspace()
    factories.workflow(workspace, default=factories.queue(workspace))
    worker = factories.worker(workspace, capacity={"chat": 4})
    tasks = [factories.task(workspace) for _ in range(3)]
    held = [offers.grab_task(task=each, worker=worker, actor=SYSTEM, now=NOW) for each in tasks]
    for each in held:
        reservations.complete_reservation(reservation=each, actor=SYSTEM, now=later(3_600))
    assert write(workspace, later(7_200)) == 8
    chat, own = row(worker, "chat"), row(worker)
    assert chat["busy_ms"] == 3 * HOUR_MS
    assert chat["free_ms"] == HOUR_MS + 4 * HOUR_MS
    assert chat["effort_ms"] == HOUR_MS, "of each task a third"
    assert own["busy_ms"] == HOUR_MS
    assert own["free_ms"] == HOUR_MS
    assert models.SlotFigure.objects.filter(busy_ms=3 * 900_000).count() == 4


def test_occupancy_of_three_chats_at_once_for_an_hour() -> None:
    workspace = factories.workspace()
    worker = factories.worker(workspace, capacity={"chat": 4, "sms": 3})
    channel = factories.channel(workspace, "chat")
    task_channels.update_task_channel(channel=channel, occupancy_weight=2, actor=SYSTEM, now=NOW)
    for name in ("default", "voice", "video"):
        factories.set_capacity(worker, name, available=False)
    factories.workflow(workspace, default=factories.queue(workspace))
    tasks = [factories.task(workspace) for _ in range(3)]
    held = [offers.grab_task(task=each, worker=worker, actor=SYSTEM, now=NOW) for each in tasks]
    for each in held:
        reservations.complete_reservation(reservation=each, actor=SYSTEM, now=later(3_600))
    write(workspace, later(7_200))
    minute = bookkeeper.floor_minute(NOW)
    assert occupancy.find_known_until(workspace) == later(7_200)
    times = occupancy.load_slot_times(workspace, Span(minute, minute + 120))
    (found,) = times.values()
    chat = found.channels[sids.index_key(channel.sid)]
    assert (chat.slot_occupancy.part, chat.slot_occupancy.whole) == (3 * HOUR_MS, 8 * HOUR_MS)
    # Weighted: 2 × 3 busy hours of 2 × 8 hours of chat and 6 hours of SMS.
    assert (found.slot_occupancy.part, found.slot_occupancy.whole) == (6 * HOUR_MS, 22 * HOUR_MS)
    assert found.busy_share.percent == 50.0
    assert found.concurrency == 3.0
    assert found.effort_ms / 3 == HOUR_MS / 3
    both = occupancy.add_up([found, found])
    assert (both.busy_share.percent, both.concurrency) == (50.0, 3.0)
    first_hour = occupancy.load_slot_times(workspace, Span(minute, minute + 60))
    assert occupancy.add_up(first_hour.values()).busy_share.percent == 100.0
    available = sids.index_key(worker.activity.sid)
    spent = occupancy.load_activity_times(workspace, Span(minute, minute + 120))
    assert spent == {(sids.index_key(worker.sid), available): 2 * HOUR_MS}


def test_channels_workers_and_activities_that_are_gone_are_remembered() -> None:
    workspace = factories.workspace()
    worker = factories.worker(workspace, capacity={"leads": 2})
    given: dict[str, Any] = {"actor": SYSTEM}
    task_channels.delete_task_channel(
        channel=factories.channel(workspace, "leads"), now=later(900), **given
    )
    workers.delete_worker(worker=worker, now=later(1_800), **given)
    leads = models.Event.objects.get(event_type="task-channel.deleted").resource_sid
    write(workspace, later(3_600))
    rows = models.SlotFigure.objects.filter(worker_key=sids.index_key(worker.sid))
    on_leads = rows.get(task_channel_key=sids.index_key(leads))
    assert (on_leads.free_ms, on_leads.minute) == (2 * 900_000, bookkeeper.floor_minute(NOW))
    assert sum(each.free_ms for each in rows.filter(task_channel_key=0)) == 1_800_000
    total = models.ActivityFigure.objects.filter(worker_key=sids.index_key(worker.sid))
    assert sum(each.total_ms for each in total) == 1_800_000


def test_without_multitasking_only_the_worker_has_free_time() -> None:
    workspace = factories.workspace()
    worker = factories.worker(workspace)
    workspaces.update_workspace(
        workspace=workspace, multi_task_enabled=False, actor=SYSTEM, now=later(900)
    )
    workspace.refresh_from_db()
    write(workspace, later(1_800))
    assert row(worker, "chat")["free_ms"] == 900_000
    assert row(worker)["free_ms"] == 1_800_000


def test_quarters_are_written_once_and_go_on_where_they_ended() -> None:
    workspace = factories.workspace()
    worker = factories.worker(workspace)
    assert write(workspace, later(1_800)) == 2
    assert write(workspace, later(1_800)) == 0
    assert write(workspace, later(3_600)) == 2
    assert row(worker)["free_ms"] == HOUR_MS
    stale = models.Bookmark.objects.get()
    stale.slots_minute = bookkeeper.floor_minute(NOW)
    assert slot_figures.write_workspace(stale, end=bookkeeper.floor_minute(later(3_600))) == 0
    assert row(worker)["free_ms"] == HOUR_MS


def test_a_quarter_is_written_when_its_actions_have_ended() -> None:
    workspace = factories.workspace()
    bookkeeper.find_or_create_bookmark(workspace)
    assert slot_figures.write_slot_figures(now=later(929)) == 0
    assert slot_figures.write_slot_figures(now=later(930)) == 1


def test_a_process_writes_quarters_in_one_thread_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bookkeeper.find_or_create_bookmark(factories.workspace())
    write_workspace, written = slot_figures.write_workspace, []

    def write_beside_another(mark: models.Bookmark, *, end: int) -> int:
        written.append(slot_figures.write_slot_figures(now=later(930)))
        return write_workspace(mark, end=end)

    monkeypatch.setattr(slot_figures, "write_workspace", write_beside_another)
    assert slot_figures.write_slot_figures(now=later(930)) == 1
    assert written == [0]


def test_a_generated_day_equals_the_naive_walk_forward() -> None:
    day = generate(seed=11, events=500)
    end = bookkeeper.floor_minute(day.now) + 15
    naive = NaiveSlots(read_log(day.workspace), until_ms=end * 60_000)
    half = bookkeeper.floor_minute(day.now - (day.now - day.workspace.date_created) / 2)
    for until in (half, end):
        mark = bookkeeper.find_or_create_bookmark(day.workspace)
        while slot_figures.write_workspace(mark, end=until):
            mark.refresh_from_db()
    assert day.now - day.workspace.date_created > timedelta(hours=1)
    counted: dict[Any, float] = {}
    for each in models.SlotFigure.objects.all():
        channel = str(each.task_channel_key or "")
        for name in ("busy", "free", "offered", "effort", "closed"):
            cell = (each.minute // 15, str(each.worker_key), channel, name)
            counted[cell] = getattr(each, f"{name}_ms")
    for (quarter, worker, channel, name), expected in naive.cells.items():
        cell = (quarter, key(worker), key(channel), name)
        if name == "closed" and cell not in counted:
            continue
        assert abs(counted.pop(cell, 0) - expected) <= (0.5 if name == "effort" else 0)
    assert not any(counted.values())
    for found in models.ActivityFigure.objects.all():
        expected_ms = [
            total
            for (quarter, worker, activity), total in naive.activities.items()
            if (quarter, key(worker), key(activity))
            == (found.minute // 15, str(found.worker_key), str(found.activity_key))
        ]
        assert expected_ms == [found.total_ms]


def key(sid: str) -> str:
    return str(sids.index_key(sid)) if sid else ""
