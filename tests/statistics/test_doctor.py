"""The doctor finds rows that contradict others, and repairs the counters."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from routing import diagnosis, models
from tests import factories
from tests.factories import NOW


@pytest.fixture
def workspace(db: None) -> models.Workspace:
    made = factories.workspace()
    factories.worker(made, "Alice", capacity={"chat": 2})
    queue = factories.queue(made)
    factories.workflow(made, default=factories.target(queue, expression="worker.a == task.a"))
    factories.task(made, attributes={"a": 1})
    factories.accepted(made, routing_target=made.workers.get().sid)
    assert list(diagnosis.find_problems()) == []
    return made


def chat(workspace: models.Workspace) -> models.WorkerChannel:
    return factories.worker_channel(workspace.workers.get())


def problem() -> str:
    (found,) = diagnosis.find_problems()
    return found


def test_the_doctor_compares_slots_in_use_with_reservations(workspace: models.Workspace) -> None:
    models.WorkerChannel.objects.filter(pk=chat(workspace).pk).update(consumed=2, assigned=0)
    assert "counts 2 slots in use and 0 assigned; its reservations say 1 and 1" in problem()


@pytest.mark.parametrize("there", [True, False])
def test_the_doctor_compares_a_worker_s_availability_with_their_channels(
    workspace: models.Workspace, there: bool
) -> None:
    name = "Available" if there else "Offline"
    models.Worker.objects.update(activity=factories.activity(workspace, name))
    models.WorkerChannel.objects.update(worker_available=there)
    assert list(diagnosis.find_problems()) == []
    models.WorkerChannel.objects.filter(pk=chat(workspace).pk).update(worker_available=not there)
    found = problem()
    assert chat(workspace).sid in found
    assert found.endswith("is available" if there else "is not available")


def test_a_repair_counts_slots_and_sets_availability(workspace: models.Workspace) -> None:
    before = workspace.workers.get()
    models.WorkerChannel.objects.update(worker_available=False)
    models.WorkerChannel.objects.filter(pk=chat(workspace).pk).update(consumed=2, assigned=2)
    models.TaskCount.objects.update(tasks=7)
    with pytest.raises(CommandError):
        call_command("doctor", stdout=StringIO())
    told = StringIO()
    call_command("doctor", repair=True, stdout=told)
    assert "5 worker channels were corrected" in told.getvalue()
    right = chat(workspace)
    assert (right.consumed, right.assigned, right.worker_available) == (1, 1, True)
    # Decisions of a router with the wrong figures fail.
    assert workspace.workers.get().workload_version > before.workload_version
    told = StringIO()
    call_command("doctor", repair=True, stdout=told)
    assert "0 worker channels were corrected" in told.getvalue()


def test_a_slot_belongs_to_the_reservation_s_worker(workspace: models.Workspace) -> None:
    bob = factories.worker(workspace, "Bob")
    models.Reservation.objects.update(worker_channel=factories.worker_channel(bob))
    assert any("uses a slot of another worker" in each for each in diagnosis.find_problems())


def test_every_worker_has_every_channel(workspace: models.Workspace) -> None:
    chat_of_bob = factories.worker_channel(factories.worker(workspace, "Bob"))
    chat_of_bob.delete()
    assert problem().endswith("has 4 channels of 5")


def test_the_last_offer_of_a_worker_is_the_last_on_any_channel(workspace: models.Workspace) -> None:
    models.Worker.objects.update(last_reserved_us=None)
    assert "after the last offer" in problem()
    models.Worker.objects.update(last_reserved_us=1)
    assert "after the last offer" in problem()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"seek_path": "", "seek_value": ""}, "has the key '' at ''"),
        ({"digest": "another"}, "has a digest that is not that of its fields"),
        ({"ignore_capacity": True}, "has a digest that is not that of its fields"),
        ({"expression": "worker.a === ("}, "has an expression that cannot be parsed"),
    ],
)
def test_lanes_have_the_digest_and_key_of_their_demands(
    workspace: models.Workspace, wrong: dict[str, object], words: str
) -> None:
    models.Lane.objects.filter(tasks__assignment_status="pending").update(**wrong)
    assert any(words in each for each in diagnosis.find_problems())


def test_tasks_wait_on_the_lane_of_their_attributes(workspace: models.Workspace) -> None:
    waiting = models.Task.objects.filter(assignment_status="pending")
    waiting.update(attributes='{"a": 2}')
    assert problem().endswith("waits on another lane than its attributes require")
    waiting.update(attributes='{"a": 1}', priority=3)
    assert list(diagnosis.find_problems()) == []
    waiting.update(target_index=9, filter_index=0, step_clock_us=0)
    assert "cannot compute its lane" in problem()


def test_an_open_transfer_has_an_offer_or_is_searching(workspace: models.Workspace) -> None:
    held = models.Reservation.objects.get()
    transfer = models.Transfer.objects.create(
        sid="TT" + 32 * "0",
        workspace=workspace,
        task=held.task,
        initiating_reservation_sid=held.sid,
        initiating_worker_sid=held.current_worker.sid,
        transfer_mode="COLD",
        transfer_type="WORKER",
        transfer_to="WK" + 32 * "0",
        deadline_us=0,
        date_created=NOW,
        date_updated=NOW,
    )
    found = "\n".join(diagnosis.find_problems())
    assert f"transfer {transfer.sid} is in progress but no reservation is being" in found
    assert f"transfer {transfer.sid} does not seek a worker, and has no open offer" in found


@pytest.mark.django_db(transaction=True)
def test_the_doctor_reads_one_snapshot_and_blocks_no_writer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace = factories.workspace()
    look = diagnosis.find_problems

    def look_while_a_worker_comes() -> Iterator[str]:
        yield from look()
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(come).result()
        assert not workspace.workers.exists()
        yield from look()

    def come() -> None:
        factories.worker(workspace)
        connection.close()

    monkeypatch.setattr(diagnosis, "find_problems", look_while_a_worker_comes)
    call_command("doctor", stdout=StringIO())
    assert workspace.workers.exists()
