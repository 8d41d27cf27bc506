"""Tasks: creation, changes, the end; each with its events in order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from routing import models
from routing.actions import task_transitions, tasks
from routing.actions.support.errors import InvalidInput, NotNow, StaleState
from routing.actors import SYSTEM
from tests import factories
from tests.factories import NOW, filter_, later, target

Happened = Callable[[], list[str]]


def update(task: models.Task, **changes: object) -> models.Task:
    return tasks.update_task(task=task, actor=SYSTEM, now=NOW, **changes)  # type: ignore[arg-type]


def test_a_new_task_enters_its_workflow_and_its_queue(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    factories.workflow(workspace)
    recorded_events()
    task = factories.task(workspace)
    assert task.assignment_status == "pending"
    assert task.task_queue_entered_date == NOW
    assert recorded_events() == [
        "workflow.entered",
        "task-queue.entered",
        "task.created",
        "workflow.target-matched",
    ]


def test_a_task_without_a_channel_is_on_default(workspace: models.Workspace) -> None:
    factories.workflow(workspace)
    task = tasks.create_task(workspace=workspace, actor=SYSTEM, now=NOW)
    assert task.task_channel.unique_name == "default"


def test_a_task_that_no_filter_matches_is_refused_and_leaves_no_trace(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    queue = factories.queue(workspace)
    factories.workflow(workspace, filter_("vip == true", target(queue)))
    recorded_events()
    with pytest.raises(InvalidInput, match="no filter of the workflow matches"):
        factories.task(workspace)
    assert recorded_events() == []
    assert not models.Task.objects.exists()
    assert factories.task(workspace, attributes={"vip": True}).task_queue == queue


def test_the_workflow_may_be_left_out_only_when_there_is_one(workspace: models.Workspace) -> None:
    first = factories.workflow(workspace)
    assert factories.task(workspace).workflow == first
    factories.workflow(workspace)
    with pytest.raises(InvalidInput, match="workflow_sid field is required"):
        factories.task(workspace)
    assert factories.task(workspace, workflow=first).workflow == first


@pytest.mark.parametrize(
    "given",
    [
        {"attributes": "{not json"},
        {"attributes": "[1, 2]"},
        {"attributes": '{"a": 1, "a": 2}'},
        {"attributes": '{"a": NaN}'},
        {"attributes": '{"a": "\\u0000"}'},
        {"attributes": '{"a": ' + "[" * 2000 + "]" * 2000 + "}"},
        {"attributes": '{"a": "' + "x" * 4096 + '"}'},
        {"priority": -1},
        {"priority": 2**31},
        {"timeout": 0},
        {"timeout": 1_209_601},
        {"virtual_start_time": NOW + timedelta(seconds=1)},
        {"virtual_start_time": NOW.replace(year=1899)},
        {"ignore_capacity": True},
        {"routing_target": "WK" + "0" * 32},
        {"routing_target": "nonsense"},
    ],
)
def test_values_out_of_range_are_refused(
    workspace: models.Workspace, given: dict[str, object]
) -> None:
    factories.workflow(workspace)
    with pytest.raises(InvalidInput) as refused:
        factories.task(workspace, **given)
    assert refused.value.field in given
    assert not models.Task.objects.exists()


def test_values_at_their_bounds_are_accepted(workspace: models.Workspace) -> None:
    factories.workflow(workspace)
    text = '{"a": "' + "x" * (4096 - 9) + '"}'
    task = factories.task(
        workspace, attributes=text, priority=2**31 - 1, timeout=1_209_600, virtual_start_time=NOW
    )
    task.refresh_from_db()
    assert task.attributes == text


def test_new_attributes_route_a_pending_task_again_and_keep_its_age(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    plain, vip = factories.queue(workspace), factories.queue(workspace)
    factories.workflow(workspace, filter_("vip == true", target(vip, priority=9)), default=plain)
    task = factories.task(workspace)
    recorded_events()
    task = tasks.update_task(task=task, attributes='{"vip": true}', actor=SYSTEM, now=later(60))
    assert (task.task_queue, task.priority) == (vip, 9)
    assert task.date_created == NOW
    assert task.task_queue_entered_date == later(60)
    assert recorded_events() == [
        "task.updated",
        "task-queue.moved",
        "task-queue.entered",
        "workflow.target-matched",
    ]


def test_new_attributes_that_no_filter_matches_cancel_the_task(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    factories.workflow(workspace, filter_("vip == true", target(factories.queue(workspace))))
    task = factories.task(workspace, attributes={"vip": True})
    recorded_events()
    task = update(task, attributes="{}")
    assert task.assignment_status == "canceled"
    assert recorded_events() == ["task.canceled"]


def test_new_attributes_leave_a_task_on_offer_where_it_is(workspace: models.Workspace) -> None:
    plain, vip = factories.queue(workspace), factories.queue(workspace)
    factories.workflow(workspace, filter_("vip == true", target(vip)), default=plain)
    factories.worker(workspace)
    task = factories.offered(workspace).task
    task = update(task, attributes='{"vip": true}')
    assert task.assignment_status == "reserved"
    assert task.task_queue == plain


def test_a_task_that_waits_again_is_matched_by_its_newest_attributes(
    workspace: models.Workspace,
) -> None:
    queue = factories.queue(workspace)
    factories.workflow(
        workspace, default={"queue": queue.sid, "expression": "task.language IN worker.languages"}
    )
    alice = factories.worker(workspace, attributes={"languages": ["en"]})
    bob = factories.worker(workspace, attributes={"languages": ["de"]})
    reservation = factories.offered(workspace, attributes={"language": "en"})
    assert reservation.worker == alice
    update(reservation.task, attributes='{"language": "de"}')
    factories.run(workspace, later(121))
    assert factories.reservation(reservation.task).worker == bob


def test_a_stale_version_is_refused_and_changes_nothing(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    task = factories.task(workspace)
    update(task, priority=3, if_version=0)
    recorded_events()
    with pytest.raises(StaleState):
        update(task, priority=4, if_version=0)
    assert recorded_events() == []
    task.refresh_from_db()
    assert (task.priority, task.version) == (3, 1)


def test_an_assigned_task_cannot_be_canceled_nor_a_pending_one_completed(
    workspace: models.Workspace,
) -> None:
    factories.workflow(workspace)
    waiting = factories.task(workspace)
    with pytest.raises(NotNow, match="not currently assigned"):
        task_transitions.complete_task(task=waiting, actor=SYSTEM, now=NOW)
    with pytest.raises(NotNow, match="not currently assigned"):
        task_transitions.wrap_up_task(task=waiting, actor=SYSTEM, now=NOW)
    factories.worker(workspace)
    factories.run(workspace)
    from routing.actions import reservations

    reservations.accept_reservation(
        reservation=factories.reservation(waiting), actor=SYSTEM, now=NOW
    )
    with pytest.raises(NotNow, match="not pending or reserved"):
        task_transitions.cancel_task(task=waiting, actor=SYSTEM, now=NOW)
    assert factories.status(waiting) == "assigned"


def test_wrapping_up_and_completing_record_the_task_first_and_free_the_slot_once(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    task = factories.accepted(workspace).task
    recorded_events()
    task_transitions.wrap_up_task(task=task, actor=SYSTEM, now=NOW)
    assert recorded_events() == ["task.wrapup", "reservation.wrapup"]
    task = task_transitions.complete_task(task=task, reason="done", actor=SYSTEM, now=later(5))
    assert recorded_events() == ["task.completed", "reservation.completed", "task.updated"]
    assert (task.reason, task.date_finished) == ("done", later(5))
    channel = factories.worker_channel(worker)
    assert (channel.consumed, channel.assigned) == (0, 0)
    with pytest.raises(NotNow):
        task_transitions.complete_task(task=task, actor=SYSTEM, now=later(6))
    assert factories.worker_channel(worker).consumed == 0


def test_canceling_records_the_task_first_and_withdraws_the_offer(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    task = factories.offered(workspace).task
    recorded_events()
    task_transitions.cancel_task(task=task, reason="changed mind", actor=SYSTEM, now=NOW)
    assert recorded_events() == ["task.canceled", "reservation.canceled"]
    assert factories.worker_channel(worker).consumed == 0


def test_a_completed_task_takes_new_attributes_and_nothing_else(
    workspace: models.Workspace,
) -> None:
    factories.worker(workspace)
    task = factories.accepted(workspace).task
    task_transitions.complete_task(task=task, actor=SYSTEM, now=NOW)
    assert update(task, attributes='{"note": 1}').attributes == '{"note": 1}'
    with pytest.raises(NotNow, match="only Attributes may change"):
        update(task, priority=1)


def test_deleting_a_task_in_work_frees_its_slot(
    workspace: models.Workspace, recorded_events: Happened
) -> None:
    worker = factories.worker(workspace)
    task = factories.accepted(workspace).task
    recorded_events()
    tasks.delete_task(task=task, actor=SYSTEM, now=NOW)
    assert recorded_events() == ["task.deleted", "reservation.completed"]
    assert factories.worker_channel(worker).consumed == 0
    with pytest.raises(StaleState):
        tasks.delete_task(task=task, actor=SYSTEM, now=NOW)


def test_a_task_is_canceled_after_a_thousand_offers(workspace: models.Workspace) -> None:
    from routing.actions import reservations

    factories.worker(workspace)
    task = factories.task(workspace)
    models.Task.objects.filter(pk=task.pk).update(assignments=999)
    factories.run(workspace)
    reservations.reject_reservation(reservation=factories.reservation(task), actor=SYSTEM, now=NOW)
    assert factories.status(task) == "canceled"
    assert task.reason == "Task TTL Exceeded or Max assignment count exceeded"


def test_a_task_for_one_worker_is_offered_whatever_their_activity(
    workspace: models.Workspace,
) -> None:
    alice = factories.worker(workspace, available=False)
    factories.worker(workspace)
    task = factories.task(workspace, routing_target=alice.sid)
    factories.run(workspace)
    assert factories.reservation(task).worker == alice
    patient = factories.task(workspace, routing_target=alice.sid, ignore_capacity=False)
    factories.run(workspace)
    assert factories.status(patient) == "pending"


def test_a_task_for_one_queue_waits_there_without_a_workflow(workspace: models.Workspace) -> None:
    queue = factories.queue(workspace)
    task = factories.task(workspace, routing_target=queue.sid)
    assert (task.task_queue, task.filter_index) == (queue, None)
    factories.worker(workspace)
    factories.run(workspace)
    assert factories.status(task) == "reserved"


def test_tasks_with_the_same_demands_share_a_lane_and_others_do_not(
    workspace: models.Workspace,
) -> None:
    queue = factories.queue(workspace)
    factories.workflow(
        workspace, default={"queue": queue.sid, "expression": "task.lang IN worker.langs"}
    )
    one = factories.task(workspace, attributes={"lang": "en", "customer": "ada"})
    two = factories.task(workspace, attributes={"lang": "en", "customer": "bob"}, priority=5)
    three = factories.task(workspace, attributes={"lang": "de"})
    four = factories.task(workspace, attributes={"lang": "en"}, channel="voice")
    assert one.lane == two.lane
    assert len({one.lane_id, three.lane_id, four.lane_id}) == 3
