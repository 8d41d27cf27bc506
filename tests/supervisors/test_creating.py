"""A supervisor creates a task by hand."""

from __future__ import annotations

from typing import Any

import pytest

from routing import models
from tests import factories
from tests.supervisors.conftest import Cockpit


def post(cockpit: Cockpit, who: str = "member", **given: Any) -> Any:
    fields = {
        "workflow": cockpit.workflow.pk,
        "channel": factories.channel(cockpit.workspace).pk,
        "attributes": '{"subject": "Call back"}',
        "priority": 3,
    }
    return cockpit.people[who].post(
        f"/supervisor/tasks/new?workspace={cockpit.workspace.sid}", fields | given
    )


def test_a_task_is_created_and_its_page_is_shown(cockpit: Cockpit) -> None:
    answer = post(cockpit)
    task = models.Task.objects.get()
    assert (answer.status_code, f"/tasks/{task.sid}?" in answer.url) == (302, True)
    assert (task.priority, task.task_queue, task.attributes) == (
        *(3, cockpit.queue),
        '{"subject": "Call back"}',
    )
    event = models.Event.objects.get(event_type="task.created")
    assert (event.source, event.actor_sid) == ("supervisor", "lead")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"attributes": "[]"}, "attributes"),
        ({"attributes": "{"}, "attributes"),
        ({"priority": -1}, "greater than or equal to 0"),
        ({"workflow": 0}, "Select a valid choice"),
        ({"attributes": ""}, "This field is required"),
    ],
)
def test_bad_input_is_told_and_creates_nothing(
    cockpit: Cockpit, given: dict[str, Any], words: str
) -> None:
    answer = post(cockpit, **given)
    assert (answer.status_code, words in answer.content.decode()) == (400, True)
    assert not models.Task.objects.exists()


def test_a_workflow_of_another_workspace_is_no_choice(cockpit: Cockpit) -> None:
    foreign = factories.workflow(factories.workspace())
    assert post(cockpit, workflow=foreign.pk).status_code == 400
    assert not models.Task.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("agent", 403), ("stranger", 404)])
def test_only_supervisors_of_the_workspace_create(cockpit: Cockpit, who: str, status: int) -> None:
    assert post(cockpit, who).status_code == status
    assert not models.Task.objects.exists()


def test_the_form_says_so_where_no_workflow_exists(cockpit: Cockpit) -> None:
    assert "There is no workflow yet" not in cockpit.read("tasks/new")
    cockpit.workspace.workflows.all().delete()
    assert "There is no workflow yet" in cockpit.read("tasks/new")
