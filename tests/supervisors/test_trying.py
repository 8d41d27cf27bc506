"""Try a task in the cockpit: the stored workflows of the supervisor's workspace."""

from __future__ import annotations

from typing import Any

from routing import models
from tests import factories
from tests.supervisors.conftest import Cockpit


def send(cockpit: Cockpit, who: str = "member", **fields: Any) -> Any:
    given = {"_try": "typed", "try-attributes": "{}", "workflow": cockpit.workflow.sid} | fields
    return cockpit.people[who].post(f"/supervisor/try?workspace={cockpit.workspace.sid}", given)


def test_a_supervisor_sees_what_would_become_of_a_task(cockpit: Cockpit) -> None:
    before = models.Event.objects.count()
    answer = send(cockpit)
    assert answer.status_code == 200
    assert answer.context["trial"]["steps"] != []
    assert "trial-summary" in answer.content.decode()
    assert models.Event.objects.count() == before
    assert not cockpit.workspace.tasks.exists()


def test_the_first_workflow_is_proposed_and_another_may_be_chosen(cockpit: Cockpit) -> None:
    other = factories.workflow(
        cockpit.workspace,
        factories.filter_("vip == true", factories.target(cockpit.queue), name="Only VIPs"),
        friendly_name="zz last",
    )
    page = cockpit.people["member"].get(f"/supervisor/try?workspace={cockpit.workspace.sid}")
    assert page.context["workflow"].pk == cockpit.workflow.pk
    answer = send(cockpit, workflow=other.sid)
    assert "Its creation would be refused" in answer.context["trial"]["summary"]


def test_a_typed_configuration_is_ignored_in_the_cockpit(cockpit: Cockpit) -> None:
    answer = send(cockpit, configuration="{}")
    assert answer.context["trial"]["problems"] == ()


def test_a_workspace_without_a_workflow_says_so(cockpit: Cockpit) -> None:
    models.Task.objects.all().delete()
    cockpit.workspace.workflows.update(revision=None)
    cockpit.workspace.workflows.all().delete()
    page = cockpit.read("try")
    assert "There is no workflow in this workspace." in page


def test_only_supervisors_may_try_a_task(cockpit: Cockpit) -> None:
    statuses = {who: send(cockpit, who).status_code for who in cockpit.people}
    assert statuses == {
        "superuser": 200,
        "member": 200,
        "agent": 403,
        "stranger": 404,
        "anonymous": 302,
    }
