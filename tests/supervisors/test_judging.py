"""Why tasks wait: each sentence, on a floor that is made so, and the first that holds wins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing import models
from routing.actions import activities, task_queues, workspaces
from routing.actors import SYSTEM
from supervisors import reading
from supervisors.judging import Judged, Severity, judge_queues
from supervisors.picture import Picture, Recent
from supervisors.wording import describe_why, join_names
from tests import factories


@pytest.fixture
def floor(db: None) -> models.Workspace:
    """Return a workspace with a queue *Law* for those with the skill, in which a task waits."""
    workspace = factories.workspace()
    queue = factories.queue(workspace, friendly_name="Law", target_workers="skill == 'law'")
    factories.task(workspace, workflow=factories.workflow(workspace, default=queue))
    return workspace


def lawyer(workspace: models.Workspace, name: str, chats: int = 1, **given: Any) -> models.Worker:
    """Make a worker who serves the queue."""
    capacity = {"chat": chats}
    return factories.worker(
        workspace, name, attributes={"skill": "law"}, capacity=capacity, **given
    )


def read(workspace: models.Workspace, **changes: Any) -> Picture:
    """Return the picture of a workspace."""
    workspace.refresh_from_db()
    found = reading.read_whole(workspace, number=1, now=factories.later(1))
    return replace(found, **changes)


def judge(picture: Picture) -> tuple[Judged, str]:
    """Return the queue as it is judged, and its sentence."""
    (judged,) = (each for each in judge_queues(picture) if each.queue.name == "Law")
    assert judged.why is not None
    return judged, describe_why(judged.why, picture.setup)


def test_1_no_worker_serves_the_queue(floor: models.Workspace) -> None:
    factories.worker(floor, "Ada")
    judged, sentence = judge(read(floor))
    assert judged.severity is Severity.ACT
    assert sentence == "No worker serves this queue."


def test_2_none_of_those_who_serve_it_is_available(floor: models.Workspace) -> None:
    for name in ("Ada", "Ben", "Eva"):
        lawyer(floor, name, available=False)
    lunch = activities.create_activity(
        workspace=floor, friendly_name="Lunch", available=False, actor=SYSTEM, now=factories.NOW
    )
    lawyer(floor, "Dan", activity=lunch)
    factories.worker(floor, "Available, but of another trade")
    judged, sentence = judge(read(floor))
    assert judged.severity is Severity.ACT
    assert sentence == "4 serve it, none takes work: 3 Offline, 1 Lunch."


def test_3_the_channel_is_off_for_all(floor: models.Workspace) -> None:
    for name in ("Ada", "Ben"):
        factories.set_capacity(lawyer(floor, name), available=False)
    judged, sentence = judge(read(floor))
    assert judged.severity is Severity.OK
    assert sentence == "2 are available, Chat is switched off for all of them."


def test_4_no_slot_is_free(floor: models.Workspace) -> None:
    lawyer(floor, "Ada", chats=1)
    factories.run(floor, factories.NOW)
    factories.task(floor, workflow=floor.workflows.get())
    judged, sentence = judge(read(floor))
    assert (judged.tasks.waiting, judged.tasks.offered) == (1, 1)
    assert sentence == "1 is available, all slots for Chat are taken (1)."


def test_4_no_worker_has_a_slot_for_the_channel_at_all(floor: models.Workspace) -> None:
    lawyer(floor, "Ada", chats=0)
    assert judge(read(floor))[1] == "1 is available, but has no slot for Chat."


def test_4_with_one_task_at_a_time_everyone_has_theirs(floor: models.Workspace) -> None:
    workspaces.update_workspace(
        workspace=floor, multi_task_enabled=False, actor=SYSTEM, now=factories.NOW
    )
    lawyer(floor, "Ada", chats=5)
    factories.run(floor, factories.NOW)
    factories.task(floor, workflow=floor.workflows.get())
    assert judge(read(floor))[1] == "1 is available and has a task."


def test_5_the_free_slots_are_all_kept_for_grabbing(floor: models.Workspace) -> None:
    for name in ("Ada", "Ben"):
        factories.set_capacity(lawyer(floor, name, chats=2), reserved_for_manual=2)
    assert judge(read(floor))[1] == "4 slots are free, all kept for grabbing."


def test_6_offers_fail(floor: models.Workspace) -> None:
    lawyer(floor, "Ada")
    queue, chat = floor.task_queues.get(friendly_name="Law"), factories.channel(floor)
    recent = Recent(offers=8, missed=6, missed_by=(("Ben", "WK1"), ("Eva", "WK2")), answered=1)
    _, sentence = judge(read(floor, recent={(queue.pk, chat.pk): recent}))
    assert sentence == "8 offers in 10 min, 6 missed, by Ben and Eva."


def test_7_the_queue_moves(floor: models.Workspace) -> None:
    lawyer(floor, "Ada")
    queue, chat = floor.task_queues.get(friendly_name="Law"), factories.channel(floor)
    recent = Recent(offers=20, missed=3, missed_by=(("Ben", "WK1"),), answered=12)
    _, sentence = judge(read(floor, recent={(queue.pk, chat.pk): recent}))
    assert sentence == "Being worked off: 12 answered in 5 min."


def test_8_agents_are_free_but_what_waits_asks_for_something_else(
    floor: models.Workspace,
) -> None:
    for name in ("Ada", "Ben"):
        lawyer(floor, name)
    judged, sentence = judge(read(floor))
    assert judged.free == 2
    assert sentence == "2 agents are free, but what waits asks for something else."


def test_a_queue_without_waiting_tasks_has_no_reason_and_is_quiet(db: None) -> None:
    workspace = factories.workspace()
    factories.queue(workspace, target_workers="")
    (judged,) = judge_queues(read(workspace))
    assert judged.why is None
    assert judged.is_quiet


def test_queues_come_worst_first_and_then_by_the_longest_wait(db: None) -> None:
    workspace = factories.workspace()
    factories.worker(workspace)
    for name, workers, wait in (("new", "1==1", 10), ("old", "1==1", 30), ("lost", "", 5)):
        queue = factories.queue(workspace, friendly_name=name, target_workers=workers)
        workflow = factories.workflow(workspace, default=queue)
        factories.task(workspace, workflow=workflow, now=factories.later(-wait))
    assert [each.queue.name for each in judge_queues(read(workspace))] == ["lost", "old", "new"]


def test_a_channel_filter_limits_what_is_judged(floor: models.Workspace) -> None:
    voice = factories.channel(floor, "voice")
    (judged,) = judge_queues(read(floor), {voice.pk})
    assert judged.tasks.waiting == 0
    assert judged.why is None


def test_names_are_listed_and_long_lists_are_cut() -> None:
    assert join_names([]) == ""
    assert join_names(["Ben"]) == "Ben"
    assert join_names(["Ben", "Eva"]) == "Ben and Eva"
    assert join_names(["Ben", "Eva", "Dan", "Ida", "Jo"]) == "Ben, Eva, Dan and 2 more"


def test_a_deleted_expression_makes_the_queue_one_that_no_worker_serves(
    floor: models.Workspace,
) -> None:
    lawyer(floor, "Ada")
    queue = floor.task_queues.get(friendly_name="Law")
    task_queues.update_task_queue(queue=queue, target_workers="", actor=SYSTEM, now=factories.NOW)
    assert judge(read(floor))[1] == "No worker serves this queue."
