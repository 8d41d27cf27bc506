"""Task queues in the admin: errors in expressions, and the workers who serve a queue now."""

from __future__ import annotations

from collections.abc import Callable

from routing import models
from tests import factories
from tests.admin.visitors import Visitor, errors, words

Happened = Callable[[], list[str]]


def test_a_queue_is_added_with_its_policy(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    recorded_events()
    alice.send(
        "routing_taskqueue_add",
        friendly_name="French",
        target_workers="languages HAS 'fr'",
        grab_policy="oldest",
        grab_limit="3",
    )
    queue = models.TaskQueue.objects.get(friendly_name="French")
    assert (queue.target_workers, queue.grab_policy, queue.grab_limit) == (
        "languages HAS 'fr'",
        "oldest",
        3,
    )
    assert recorded_events() == ["task-queue.created"]


def test_an_expression_that_does_not_parse_is_shown_with_a_caret_and_changes_nothing(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    queue = factories.queue(workspace)
    recorded_events()
    answer = alice.send("routing_taskqueue_change", queue.pk, target_workers="level >= AND")
    shown = errors(answer, "target_workers").splitlines()
    assert shown[-2].strip() == "level >= AND"
    assert shown[-1].index("^") == shown[-2].index("AND")
    queue.refresh_from_db()
    assert queue.target_workers == "1==1"
    assert recorded_events() == []


def test_a_changed_expression_is_an_event_of_its_own(
    alice: Visitor, workspace: models.Workspace, recorded_events: Happened
) -> None:
    queue = factories.queue(workspace)
    recorded_events()
    alice.send("routing_taskqueue_change", queue.pk, target_workers="level >= 2")
    assert recorded_events() == ["task-queue.expression.updated"]
    alice.send("routing_taskqueue_change", queue.pk, grab_policy="off")
    assert recorded_events() == ["task-queue.updated"]


def test_the_page_names_the_workers_who_match_now(
    alice: Visitor, workspace: models.Workspace
) -> None:
    factories.worker(workspace, "Dora", attributes={"level": 3})
    factories.worker(workspace, "Emil", attributes={"level": 1})
    queue = factories.queue(workspace, target_workers="level >= 2")
    assert "1 of 2 : Dora" in words(alice.see("routing_taskqueue_change", queue.pk))
    unserved = factories.queue(workspace, target_workers="level >= 9")
    assert "No worker: tasks in this queue wait" in words(
        alice.see("routing_taskqueue_change", unserved.pk)
    )


def test_an_inverted_percentage_is_saved_with_a_warning_that_names_both_repairs(
    alice: Visitor, workspace: models.Workspace
) -> None:
    queue = factories.queue(workspace)
    expression = "channel.chat.available_capacity_percentage <= 50"
    answer = alice.send("routing_taskqueue_change", queue.pk, target_workers=expression)
    said = words(answer)
    assert "available_capacity_percentage >= 50" in said
    assert "busy_capacity_percentage <= 50" in said
    queue.refresh_from_db()
    assert queue.target_workers == expression


def test_a_queue_that_is_needed_is_not_deleted(alice: Visitor, workspace: models.Workspace) -> None:
    workflow = factories.workflow(workspace)
    queue = models.TaskQueue.objects.get()
    answer = alice.post("routing_taskqueue_delete", queue.pk, post="yes")
    assert f"a target of the workflow '{workflow.friendly_name}'" in words(answer)

    alice.post("routing_workflow_delete", workflow.pk, post="yes")
    alice.post("routing_taskqueue_delete", queue.pk, post="yes")
    assert not models.TaskQueue.objects.exists()


def test_a_number_out_of_range_is_refused_at_its_field(
    alice: Visitor, workspace: models.Workspace
) -> None:
    queue = factories.queue(workspace)
    for field, value in (("max_reserved_workers", "51"), ("grab_limit", "0")):
        answer = alice.send("routing_taskqueue_change", queue.pk, **{field: value})
        assert errors(answer, field)
