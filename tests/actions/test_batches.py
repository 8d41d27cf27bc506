"""Acts of supervisors: rows with outcomes, going on after a death, stop, retry, undo."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from routing import housekeeping, jobs, models
from routing.actions import activities, reservations, tasks, worker_channels, workers
from routing.actions.supervision import batch_rows, batches, registry
from routing.actions.supervision.batches import Subject
from routing.actions.support.errors import InvalidInput, NotNow
from routing.actors import SYSTEM, Actor
from routing.core.clock import microseconds
from tests import factories

KIM = Actor(type="user", sid="kim", source="supervisor", ip_address="192.0.2.7")


@pytest.fixture
def workspace(db: None) -> models.Workspace:
    """Return a workspace where all that a test needs happens now."""
    return factories.workspace()


def create(
    workspace: models.Workspace, command: str, rows: Any, note: str = "", **arguments: Any
) -> models.Batch:
    subjects = [each if isinstance(each, Subject) else Subject(sid=each.sid) for each in rows]
    return batches.create_batch(
        workspace=workspace,
        command=command,
        arguments=arguments,
        subjects=subjects,
        note=note,
        actor=KIM,
        now=timezone.now(),
    )


def run(batch: models.Batch) -> models.Batch:
    assert batch_rows.run_slice(batch, most=batches.MOST_ROWS, seconds=60)
    return batch


def act(workspace: models.Workspace, command: str, rows: Any, **given: Any) -> models.Batch:
    return run(create(workspace, command, rows, **given))


def undo(batch: models.Batch) -> models.Batch:
    return run(batches.undo_batch(batch=batch, actor=KIM, now=timezone.now()))


def waiting_task(workspace: models.Workspace, **given: Any) -> models.Task:
    return factories.task(workspace, now=timezone.now(), **given)


def outcomes(batch: models.Batch) -> dict[str, str]:
    return dict(batch.rows.values_list("subject_sid", "outcome"))


def reason(batch: models.Batch) -> str:
    return batch.rows.get().reason


def chat(workspace: models.Workspace) -> str:
    return factories.channel(workspace).sid


def capacities(*people: models.Worker) -> list[int]:
    return [factories.worker_channel(each).configured_capacity for each in people]


# --- Outcomes -------------------------------------------------------------------------------------


def test_each_row_of_a_batch_has_an_outcome_with_old_and_new_value(
    workspace: models.Workspace,
) -> None:
    alice, bob, full = (
        factories.worker(workspace, capacity={"chat": slots}) for slots in (2, 3, 50)
    )
    gone = factories.worker(workspace)
    batch = create(
        workspace,
        "workers.set_capacity",
        [alice, bob, full, gone],
        note=" more \n hands ",
        channel=chat(workspace),
        by=1,
    )
    workers.delete_worker(worker=gone, actor=SYSTEM, now=timezone.now())
    run(batch)
    assert outcomes(batch) == {
        alice.sid: "done",
        bob.sid: "done",
        full.sid: "refused",
        gone.sid: "gone",
    }
    assert capacities(alice, bob, full) == [3, 4, 50]
    row = batch.rows.get(subject_sid=bob.sid)
    assert (row.old, row.new, row.subject_name) == (
        {"configured_capacity": 3},
        {"configured_capacity": 4},
        bob.friendly_name,
    )
    refused = batch.rows.get(subject_sid=full.sid)
    assert refused.reason == "capacity is 51; it must be a whole number from 0 to 50"
    assert (batch.state, batch.done, batch.refused, batch.gone) == ("finished", 2, 1, 1)
    event = models.Event.objects.filter(event_type="worker.capacity.update").latest("pk")
    assert (event.source, event.actor_type, event.actor_sid) == ("supervisor", "user", "kim")
    assert event.source_ip_address == "192.0.2.7"
    assert event.event_data["batch_sid"] == batch.sid
    assert event.event_data["note"] == "more hands"


def test_a_row_that_has_the_value_already_is_left_alone(workspace: models.Workspace) -> None:
    alice = factories.worker(workspace, capacity={"chat": 2})
    before = factories.last_event()
    batch = act(workspace, "workers.set_capacity", [alice], channel=chat(workspace), to=2)
    assert outcomes(batch) == {alice.sid: "same"}
    assert factories.event_types(before) == []


def test_a_row_changed_since_it_was_shown_is_refused(workspace: models.Workspace) -> None:
    alice, lunch = factories.worker(workspace), factories.activity(workspace, "Lunch")
    seen = Subject(sid=alice.sid, version=microseconds(alice.date_status_changed))
    workers.set_activity(worker=alice, activity=lunch, actor=SYSTEM, now=timezone.now())
    batch = act(workspace, "workers.set_capacity", [seen], channel=chat(workspace), to=5)
    assert reason(batch) == batch_rows.CHANGED
    assert capacities(alice) == [1]


def test_an_offer_since_does_not_make_an_agent_another_one(workspace: models.Workspace) -> None:
    alice = factories.worker(workspace)
    seen = Subject(sid=alice.sid, version=microseconds(alice.date_status_changed))
    factories.offered(workspace, now=timezone.now())
    batch = act(workspace, "workers.set_capacity", [seen], channel=chat(workspace), to=5)
    assert (outcomes(batch), capacities(alice)) == ({alice.sid: "done"}, [5])


def test_a_row_of_another_workspace_is_as_one_that_is_gone(workspace: models.Workspace) -> None:
    stranger = factories.task(factories.workspace())
    batch = act(workspace, "tasks.cancel", [stranger], reason="test")
    assert outcomes(batch) == {stranger.sid: "gone"}
    assert factories.status(stranger) == "pending"


@pytest.mark.parametrize(
    ("rows", "fault"), [(0, "no rows are selected"), (5_001, "at most 5000 can be changed at once")]
)
def test_a_batch_is_bounded(workspace: models.Workspace, rows: int, fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        create(workspace, "tasks.cancel", [Subject(sid=f"WT{n:032x}") for n in range(rows)])


def test_an_error_of_one_row_stops_no_other(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = (factories.worker(workspace) for _ in range(2))
    command = registry.COMMANDS["workers.set_capacity"]

    def fail_once(order: Any) -> Any:
        if order.sid == alice.sid:
            raise ZeroDivisionError
        return command.run(order)

    changed = {"workers.set_capacity": replace(command, run=fail_once)}
    monkeypatch.setattr(batch_rows, "COMMANDS", changed)
    batch = act(workspace, "workers.set_capacity", [alice, bob], channel=chat(workspace), to=2)
    assert outcomes(batch) == {alice.sid: "refused", bob.sid: "done"}


def test_a_row_that_the_database_never_answers_is_given_up(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = (factories.worker(workspace) for _ in range(2))
    command = registry.COMMANDS["workers.set_capacity"]

    def hang(order: Any) -> Any:
        if order.sid == alice.sid:
            raise OperationalError
        return command.run(order)

    changed = {"workers.set_capacity": replace(command, run=hang)}
    monkeypatch.setattr(batch_rows, "COMMANDS", changed)
    batch = create(workspace, "workers.set_capacity", [alice, bob], channel=chat(workspace), to=2)
    for _ in range(batch_rows.MOST_ATTEMPTS - 1):
        with pytest.raises(OperationalError):
            batch_rows.run_slice(batch, most=5)
    run(batch)
    assert outcomes(batch) == {alice.sid: "refused", bob.sid: "done"}


# --- Going on -------------------------------------------------------------------------------------


class Killed(BaseException):
    """The end of a process in the middle of a row."""


def test_a_batch_goes_on_from_the_first_row_without_an_outcome(
    workspace: models.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [factories.worker(workspace) for _ in range(5)]
    batch = create(workspace, "workers.set_capacity", people, channel=chat(workspace), by=1)
    command = registry.COMMANDS["workers.set_capacity"]

    def die_at_the_third(order: Any) -> Any:
        change = command.run(order)
        if order.sid == people[2].sid:
            raise Killed
        return change

    with monkeypatch.context() as patched:
        killing = {"workers.set_capacity": replace(command, run=die_at_the_third)}
        patched.setattr(batch_rows, "COMMANDS", killing)
        with pytest.raises(Killed):
            batch_rows.run_slice(batch, most=5)
    assert capacities(*people) == [2, 2, 1, 1, 1]
    # Its lease still holds, so no job takes it; then the sweep finds it.
    jobs.run_batch(sid=batch.sid)
    assert batch_rows.list_abandoned_batches() == []
    models.Batch.objects.update(lease_until=timezone.now())
    jobs.sweep_batches()
    batch.refresh_from_db()
    assert (batch.state, batch.done) == ("finished", 5)
    assert capacities(*people) == [2] * 5
    told = models.Event.objects.filter(event_type="worker.capacity.update")
    assert Counter(each.resource_sid for each in told) == {each.sid: 1 for each in people}


def test_a_job_that_runs_out_of_time_leaves_the_rest_to_another(
    workspace: models.Workspace,
) -> None:
    people = [factories.worker(workspace) for _ in range(3)]
    batch = create(workspace, "workers.set_capacity", people, channel=chat(workspace), to=4)
    assert not batch_rows.run_slice(batch, most=5, seconds=0)
    assert batch.rows.filter(outcome="done").count() == 1
    run(batch)
    assert batch.done == 3


def test_a_stopped_batch_reaches_no_further_row(workspace: models.Workspace) -> None:
    people = [factories.worker(workspace) for _ in range(3)]
    batch = create(workspace, "workers.set_capacity", people, channel=chat(workspace), to=4)
    batch_rows.run_slice(batch, most=1)
    batches.stop_batch(batch=batch, now=timezone.now())
    batch_rows.run_slice(batch, most=5)
    batch.refresh_from_db()
    assert (batch.state, batch.done, batch.not_reached) == ("stopped", 1, 2)
    assert capacities(*people) == [4, 1, 1]
    with pytest.raises(NotNow, match="over already"):
        batches.stop_batch(batch=batch, now=timezone.now())


def test_what_was_refused_or_not_reached_is_tried_again(workspace: models.Workspace) -> None:
    alice, bob = factories.worker(workspace), factories.worker(workspace)
    away = factories.activity(workspace, "Offline")
    offer = factories.offered(workspace, now=timezone.now())
    batch = act(workspace, "workers.set_activity", [alice, bob], to=away.sid, reject_offers=False)
    assert offer.worker is not None
    assert outcomes(batch)[offer.worker.sid] == "refused"
    reservations.reject_reservation(reservation=offer, actor=SYSTEM, now=timezone.now())
    again = batches.retry_batch(batch=batch, actor=KIM, now=timezone.now())
    assert again.size == 1
    assert run(again).done == 1
    with pytest.raises(NotNow, match="nothing is left to try again"):
        batches.retry_batch(batch=again, actor=KIM, now=timezone.now())


# --- Undo -----------------------------------------------------------------------------------------


def test_an_undo_sets_back_only_what_still_stands(workspace: models.Workspace) -> None:
    people = [factories.worker(workspace, capacity={"chat": 2}) for _ in range(10)]
    batch = act(workspace, "workers.set_capacity", people, channel=chat(workspace), by=1)
    for each, slots in zip(people[:2], (7, 9), strict=True):
        factories.set_capacity(each, configured_capacity=slots)
    undone = undo(batch)
    assert (undone.done, undone.refused) == (8, 2)
    assert capacities(*people) == [7, 9] + [2] * 8
    left = undone.rows.filter(outcome="refused").values_list("subject_sid", "reason")
    assert dict(left) == {
        people[0].sid: "capacity has changed since: it is 7 now, not 3",
        people[1].sid: "capacity has changed since: it is 9 now, not 3",
    }
    assert undone.undo_of == batch
    assert list(batch.undone_by.all()) == [undone]
    row = undone.rows.get(subject_sid=people[9].sid)
    assert (row.old, row.new) == ({"configured_capacity": 3}, {"configured_capacity": 2})


def test_a_batch_is_undone_once_and_within_a_day(workspace: models.Workspace) -> None:
    alice = factories.worker(workspace)
    given: dict[str, Any] = {"channel": chat(workspace), "to": 3}
    batch = act(workspace, "workers.set_capacity", [alice], **given)
    late = timezone.now() + batches.UNDO_FOR + timedelta(minutes=1)
    with pytest.raises(NotNow, match="older than 24 hours"):
        batches.undo_batch(batch=batch, actor=KIM, now=late)
    undone = undo(batch)
    with pytest.raises(NotNow, match="undone already"):
        undo(batch)
    with pytest.raises(NotNow, match="this is an undo itself"):
        undo(undone)
    running = create(workspace, "workers.set_capacity", [alice], **given)
    with pytest.raises(NotNow, match="still running"):
        undo(running)


def test_an_act_that_makes_no_way_back_is_not_undone(workspace: models.Workspace) -> None:
    batch = act(workspace, "tasks.cancel", [waiting_task(workspace)], reason="duplicate")
    with pytest.raises(NotNow, match="cannot be undone"):
        undo(batch)


# --- Each command ---------------------------------------------------------------------------------


def test_kept_slots_and_the_switch_of_a_channel_are_set_and_set_back(
    workspace: models.Workspace,
) -> None:
    alice, channel = factories.worker(workspace, capacity={"chat": 3}), chat(workspace)
    kept = act(workspace, "workers.set_kept", [alice], channel=channel, to=2)
    off = act(workspace, "workers.set_available", [alice], channel=channel, to=False)
    row = factories.worker_channel(alice)
    assert (row.reserved_for_manual, row.available) == (2, False)
    undo(kept)
    undo(off)
    row = factories.worker_channel(alice)
    assert (row.reserved_for_manual, row.available) == (0, True)


def test_an_activity_is_set_with_open_offers_only_if_they_are_to_be_rejected(
    workspace: models.Workspace,
) -> None:
    alice = factories.worker(workspace)
    offer = factories.offered(workspace, now=timezone.now())
    away = factories.activity(workspace, "Offline")
    refused = act(workspace, "workers.set_activity", [alice], to=away.sid, reject_offers=False)
    assert "has open offers (1)" in reason(refused)
    batch = act(workspace, "workers.set_activity", [alice], to=away.sid, reject_offers=True)
    assert factories.status(offer) == "rejected"
    undo(batch)
    alice.refresh_from_db()
    assert alice.activity.friendly_name == "Available"


def test_an_activity_that_is_gone_is_refused_with_words(workspace: models.Workspace) -> None:
    alice = factories.worker(workspace)
    lunch = activities.create_activity(
        workspace=workspace,
        friendly_name="Lunch",
        available=False,
        actor=SYSTEM,
        now=timezone.now(),
    )
    batch = create(workspace, "workers.set_activity", [alice], to=lunch.sid, reject_offers=False)
    activities.delete_activity(activity=lunch, actor=SYSTEM, now=timezone.now())
    assert reason(run(batch)) == f"the activity {lunch.sid} no longer exists"


def test_attributes_are_edited_path_by_path_and_set_back(workspace: models.Workspace) -> None:
    alice = factories.worker(workspace, attributes={"languages": ["en"], "team": {"name": "a"}})
    batch = act(
        workspace,
        "workers.set_attributes",
        [alice],
        edits=[
            {"kind": "add", "path": "languages", "value": "es"},
            {"kind": "set", "path": "team.floor", "value": 3},
            {"kind": "remove", "path": "skills", "value": "x"},
        ],
    )
    alice.refresh_from_db()
    assert json.loads(alice.attributes) == {
        "languages": ["en", "es"],
        "team": {"name": "a", "floor": 3},
    }
    row = batch.rows.get()
    assert row.old == {"languages": ["en"]}
    assert row.new == {"languages": ["en", "es"], "team.floor": 3}
    undo(batch)
    alice.refresh_from_db()
    assert json.loads(alice.attributes) == {"languages": ["en"], "team": {"name": "a"}}


def test_attributes_of_another_form_are_refused_with_words(workspace: models.Workspace) -> None:
    alice = factories.worker(workspace, attributes={"languages": "en"})
    edits = [{"kind": "add", "path": "languages", "value": "es"}]
    batch = act(workspace, "workers.set_attributes", [alice], edits=edits)
    assert "'languages' is no list" in reason(batch)
    edits = [{"kind": "set", "path": "languages.main", "value": "es"}]
    batch = act(workspace, "workers.set_attributes", [alice], edits=edits)
    assert "'languages', which is no object" in reason(batch)


def test_an_attribute_changed_since_is_not_set_back(workspace: models.Workspace) -> None:
    alice = factories.worker(workspace, attributes={"level": 1})
    edits = [{"kind": "set", "path": "level", "value": 2}]
    batch = act(workspace, "workers.set_attributes", [alice], edits=edits)
    workers.update_worker(worker=alice, attributes='{"level": 5}', actor=SYSTEM, now=timezone.now())
    assert "'level' has changed since" in reason(undo(batch))


def test_a_priority_is_set_and_set_back(workspace: models.Workspace) -> None:
    task = waiting_task(workspace, priority=3)
    batch = act(workspace, "tasks.set_priority", [task], by=4)
    task.refresh_from_db()
    assert task.priority == 7
    undo(batch)
    task.refresh_from_db()
    assert task.priority == 3
    assert "priority is -6" in reason(act(workspace, "tasks.set_priority", [task], by=-9))


ASSIGNMENT = {"hand_over": False, "ignore_capacity": False, "ignore_expressions": False}


def test_an_assignment_is_withdrawn_until_it_is_answered(workspace: models.Workspace) -> None:
    alice, task = factories.worker(workspace), waiting_task(workspace)
    batch = act(workspace, "tasks.assign", [task], to=alice.sid, **ASSIGNMENT)
    undo(batch)
    assert factories.status(task) == "pending"
    batch = act(workspace, "tasks.assign", [task], to=alice.sid, **ASSIGNMENT)
    offer = factories.reservation(task)
    reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=timezone.now())
    assert "take the task back from its worker instead" in reason(undo(batch))


def test_an_assignment_is_refused_in_words_about_the_worker(workspace: models.Workspace) -> None:
    away = factories.worker(workspace, "Ben", available=False)
    batch = act(workspace, "tasks.assign", [waiting_task(workspace)], to=away.sid, **ASSIGNMENT)
    assert reason(batch) == "Ben: The worker's activity does not take work."


def test_a_move_is_set_back_to_the_first_step_of_the_workflow(workspace: models.Workspace) -> None:
    flow, lane = factories.workflow(workspace), factories.queue(workspace)
    task = waiting_task(workspace, priority=2)
    batch = act(workspace, "tasks.move", [task], to=lane.sid, priority=9)
    assert outcomes(act(workspace, "tasks.move", [task], to=lane.sid)) == {task.sid: "same"}
    undo(batch)
    task.refresh_from_db()
    assert (task.workflow, task.priority) == (flow, 2)
    assert task.filter_index is not None
    other = act(workspace, "tasks.move", [task], to=lane.sid)
    tasks.update_task(task=task, priority=5, actor=SYSTEM, now=timezone.now())
    act(workspace, "tasks.move", [task], to=factories.queue(workspace).sid)
    assert reason(undo(other)) == "the task has been moved since"


def test_tasks_in_hand_are_transferred_and_taken_back(workspace: models.Workspace) -> None:
    alice = factories.worker(workspace, "Alice")
    held = factories.accepted(workspace, now=timezone.now())
    bob = factories.worker(workspace, "Bob")
    batch = act(workspace, "tasks.transfer", [held.task], to=bob.sid, note="please help")
    transfer = models.Transfer.objects.get()
    assert (transfer.initiating_worker_sid, transfer.note) == (alice.sid, "please help")
    undo(batch)
    assert factories.status(held.task) == "assigned"
    batch = act(workspace, "tasks.take_back", [held.task], reason="gone home")
    assert batch.rows.get().old == {"status": "assigned", "worker": alice.sid}
    assert factories.status(held.task) == "pending"
    assert "no worker has task" in reason(act(workspace, "tasks.take_back", [held.task]))


def test_a_call_is_not_transferred(workspace: models.Workspace) -> None:
    factories.worker(workspace, capacity={"voice": 1})
    held = factories.accepted(workspace, channel="voice", now=timezone.now())
    bob = factories.worker(workspace)
    batch = act(workspace, "tasks.transfer", [held.task], to=bob.sid)
    assert "there is no telephone network here" in reason(batch)


def test_tasks_are_ended_with_a_reason(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    held = factories.accepted(workspace, now=timezone.now())
    act(workspace, "tasks.wrap_up", [held.task], reason="stuck")
    assert factories.status(held.task) == "wrapping"
    act(workspace, "tasks.complete", [held.task], reason="stuck")
    assert factories.status(held.task) == "completed"
    assert outcomes(act(workspace, "tasks.complete", [held.task])) == {held.task.sid: "same"}
    assert "not pending or reserved" in reason(act(workspace, "tasks.cancel", [held.task]))


def test_offers_are_withdrawn_and_tasks_routed_again(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    offer = factories.offered(workspace, now=timezone.now())
    batch = act(workspace, "tasks.withdraw_offers", [offer.task])
    assert (batch.done, factories.status(offer)) == (1, "canceled")
    assert act(workspace, "tasks.reevaluate", [offer.task]).done == 1


def test_a_grab_policy_is_set_and_set_back(workspace: models.Workspace) -> None:
    queue = factories.queue(workspace)
    policy = {"grab_policy": "oldest", "grab_limit": 3}
    batch = act(workspace, "queues.set_grab_policy", [queue], **policy)
    queue.refresh_from_db()
    assert (queue.grab_policy, queue.grab_limit) == ("oldest", 3)
    assert outcomes(act(workspace, "queues.set_grab_policy", [queue], **policy)) == {
        queue.sid: "same"
    }
    undo(batch)
    queue.refresh_from_db()
    assert (queue.grab_policy, queue.grab_limit) == ("anything", 10)


def test_a_target_of_a_queue_is_set_and_set_back(workspace: models.Workspace) -> None:
    queue, channel = factories.queue(workspace), factories.channel(workspace)
    batch = act(
        workspace, "queues.set_target", [queue], channel=channel.sid, threshold=20, formula="A"
    )
    row = batch.rows.get()
    assert (row.old, row.new) == (
        {"threshold": 60, "formula": "B"},
        {"threshold": 20, "formula": "A"},
    )
    assert queue.targets.get().threshold == 20
    undo(batch)
    assert (queue.targets.get().threshold, queue.targets.get().formula) == (60, "B")
    wrong = act(workspace, "queues.set_target", [queue], channel=channel.sid, threshold=7)
    assert "it must be one of" in reason(wrong)


# --- Retention ------------------------------------------------------------------------------------


def test_rows_are_forgotten_with_events_and_batches_much_later(
    workspace: models.Workspace, settings: Any
) -> None:
    alice = factories.worker(workspace)
    batch = act(workspace, "workers.set_capacity", [alice], channel=chat(workspace), to=3)
    now = batch.date_created + timedelta(days=settings.TASK_RETENTION_DAYS, hours=1)
    housekeeping.delete_old_rows(now=now)
    batch.refresh_from_db()
    assert (batch.done, batch.rows.count()) == (1, 0)
    later = batch.date_created + timedelta(days=settings.FIGURES_RETENTION_DAYS, hours=1)
    housekeeping.delete_old_rows(now=later)
    assert not models.Batch.objects.exists()


def test_a_channel_that_its_worker_has_changed_since_is_left(workspace: models.Workspace) -> None:
    alice = factories.worker(workspace)
    off = act(workspace, "workers.set_available", [alice], channel=chat(workspace), to=False)
    worker_channels.update_worker_channel(
        channel=factories.worker_channel(alice), available=True, actor=SYSTEM, now=timezone.now()
    )
    assert "available has changed since" in reason(undo(off))
