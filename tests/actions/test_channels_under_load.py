"""Channels are created, deleted, shrunk and switched off while workers have tasks on them."""

from __future__ import annotations

import pytest

from routing import diagnosis, models
from routing.actions import reservations, task_channels, tasks
from routing.actions.support.errors import InUse, StaleState
from routing.actors import SYSTEM
from tests import factories
from tests.factories import NOW, later

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> models.Workspace:
    """Return a workspace with a workflow."""
    made = factories.workspace()
    factories.workflow(made)
    return made


def test_tasks_on_a_new_channel_are_offered_at_once_while_the_other_channels_are_full(
    workspace: models.Workspace,
) -> None:
    worker = factories.worker(workspace)
    factories.accepted(workspace, channel="chat")
    fax = factories.channel(workspace, "fax")
    waiting = factories.task(workspace, channel="fax")
    factories.run(workspace)
    assert factories.status(waiting) == "reserved"
    assert factories.worker_channel(worker, "fax").consumed == 1
    assert factories.worker_channel(worker, "chat").consumed == 1
    assert fax.worker_channels.count() == 1


@pytest.mark.parametrize("stage", ["waiting", "offered", "accepted", "wrapping"])
def test_a_channel_is_deleted_only_once_its_work_is_finished(
    workspace: models.Workspace, stage: str
) -> None:
    factories.worker(workspace)
    fax = factories.channel(workspace, "fax")
    task = factories.task(workspace, channel="fax")
    if stage != "waiting":
        factories.run(workspace)
        offer = factories.reservation(task)
    if stage in ("accepted", "wrapping"):
        reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    if stage == "wrapping":
        reservations.wrap_up_reservation(reservation=offer, actor=SYSTEM, now=NOW)
    before = factories.last_event()
    with pytest.raises(InUse):
        task_channels.delete_task_channel(channel=fax, actor=SYSTEM, now=NOW)
    assert factories.event_types(before) == []
    tasks.delete_task(task=task, actor=SYSTEM, now=NOW)
    task_channels.delete_task_channel(channel=fax, actor=SYSTEM, now=NOW)
    assert not workspace.task_channels.filter(unique_name="fax").exists()
    assert list(diagnosis.find_problems()) == []


def test_a_finished_task_outlives_its_channel_and_other_channels_go_on(
    workspace: models.Workspace,
) -> None:
    worker = factories.worker(workspace)
    done = factories.accepted(workspace, channel="fax")
    reservations.complete_reservation(reservation=done, actor=SYSTEM, now=NOW)
    held = factories.accepted(workspace, channel="chat")
    waiting = factories.task(workspace, channel="chat")
    fax = factories.channel(workspace, "fax")
    task_channels.delete_task_channel(channel=fax, actor=SYSTEM, now=NOW)
    assert factories.status(done.task) == "completed"
    assert factories.worker_channel(worker, "chat").consumed == 1
    reservations.complete_reservation(reservation=held, actor=SYSTEM, now=NOW)
    factories.run(workspace, later(1))
    assert factories.status(waiting) == "reserved"


def test_the_second_of_two_deletions_of_a_channel_is_refused(workspace: models.Workspace) -> None:
    fax = factories.channel(workspace, "fax")
    again = models.TaskChannel.objects.get(pk=fax.pk)
    task_channels.delete_task_channel(channel=fax, actor=SYSTEM, now=NOW)
    before = factories.last_event()
    with pytest.raises(StaleState):
        task_channels.delete_task_channel(channel=again, actor=SYSTEM, now=NOW)
    with pytest.raises(StaleState):
        task_channels.update_task_channel(
            channel=again, friendly_name="Fax machine", actor=SYSTEM, now=NOW
        )
    assert factories.event_types(before) == []


@pytest.mark.parametrize("by_channel", [False, True])
def test_idle_time_counts_over_all_channels_or_on_the_optimized_one(
    workspace: models.Workspace, by_channel: bool
) -> None:
    """Alice had her last chat before Bob had his, and a call after that."""
    chat = factories.channel(workspace, "chat")
    task_channels.update_task_channel(
        channel=chat, channel_optimized_routing=by_channel, actor=SYSTEM, now=NOW
    )
    alice = factories.worker(workspace, "Alice", capacity={"chat": 2})
    factories.offered(workspace, channel="chat", now=later(1))
    bob = factories.worker(workspace, "Bob", capacity={"chat": 2})
    factories.set_capacity(alice, "chat", available=False)
    factories.offered(workspace, channel="chat", now=later(2))
    factories.set_capacity(alice, "chat", available=True)
    factories.set_capacity(bob, "voice", available=False)
    factories.offered(workspace, channel="voice", now=later(3))
    last = factories.offered(workspace, channel="chat", now=later(4))
    assert last.current_worker.friendly_name == ("Alice" if by_channel else "Bob")
