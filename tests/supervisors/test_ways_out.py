"""What waiting tasks ask for, and the commands that would let them move."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from routing import models
from routing.actions import task_queues
from routing.actors import SYSTEM
from routing.core.vocabulary import GrabPolicy
from supervisors import reading
from supervisors.commands import COMMANDS
from supervisors.demands import Demands, find_demands
from supervisors.judging import judge_queues
from supervisors.picture import Picture
from supervisors.proposals import describe_way_out
from supervisors.ways_out import WayOut, find_ways_out
from tests import factories

SPEAKS = "task.language IN worker.languages"


@pytest.fixture
def floor(db: None) -> models.Workspace:
    """Return a workspace whose queue *Chats* asks for the task's language."""
    workspace = factories.workspace()
    queue = factories.queue(workspace, friendly_name="Chats")
    factories.workflow(workspace, default=factories.target(queue, expression=SPEAKS))
    return workspace


def ask(workspace: models.Workspace, language: str, **given: Any) -> models.Task:
    """Make a task that waits for a language."""
    attributes = {"language": language}
    return factories.task(
        workspace, workflow=workspace.workflows.get(), attributes=attributes, **given
    )


def speaker(workspace: models.Workspace, name: str, *languages: str, **given: Any) -> models.Worker:
    """Make a worker who speaks these languages."""
    attributes = {"languages": list(languages)}
    return factories.worker(workspace, name, **{"attributes": attributes} | given)


def look(workspace: models.Workspace) -> tuple[Picture, Demands, list[WayOut]]:
    """Return the picture, and what is found for the queue *Chats*."""
    picture = reading.read_whole(workspace, number=1, now=timezone.now())
    (judged,) = (each for each in judge_queues(picture) if each.queue.name == "Chats")
    demands = find_demands(judged.queue.id, picture, now=timezone.now())
    oldest = [task.sid for task in models.Task.objects.pending().order_by("date_created", "pk")]
    ways = find_ways_out(picture, judged, demands, oldest)
    for way in ways:
        form = COMMANDS[way.command].form(way.fields, workspace=workspace)
        assert form.is_valid(), (way.kind, form.errors)
    return picture, demands, ways


def kinds(ways: list[WayOut]) -> set[str]:
    """Return the kinds of the ways out."""
    return {way.kind for way in ways}


def test_lanes_come_by_their_longest_wait_with_those_who_meet_them(
    floor: models.Workspace,
) -> None:
    speaker(floor, "Ada", "de")
    speaker(floor, "Ben", "de", available=False)
    ask(floor, "es", now=factories.later(-60))
    for _ in range(2):
        ask(floor, "de", now=factories.later(-10))
    _, found, _ = look(floor)
    spanish, german = found.demands
    assert "es" in spanish.text
    assert (spanish.waiting, len(spanish.meeting), spanish.available, spanish.free) == (1, 0, 0, 0)
    assert (german.waiting, len(german.meeting), german.available, german.free) == (2, 2, 1, 1)


def test_free_agents_who_lack_only_one_language_are_proposed(floor: models.Workspace) -> None:
    lacking = [speaker(floor, name, "de") for name in ("Ada", "Ben", "Eva")]
    speaker(floor, "Dan", "de", available=False)
    for _ in range(5):
        ask(floor, "es")
    _, _, ways = look(floor)
    (way,) = (way for way in ways if way.kind == "teach")
    assert way.command == "workers.set_attributes"
    assert way.fields == {"operation": "add", "path": "languages", "value": '"es"'}
    assert set(way.subjects) == {worker.sid for worker in lacking}
    assert way.moves == 3
    assert describe_way_out(way) == (
        "Give 3 free agents the one thing that they lack: languages includes “es”."
    )


def test_an_attribute_that_is_no_list_is_set(floor: models.Workspace) -> None:
    queue = factories.queue(floor, friendly_name="Other")
    levels = factories.workflow(
        floor,
        default=factories.target(queue, expression="worker.level == 3 AND worker.calm == true"),
    )
    factories.task(floor, workflow=levels)
    factories.worker(floor, "Ada", attributes={"calm": True, "level": 2})
    factories.worker(floor, "Ben", attributes={})
    picture = reading.read_whole(floor, number=1, now=timezone.now())
    (judged,) = (each for each in judge_queues(picture) if each.queue.name == "Other")
    demands = find_demands(queue.pk, picture, now=timezone.now())
    (way,) = (w for w in find_ways_out(picture, judged, demands, []) if w.kind == "teach")
    assert way.fields == {"operation": "set", "path": "level", "value": "3"}
    assert len(way.subjects) == 1


def test_a_channel_that_is_off_is_proposed_to_be_switched_on(floor: models.Workspace) -> None:
    worker = speaker(floor, "Ada", "de", capacity={"chat": 2})
    factories.set_capacity(worker, available=False)
    speaker(floor, "Ben", "fr")
    for _ in range(3):
        ask(floor, "de")
    (way,) = (way for way in look(floor)[2] if way.kind == "switch_on")
    assert (way.subjects, way.moves) == ([worker.sid], 2)
    assert dict(way.fields) == {"channel": "chat", "available": "true"}
    assert describe_way_out(way) == "Switch Chat on for 1 agent."


def test_a_full_agent_is_proposed_for_more_capacity(floor: models.Workspace) -> None:
    worker = speaker(floor, "Ada", "de", capacity={"chat": 1})
    ask(floor, "de")
    factories.run(floor, factories.NOW)
    ask(floor, "de")
    (way,) = (way for way in look(floor)[2] if way.kind == "raise_capacity")
    assert (way.subjects, way.moves) == ([worker.sid], 1)


def test_slots_kept_for_grabbing_are_proposed_to_be_released(floor: models.Workspace) -> None:
    worker = speaker(floor, "Ada", "de", capacity={"chat": 2})
    factories.set_capacity(worker, reserved_for_manual=2)
    ask(floor, "de")
    (way,) = (way for way in look(floor)[2] if way.kind == "release_kept")
    assert (way.command, way.subjects) == ("workers.set_kept", [worker.sid])


def test_those_who_are_away_are_fetched_if_they_could_take_a_task(
    floor: models.Workspace,
) -> None:
    ben = speaker(floor, "Ben", "de", available=False, capacity={"chat": 1})
    speaker(floor, "Eva", "fr", available=False)
    ask(floor, "de")
    ways = [way for way in look(floor)[2] if way.command == "workers.set_activity"]
    # They have been away since `NOW`, which is long ago.
    assert [(way.kind, way.subjects) for way in ways] == [("fetch_long", [ben.sid])]
    available = factories.activity(floor).sid
    assert dict(ways[0].fields) == {"activity": available}


def test_grabbing_is_proposed_where_it_is_off_and_agents_are_free(
    floor: models.Workspace,
) -> None:
    queue = floor.task_queues.get(friendly_name="Chats")
    task_queues.update_task_queue(
        queue=queue, grab_policy=GrabPolicy.OFF, actor=SYSTEM, now=factories.NOW
    )
    speaker(floor, "Ada", "de")
    ask(floor, "es")
    assert "let_grab" in kinds(look(floor)[2])


def test_the_oldest_tasks_are_proposed_to_be_moved_to_a_queue_with_free_agents(
    floor: models.Workspace,
) -> None:
    chats = floor.task_queues.get(friendly_name="Chats")
    task_queues.update_task_queue(
        queue=chats, target_workers="skill == 'law'", actor=SYSTEM, now=factories.NOW
    )
    calm = factories.queue(floor, friendly_name="Calm")
    for name in ("Ada", "Ben"):
        speaker(floor, name, "de", capacity={"chat": 1})
    tasks = [ask(floor, "de", now=factories.later(seconds)) for seconds in range(3)]
    (way,) = (way for way in look(floor)[2] if way.kind == "move")
    assert dict(way.fields) == {"to": calm.sid}
    assert way.subjects == [task.sid for task in tasks[:2]]


def test_a_queue_without_waiting_tasks_needs_no_way_out(floor: models.Workspace) -> None:
    speaker(floor, "Ben", "de", available=False)
    assert look(floor)[2] == []


def test_at_most_eight_ways_are_proposed_and_the_best_come_first(floor: models.Workspace) -> None:
    for number in range(12):
        ask(floor, f"l{number}")
        speaker(floor, f"Worker number {number}", f"other{number}")
    ways = look(floor)[2]
    assert len(ways) == 8
    assert [way.moves for way in ways] == sorted((way.moves for way in ways), reverse=True)
