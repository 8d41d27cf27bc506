"""Tasks, reservations and events in the admin can be viewed and ended, never edited."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing import models
from routing.actions import api_keys, task_transitions
from routing.actors import Actor
from tests import factories
from tests.admin.visitors import Visitor, words

Happened = Callable[[], list[str]]


def test_a_waiting_task_is_canceled_with_a_reason(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    task = factories.task(workspace)
    recorded_events()
    alice.post("routing_task_step_in", task.pk, do="cancel", reason="the customer hung up")
    assert factories.status(task) == "canceled"
    assert task.reason == "the customer hung up"
    assert recorded_events() == ["task.canceled"]


def test_a_task_in_work_is_completed_and_its_slot_is_free(
    alice: Visitor, workspace: models.Workspace
) -> None:
    worker = factories.worker(workspace)
    task = factories.accepted(workspace).task
    assert factories.worker_channel(worker).consumed == 1
    alice.post("routing_task_step_in", task.pk, do="complete")
    assert factories.status(task) == "completed"
    assert factories.worker_channel(worker).consumed == 0


def test_a_task_in_work_is_wrapped_up_and_keeps_its_slot(
    alice: Visitor, workspace: models.Workspace
) -> None:
    worker = factories.worker(workspace)
    task = factories.accepted(workspace).task
    alice.post("routing_task_step_in", task.pk, do="wrap_up")
    assert factories.status(task) == "wrapping"
    assert factories.worker_channel(worker).consumed == 1


@pytest.mark.parametrize("step", ["complete", "wrap_up"])
def test_an_action_that_a_waiting_task_does_not_allow_is_refused_with_a_reason(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened, step: str
) -> None:
    task = factories.task(workspace)
    recorded_events()
    answer = alice.post("routing_task_step_in", task.pk, do=step)
    assert "not currently assigned" in words(answer)
    assert recorded_events() == []


def test_a_button_pressed_twice_acts_once(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    task = factories.task(workspace)
    recorded_events()
    alice.post("routing_task_step_in", task.pk, do="cancel")
    answer = alice.post("routing_task_step_in", task.pk, do="cancel")
    assert "Cannot cancel task" in words(answer)
    assert recorded_events() == ["task.canceled"]


def test_an_intervention_needs_a_confirmation(alice: Visitor, workspace: models.Workspace) -> None:
    task = factories.task(workspace)
    answer = alice.see("routing_task_step_in", task.pk)
    assert answer.status_code == 302
    assert answer["Location"] == f"/admin/routing/task/{task.pk}/change/"
    answer = alice.post("routing_task_step_in", task.pk, do="explode")
    assert "names no step" in words(answer)
    assert factories.status(task) == "pending"


def test_tasks_reservations_and_events_cannot_be_edited(
    alice: Visitor, workspace: models.Workspace
) -> None:
    factories.worker(workspace)
    reservation = factories.accepted(workspace)
    event = models.Event.objects.order_by("pk")[0]
    for name, row in (
        ("task", reservation.task),
        ("reservation", reservation),
        ("event", event),
    ):
        assert alice.see(f"routing_{name}_change", row.pk).status_code == 200
        assert alice.post(f"routing_{name}_change", row.pk, priority="9").status_code == 403
        assert alice.post(f"routing_{name}_delete", row.pk, post="yes").status_code == 403
        assert alice.see(f"routing_{name}_add").status_code == 403


def test_a_task_s_page_shows_its_history_and_that_of_its_offers(
    alice: Visitor, workspace: models.Workspace
) -> None:
    factories.worker(workspace, "Dora")
    task = factories.accepted(workspace).task
    other = factories.task(workspace)
    page = words(alice.see("routing_task_change", task.pk))
    in_order = [page.index(kind) for kind in ("task.created", "reservation.accepted")]
    assert in_order == sorted(in_order)
    assert "Dora" in page
    assert other.sid not in page


def test_tasks_are_found_by_sid_status_queue_and_channel(
    alice: Visitor, workspace: models.Workspace
) -> None:
    wanted = factories.task(workspace, channel="chat")
    factories.task(workspace, channel="voice")
    assert wanted.task_queue is not None
    for query, number in (
        (f"?q={wanted.sid}", 1),
        ("?q=WT00000000000000000000000000000000", 0),
        ("?assignment_status__exact=pending", 2),
        ("?assignment_status__exact=completed", 0),
        (f"?task_queue={wanted.task_queue.sid}", 2),
        (f"?task_channel={wanted.task_channel.sid}", 1),
    ):
        found = alice.see("routing_task_changelist", query=query).context["cl"].result_list
        assert len(found) == number, query


def test_events_are_filtered_by_type(alice: Visitor, workspace: models.Workspace) -> None:
    factories.task(workspace)
    found = alice.see("routing_event_changelist", query="?event_type=task.created")
    assert [event.event_type for event in found.context["cl"].result_list] == ["task.created"]


def what_happened(visitor: Visitor, task: models.Task) -> list[str]:
    """Return the types of the events of a task, in the order of its page."""
    answer = visitor.see("routing_task_change", task.pk)
    return [event.event_type for event, _ in answer.context["history"]]


def test_events_of_one_moment_are_shown_in_the_order_in_which_they_led_to_each_other(
    alice: Visitor, workspace: models.Workspace
) -> None:
    first, second = factories.queue(workspace), factories.queue(workspace)
    steps = [factories.target(first, timeout=60), factories.target(second)]
    workflow = factories.workflow(workspace, factories.filter_("1 == 1", *steps))
    task = factories.task(workspace, workflow=workflow)
    factories.run(workspace, factories.later(61))
    assert what_happened(alice, task) == [
        "task.created",
        "workflow.entered",
        "workflow.target-matched",
        "task-queue.entered",
        "task-queue.timeout",
        "task-queue.moved",
        "task-queue.entered",
        "workflow.target-matched",
    ]


def test_the_actor_of_an_event_is_shown_by_name(
    alice: Visitor, olga: Visitor, workspace: models.Workspace
) -> None:
    key, _ = api_keys.create_api_key(
        account=workspace.account, friendly_name="Web shop", now=factories.NOW
    )
    by_key = Actor(type="api-key", sid=key.sid, source="api")
    by_account = Actor(type="account", sid=workspace.account.sid, source="api")
    task = factories.task(workspace, actor=by_key)
    task_transitions.cancel_task(task=task, reason=None, actor=by_account, now=factories.NOW)
    account = f"account {workspace.account.friendly_name} (api)"
    for shown in (
        words(alice.see("routing_task_change", task.pk)),
        words(olga.see("routing_event_changelist")),
    ):
        assert "API key Web shop (api)" in shown
        assert account in shown
    event = models.Event.objects.filter(event_type="task.created").get()
    assert "API key Web shop (api)" in words(alice.see("routing_event_change", event.pk))


def test_an_event_names_what_was_created(alice: Visitor, workspace: models.Workspace) -> None:
    factories.worker(workspace, "Dora")
    factories.queue(workspace, friendly_name="Returns")
    shown = words(alice.see("routing_event_changelist"))
    assert "worker.created Dora" in shown
    assert "task-queue.created Returns" in shown
    event = models.Event.objects.get(event_type="worker.created")
    assert "worker.created: Dora" in words(alice.see("routing_event_change", event.pk))
