"""An alert reaches the callback address once when it is raised, and once when it is cleared."""

from __future__ import annotations

from routing import models
from routing.actions import task_transitions, thresholds
from routing.actors import SYSTEM
from routing.core.alerting import AlertFigure, AlertScope
from supervisors import watching
from tests import factories
from tests.factories import NOW
from tests.webhooks.conftest import Clock
from tests.webhooks.event_steps import count_pending, post_events, set_callback_url
from tests.webhooks.receiver import Receiver


class Floor:
    """A queue whose number of waiting tasks is set, and a clock that watches it each second."""

    def __init__(self, workspace: models.Workspace, clock: Clock) -> None:
        self.workspace, self.clock = workspace, clock
        self.queue = factories.queue(workspace, friendly_name="Chats")
        self.workflow = factories.workflow(workspace, default=self.queue)
        self.tasks: list[models.Task] = []

    def wait_for(self, seconds: int, *, waiting: int) -> None:
        """Let so many tasks wait for some seconds; look at thresholds and post in each."""
        while len(self.tasks) < waiting:
            self.tasks.append(
                factories.task(self.workspace, workflow=self.workflow, now=self.clock.now)
            )
        while len(self.tasks) > waiting:
            task_transitions.cancel_task(
                task=self.tasks.pop(), reason=None, actor=SYSTEM, now=self.clock.now
            )
        for _ in range(seconds):
            watching.watch_workspace(self.workspace.sid, now=self.clock.now)
            post_events(self.workspace, self.clock)
            self.clock.shift(1)


def test_a_callback_tells_an_alert_once_however_often_the_figure_crosses_its_limit(
    workspace: models.Workspace, receiver: Receiver, clock: Clock
) -> None:
    floor = Floor(workspace, clock)
    set_callback_url(workspace, receiver.url, "alert.raised,alert.changed,alert.cleared")
    thresholds.create_threshold(
        workspace=workspace,
        figure=AlertFigure.WAITING,
        scope=AlertScope.QUEUE,
        task_queue=floor.queue,
        watch=5,
        hold=10,
        actor=SYSTEM,
        now=NOW,
    )
    for _ in range(3):  # never ten seconds on one side
        floor.wait_for(6, waiting=5)
        floor.wait_for(2, waiting=4)
    floor.wait_for(10, waiting=5)
    assert receiver.types == []
    floor.wait_for(1, waiting=5)
    assert receiver.types == ["alert.raised"]
    for _ in range(3):
        floor.wait_for(6, waiting=4)
        floor.wait_for(2, waiting=5)
    assert receiver.types == ["alert.raised"]
    floor.wait_for(11, waiting=4)
    assert receiver.types == ["alert.raised", "alert.cleared"]
    floor.wait_for(15, waiting=4)
    assert receiver.types == ["alert.raised", "alert.cleared"]
    raised, cleared = (request.form for request in receiver.requests)
    assert (raised["AlertValue"], raised["AlertSid"]) == ("5", cleared["AlertSid"])
    assert raised["TaskQueueName"] == "Chats"
    assert len({request.token for request in receiver.requests}) == 2
    assert count_pending() == 0
