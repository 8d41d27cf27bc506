"""Limits of a queue in the admin: for handling a task, and for wrapping up."""

from __future__ import annotations

from routing import models
from tests import factories
from tests.admin.visitors import Visitor, errors


def test_limits_of_a_queue_are_set_and_cleared(alice: Visitor, workspace: models.Workspace) -> None:
    queue = factories.queue(workspace)
    page = "routing_taskqueue_change"
    assert errors(alice.send(page, queue.pk, wrap_up_limit="0"), "wrap_up_limit")
    alice.send(page, queue.pk, expected_handling_time="600", wrap_up_limit="90")
    queue.refresh_from_db()
    assert (queue.expected_handling_time, queue.wrap_up_limit) == (600, 90)
    assert queue.wrap_up_end == "complete"
    alice.send(page, queue.pk, expected_handling_time="", wrap_up_limit="90", wrap_up_end="stay")
    queue.refresh_from_db()
    assert (queue.expected_handling_time, queue.wrap_up_limit) == (None, 90)
    assert queue.wrap_up_end == "stay"
