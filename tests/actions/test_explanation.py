"""Explanations: the steps of a task, its next deadline, its holder, its candidates."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from routing import models
from routing.actions import reservations, task_transitions, tasks
from routing.actors import SYSTEM
from routing.explanations import facts, wording
from routing.explanations.explanation import DeadlineKind, Explanation, Problem
from routing.fields.declarations import date_text
from supervisors import explaining
from tests import factories
from tests.factories import NOW, later

Assert = Callable[[int], AbstractContextManager[object]]


def explained(task: models.Task, now: datetime = NOW) -> Explanation:
    row = models.Task.objects.select_related(*facts.READ_WITH).get(pk=task.pk)
    return facts.explain_task(row, now=now)


def summary(task: models.Task, now: datetime = NOW) -> str:
    found = explained(task, now)
    said = wording.summarize(found)
    # The cockpit says it in the language of the page, and in English the same.
    assert explaining.summarize(found, date_text) == said
    assert explaining.describe_task_side(found) == wording.describe_task_side(found)
    for verdict in (*found.verdicts.inside, *found.verdicts.outside):
        english = wording.describe_verdict(verdict, found)
        assert explaining.describe_verdict(verdict, found) == english
    return said


@pytest.fixture
def workspace(db: None) -> models.Workspace:
    """Return a workspace whose workflow has two steps for VIPs and a default for the rest."""
    workspace = factories.workspace()
    first = factories.queue(workspace, friendly_name="First", target_workers="senior == true")
    second = factories.queue(workspace, friendly_name="Second", max_reserved_workers=2)
    rest = factories.queue(workspace, friendly_name="Rest")
    targets = (
        factories.target(first, timeout=10, skip_if="workers.available == 0"),
        factories.target(second, timeout=20),
    )
    factories.workflow(
        workspace, factories.filter_("vip == true", *targets, name="VIP"), default=rest
    )
    return workspace


def vip(workspace: models.Workspace, **given: Any) -> models.Task:
    return factories.task(workspace, attributes={"vip": True}, **given)


def test_a_skipped_step_and_a_step_that_timed_out_have_different_outcomes(
    workspace: models.Workspace,
) -> None:
    skipped = vip(workspace)
    factories.run(workspace)
    factories.worker(workspace, attributes={"senior": True}, capacity={"chat": 0})
    timed_out = vip(workspace)
    factories.run(workspace, later(10))
    for task, outcome, entered in ((skipped, "skipped", NOW), (timed_out, "timed_out", later(10))):
        found = explained(task, later(11))
        (passed,) = found.passed
        assert (passed.filter_name, passed.task_queue_name) == ("VIP", "First")
        assert (passed.entered, passed.left, passed.outcome) == (NOW, entered, outcome)
        assert found.step is not None
        assert (found.step.task_queue_name, found.step.entered) == ("Second", entered)


def test_a_change_of_attributes_is_not_mistaken_for_a_skip(workspace: models.Workspace) -> None:
    factories.worker(workspace, attributes={"senior": True}, capacity={"chat": 0})
    task = vip(workspace)
    tasks.update_task(task=task, priority=7, actor=SYSTEM, now=later(1))
    tasks.update_task(task=task, attributes="{}", actor=SYSTEM, now=later(2))
    found = explained(task, later(3))
    assert [step.outcome for step in found.passed] == ["rerouted"]
    assert found.step is not None
    assert (found.step.filter_name, found.step.task_queue_name) == ("default_filter", "Rest")


def test_a_task_that_was_canceled_by_its_workflow_is_in_no_step(
    workspace: models.Workspace,
) -> None:
    task = vip(workspace)
    factories.run(workspace)
    factories.run(workspace, later(60))
    found = explained(task, later(61))
    assert [step.outcome for step in found.passed] == ["skipped", "timed_out"]
    assert (found.step, found.deadline) == (None, None)
    assert summary(task) == (
        "Canceled at 2026-03-02T12:01:00Z. Reason: Task canceled on Workflow timeout"
    )


def test_the_next_deadline_is_the_earliest_that_counts(workspace: models.Workspace) -> None:
    def deadline(task: models.Task) -> tuple[str, datetime]:
        found = explained(task).deadline
        assert found is not None
        return found.kind, found.date

    assert deadline(vip(workspace)) == (DeadlineKind.STEP, later(10))
    assert deadline(vip(workspace, timeout=5)) == (DeadlineKind.TASK, later(5))
    assert deadline(factories.task(workspace)) == (DeadlineKind.TASK, later(86_400))
    factories.worker(workspace, attributes={"senior": True}, capacity={"chat": 3})
    factories.run(workspace)
    # The step would end first, but never under an offer.
    assert deadline(models.Task.objects.order_by("pk")[0]) == (
        DeadlineKind.RESERVATION,
        later(120),
    )


def test_a_deadline_that_has_passed_is_shown_as_being_acted_on(workspace: models.Workspace) -> None:
    factories.worker(workspace, attributes={"senior": True})
    task = vip(workspace)
    assert "Will be offered" in summary(task, later(9))
    assert summary(task, later(10)) == (
        "Its time is over; the router acts on that in its next cycle."
    )


def test_the_summary_says_why_no_worker_can_have_the_task(workspace: models.Workspace) -> None:
    task = vip(workspace)
    assert summary(task) == "No worker serves its queue."
    factories.worker(workspace, attributes={"senior": True}, available=False)
    factories.worker(workspace, attributes={"senior": True}, capacity={"chat": 0})
    factories.worker(workspace, attributes={"senior": True}, capacity={"chat": 0})
    factories.worker(workspace)
    assert summary(task) == (
        "None of the 3 workers of its queue may have it now: 1 in an activity that takes no work"
        " and 2 without a free slot on the channel."
    )
    found = explained(task)
    assert (len(found.verdicts.inside), len(found.verdicts.outside)) == (3, 1)
    assert found.foreseen is None


def test_a_task_about_to_be_served_names_its_worker_and_the_tasks_before_it(
    workspace: models.Workspace,
) -> None:
    first, second = factories.task(workspace), factories.task(workspace, now=later(1))
    alice = factories.worker(workspace, "Alice")
    assert summary(first) == "Will be offered to Alice in the next cycle."
    assert summary(second) == "Waits behind 1 task that comes before it, for the same workers."
    factories.set_capacity(alice, configured_capacity=2)
    assert summary(second) == (
        "Will be offered to Alice in the next cycle, after 1 task that comes before it."
    )


def test_tasks_that_cannot_be_served_are_not_counted_as_ahead(workspace: models.Workspace) -> None:
    factories.worker(workspace, "Alice")
    for _ in range(3):
        vip(workspace, priority=9)
    assert summary(factories.task(workspace)) == "Will be offered to Alice in the next cycle."


def test_it_names_the_holder_of_a_task_and_the_deadline(workspace: models.Workspace) -> None:
    factories.worker(workspace, "Alice")
    factories.worker(workspace, "Bob")
    offer = factories.offered(workspace, attributes={"vip": True})
    assert summary(offer.task) == (
        "On offer to Alice until 2026-03-02T12:02:00Z and Bob until 2026-03-02T12:02:00Z."
    )
    assert {c.refusal for c in explained(offer.task).verdicts.inside} == {"already_offered"}
    reservation = reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=later(3))
    who = reservation.current_worker.friendly_name
    task = reservation.task
    assert summary(task) == f"{who} has had it since 2026-03-02T12:00:03Z."
    task_transitions.wrap_up_task(task=task, actor=SYSTEM, now=later(4))
    assert summary(task) == f"{who} has been wrapping it up since 2026-03-02T12:00:04Z."
    task_transitions.complete_task(task=task, reason="Solved", actor=SYSTEM, now=later(5))
    assert summary(task) == f"Completed at 2026-03-02T12:00:05Z by {who}. Reason: Solved"
    found = explained(task)
    assert {c.refusal for c in found.verdicts.inside} == {"task_not_pending"}
    assert found.deadline is None


@pytest.mark.parametrize(
    ("named", "problem", "words"),
    [
        ('"Alice"', None, "by task.agent. The worker's activity does not take work."),
        ('"Bob"', Problem.NOT_IN_QUEUE, "asks for Bob alone, who does not serve its queue."),
        ('"Carol"', Problem.UNKNOWN, "task.agent names 'carol', who does not exist."),
        ("null", Problem.MISSING, "task.agent names no worker."),
        ("7", Problem.MISSING, "task.agent names no worker."),
    ],
)
def test_a_task_for_a_known_worker_says_what_is_wrong_with_them(
    db: None, named: str, problem: Problem | None, words: str
) -> None:
    workspace = factories.workspace()
    queue = factories.queue(workspace, target_workers="team == 1")
    target = factories.target(queue, known_worker_friendly_name="task.agent")
    factories.workflow(workspace, factories.filter_("1==1", target))
    factories.worker(workspace, "Alice", attributes={"team": 1}, available=False)
    factories.worker(workspace, "Bob")
    task = factories.task(workspace, attributes=f'{{"agent": {named}}}')
    known = explained(task).known_worker
    assert known is not None
    assert known.problem == problem
    assert words in summary(task)


def test_a_known_worker_of_another_workspace_is_called_so(db: None) -> None:
    workspace = factories.workspace()
    target = factories.target(factories.queue(workspace), known_worker_sid="task.agent")
    factories.workflow(workspace, factories.filter_("1==1", target))
    neighbour = factories.worker(factories.workspace(account=workspace.account))
    stranger = factories.worker(factories.workspace())
    for worker, problem in ((neighbour, Problem.OTHER_WORKSPACE), (stranger, Problem.UNKNOWN)):
        known = explained(factories.task(workspace, attributes={"agent": worker.sid})).known_worker
        assert known is not None
        assert known.problem == problem


def test_a_task_routed_directly_is_explained_too(workspace: models.Workspace) -> None:
    alice = factories.worker(workspace, "Alice", available=False)
    factories.worker(workspace, "Bob")
    patient = factories.task(workspace, routing_target=alice.sid, ignore_capacity=False)
    assert summary(patient) == (
        "The task asks for Alice alone, directly. The worker's activity does not take work."
    )
    found = explained(patient)
    assert [c.worker.friendly_name for c in found.verdicts.inside] == ["Alice"]
    assert found.step is not None
    assert (found.step.filter_name, found.step.task_queue_name) == (None, None)
    forced = factories.task(workspace, routing_target=alice.sid)
    assert summary(forced) == "Will be offered to Alice in the next cycle."
    queue = workspace.task_queues.get(friendly_name="Rest")
    queued = explained(factories.task(workspace, routing_target=queue.sid))
    assert [c.rank for c in queued.verdicts.inside] == [1, None]
    assert queued.known_worker is None
    assert queued.passed == []


def test_it_takes_as_many_queries_for_many_workers_as_for_few(
    workspace: models.Workspace, django_assert_max_num_queries: Assert
) -> None:
    for count in (1, 8):
        for _ in range(count):
            factories.worker(workspace, attributes={"senior": True})
            task = vip(workspace)
        # The task; its workers, their channels; its steps; what the router sees: four.
        with django_assert_max_num_queries(11):
            assert explained(task).foreseen is not None
    factories.run(workspace)
    # The task; who has it; the workers, their channels; its steps.
    with django_assert_max_num_queries(5):
        assert explained(task).holders


def test_the_command_says_where_a_finished_task_was_accepted(workspace: models.Workspace) -> None:
    factories.worker(workspace, "Alice")
    done = factories.accepted(workspace).task
    task_transitions.complete_task(task=done, actor=SYSTEM, now=later(5))
    out = StringIO()
    call_command("explain", done.sid, stdout=out)
    assert "– taken: queue Rest, by filter 'default_filter'." in out.getvalue()


def test_the_command_prints_the_whole_explanation(workspace: models.Workspace) -> None:
    factories.worker(workspace, "Alice", attributes={"senior": True}, capacity={"chat": 0})
    task = vip(workspace)
    out = StringIO()
    call_command("explain", task.sid, stdout=out)
    said = out.getvalue()
    assert f"Task {task.sid} is pending." in said
    assert "queue First, by filter 'VIP'" in said
    assert "Workers: 1 of its queue, 0 of others." in said
    assert "The worker has no free slot on the channel. Nor can it be taken by hand." in said
    assert "– now: queue First" in said
    with pytest.raises(CommandError, match="There is no task WT0"):
        call_command("explain", "WT0")


ASKED_OF_TASK = [
    (
        "worker.sid NOT IN task.workerSidsInConversation",
        {},
        (
            "the task has no workerSidsInConversation, and the target asks for"
            " worker.sid NOT IN task.workerSidsInConversation"
        ),
    ),
    (
        "task.vip == true AND worker.level > 1",
        {"vip": False},
        "the task's vip is false, and the target asks for task.vip == true",
    ),
    (
        "task.transferTargetType == 'worker' AND worker.level > 1",
        {"transferTargetType": "queue"},
        (
            'the task\'s transferTargetType is "queue", and the target asks for'
            ' task.transferTargetType == "worker"'
        ),
    ),
    (
        "worker.level > 1 AND (task.a == 1 OR task.b HAS 2)",
        {"a": 2},
        (
            "the task's a is 2 and the task has no b, and the target asks for"
            " task.a == 1 OR task.b HAS 2"
        ),
    ),
    ("1 == 2", {"vip": True}, "the target asks for 1 == 0"),
]


def waiting_task(workspace: models.Workspace, expression: str, **attributes: Any) -> models.Task:
    """Return a task that waits in a target with this expression, in a queue that all serve."""
    target = factories.target(
        factories.queue(workspace, friendly_name="All"), expression=expression
    )
    workflow = factories.workflow(
        workspace, factories.filter_("1==1", target), friendly_name="asking"
    )
    return factories.task(workspace, workflow=workflow, attributes=attributes)


@pytest.mark.parametrize(("expression", "attributes", "because"), ASKED_OF_TASK)
def test_a_task_that_rules_out_every_worker_is_named_as_the_cause(
    workspace: models.Workspace, expression: str, attributes: dict[str, Any], because: str
) -> None:
    factories.worker(workspace, "Ann", attributes={"level": 9})
    task = waiting_task(workspace, expression, **attributes)
    found = explained(task)
    said = f"No worker can have it in this step: {because}."
    assert summary(task) == said
    (ann,) = found.verdicts.inside
    assert wording.describe_verdict(ann, found) == (
        "The task itself rules out every worker in this step."
    )
    assert found.target_expression == expression
    lines = list(wording.write_report(found))
    assert f"The target asks: {expression}" in lines
    assert said in lines
    # Another worker makes no difference, whatever their attributes.
    factories.worker(workspace, "Ben", attributes={"level": 9, "vip": True})
    assert summary(task) == said


def test_a_missing_attribute_is_named_beside_workers_who_do_not_fit(
    workspace: models.Workspace,
) -> None:
    factories.worker(workspace, "Ann", attributes={"languages": ["en"]})
    task = waiting_task(workspace, "task.language IN worker.languages")
    assert summary(task) == (
        "Ann alone serves its queue. The worker does not meet what the task asks for."
        " The task has no language, which the target asks about."
    )
    tasks.update_task(task=task, attributes='{"language": "de"}', actor=SYSTEM, now=NOW)
    assert summary(task) == (
        "Ann alone serves its queue. The worker does not meet what the task asks for."
    )
    lines = list(wording.write_report(explained(task)))
    assert "The target asks: task.language IN worker.languages" in lines
    assert 'It asks of a worker: worker.languages HAS "de"' in lines


def test_an_attribute_that_makes_no_difference_is_not_named(workspace: models.Workspace) -> None:
    factories.worker(workspace, "Ann", attributes={"level": 9})
    task = waiting_task(workspace, "task.vip == null AND worker.level > 5")
    assert "Will be offered to Ann" in summary(task)
    side = explained(task).task_side
    assert side is not None
    assert (side.unmet, side.attributes, side.missing) == ("", {}, ("vip",))


def test_long_values_are_shortened_in_sentences(workspace: models.Workspace) -> None:
    factories.worker(workspace, "Ann")
    task = waiting_task(workspace, "task.text == 'x'", text="y" * 3_000)
    assert len(summary(task)) < 500
