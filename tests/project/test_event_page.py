"""The page about events names every type of event, and every field."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from routing import models
from routing.actions import reservations, task_transitions, tasks, transfers, workers
from routing.actors import SYSTEM
from routing.core.event_catalog import EventType
from routing.core.vocabulary import TransferMode
from tests import factories
from tests.compatibility import event_table
from tests.factories import NOW, later
from tests.server import ROOT

PAGE: Final = event_table.written_by_hand()
NAMED: Final = set(re.findall(r"`([a-z_.-]+)`", PAGE))
GROUPS: Final = {
    group: set(re.findall(r"`([a-z]+_\w+)`", fields))
    for group, fields in re.findall(r"^\| (\w+) \| (`.*) \|$", PAGE, re.MULTILINE)
}


def test_the_page_names_every_event_type() -> None:
    missing = set(EventType) - NAMED
    assert not missing, f"docs/events.md has no row for {', '.join(sorted(missing))}: add one"


def test_the_table_of_event_audiences_is_current() -> None:
    assert event_table.PAGE.read_text() == event_table.page(), "run `make docs`"


def test_the_page_names_every_field() -> None:
    source = (ROOT / "routing" / "events" / "payloads.py").read_text()
    declared = "".join(path.read_text() for path in (ROOT / "routing" / "fields").glob("*.py"))
    fields = set(re.findall(r'"([a-z_]+)"(?::|\])', source))
    fields |= set(re.findall(r'(?:event|created)="(\w+)"', declared))
    assert {"task_age", "transfer_failed_reason", "worker_channel_sid"} <= fields
    assert not fields - NAMED


def data_of(event_type: str) -> dict[str, Any]:
    data: dict[str, Any] = (
        models.Event.objects.filter(event_type=event_type).latest("pk").event_data
    )
    return data


@pytest.mark.django_db
def test_events_of_transfers_have_the_groups_that_the_page_lists() -> None:
    workspace = factories.workspace()
    alice = factories.worker(workspace, "Alice")
    held = factories.accepted(workspace)
    bob = factories.worker(workspace, "Bob")
    given: dict[str, Any] = {"actor": SYSTEM, "now": NOW}

    def hand_on() -> models.Transfer:
        return transfers.begin_transfer(
            reservation=held, to=bob.sid, mode=TransferMode.COLD, **given
        )

    def offer() -> models.Reservation:
        return bob.reservations.get(reservation_status="pending")

    transfers.cancel_transfer(transfer=hand_on(), **given)
    hand_on()
    reservations.reject_reservation(reservation=offer(), **given)
    hand_on()
    before = factories.last_event()
    reservations.accept_reservation(reservation=offer(), **given)
    assert factories.event_types(before) == [
        "reservation.accepted",
        "task.transfer-completed",
        "reservation.completed",
        "task.updated",
    ]
    told = [each for each in EventType if each.value.startswith("task.transfer-")]
    for each in told:
        data = data_of(each)
        assert GROUPS["transfer"] <= data.keys()
        assert GROUPS["worker"] <= data.keys()
        assert data["worker_sid"] == data["transfer_initiating_worker_sid"] == alice.sid
        assert data["task_sid"] == held.task.sid
        assert data["transfer_to"] == bob.sid
    assert data_of("task.transfer-attempt-failed")["transfer_failed_reason"]
    assert GROUPS["transfer"] <= data_of("reservation.accepted").keys()


@pytest.mark.django_db
def test_no_event_has_a_field_that_the_page_does_not_name() -> None:
    workspace = factories.workspace()
    alice = factories.worker(workspace, "Alice")
    held = factories.accepted(workspace)
    given: dict[str, Any] = {"actor": SYSTEM, "now": NOW}
    factories.set_capacity(alice, configured_capacity=2, available=False)
    factories.set_capacity(alice, available=True)
    waiting = factories.offered(workspace, attributes={"a": 1}, timeout=5)
    factories.run(workspace, later(130))
    task_transitions.complete_task(task=held.task, reason="done", **given)
    tasks.delete_task(task=held.task, **given)
    direct = factories.task(workspace, routing_target=alice.sid, ignore_capacity=False, timeout=9)
    factories.run(workspace, later(150))
    workers.delete_worker(worker=alice, **given)
    assert factories.status(direct) == factories.status(waiting.task) == "canceled"
    seen = {
        field
        for data in models.Event.objects.values_list("event_data", flat=True)
        for field in data
    }
    assert {"holder_sids", "task_canceled_reason", "worker_channel_previous_capacity"} <= seen
    assert not seen - NAMED
