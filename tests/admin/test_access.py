"""Access to the admin: Alice has her workspace, Bob nothing of it, Charlie no page at all."""

from __future__ import annotations

from typing import Any

import pytest

from routing import models
from tests import factories
from tests.admin.visitors import Visitor, words

OWNED = ("activity", "taskchannel", "worker", "taskqueue", "workflow", "task", "reservation")
OPERATORS_ONLY = ("routing_account", "routing_apikey", "routing_membership", "auth_user")


@pytest.fixture
def rows_of_a(workspace: models.Workspace) -> dict[str, Any]:
    """Return one of everything of workspace A."""
    worker = factories.worker(workspace, "Anna of A")
    reservation = factories.accepted(workspace)
    queue = models.TaskQueue.objects.get()
    return {
        "workspace": workspace,
        "activity": factories.activity(workspace),
        "taskchannel": factories.channel(workspace),
        "worker": worker,
        "taskqueue": queue,
        "workflow": models.Workflow.objects.get(),
        "task": reservation.task,
        "reservation": reservation,
        "event": models.Event.objects.order_by("-pk")[0],
    }


def test_strangers_are_sent_to_the_login(workspace: models.Workspace) -> None:
    answer = Visitor().get("/admin/routing/worker/")
    assert answer.status_code == 302
    answer = Visitor().client.get("/admin/routing/worker/", follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/login/?next=/admin/routing/worker/"


def test_an_agent_is_refused_everywhere(charlie: Visitor, rows_of_a: dict[str, Any]) -> None:
    for path in ("/admin/", "/admin/routing/worker/", "/admin/routing/task/", "/admin/auth/user/"):
        answer = charlie.client.get(path, follow=True)
        assert answer.status_code == 403


def test_staff_without_a_membership_is_refused(charlie: Visitor) -> None:
    assert charlie.user is not None
    charlie.user.is_staff = True
    charlie.user.save()
    assert charlie.client.get("/admin/", follow=True).status_code == 403


def test_a_supervisor_no_longer_staff_is_refused(alice: Visitor) -> None:
    assert alice.user is not None
    alice.user.is_staff = False
    alice.user.save()
    assert alice.client.get("/admin/", follow=True).status_code == 403


def test_a_supervisor_opens_every_page_of_their_workspace(
    alice: Visitor, rows_of_a: dict[str, Any]
) -> None:
    assert alice.see("index").status_code == 200
    for name, row in rows_of_a.items():
        assert alice.see(f"routing_{name}_changelist").status_code == 200
        assert alice.see(f"routing_{name}_change", row.pk).status_code == 200


def test_nothing_of_another_workspace_is_listed(bob: Visitor, rows_of_a: dict[str, Any]) -> None:
    for name in rows_of_a:
        answer = bob.see(f"routing_{name}_changelist")
        assert answer.status_code == 200
        mine = answer.context["cl"].result_list
        assert all(getattr(row, "sid", "") != rows_of_a[name].sid for row in mine)
    assert "Anna of A" not in words(bob.see("routing_worker_changelist"))


def test_nothing_of_another_workspace_opens_by_its_address(
    bob: Visitor, rows_of_a: dict[str, Any]
) -> None:
    for name, row in rows_of_a.items():
        for page in ("change", "delete", "history"):
            answer = bob.see(f"routing_{name}_{page}", row.pk)
            assert answer.status_code in (302, 403), (name, page)


def test_nothing_of_another_workspace_can_be_changed_by_posting(
    alice: Visitor, bob: Visitor, rows_of_a: dict[str, Any]
) -> None:
    before = factories.last_event()
    for name in ("worker", "activity", "taskchannel", "taskqueue", "workflow", "workspace"):
        fields = alice.form(f"routing_{name}_change", rows_of_a[name].pk)
        bob.post(
            f"routing_{name}_change", rows_of_a[name].pk, **fields | {"friendly_name": "Stolen"}
        )
        bob.post(f"routing_{name}_delete", rows_of_a[name].pk, post="yes")
        rows_of_a[name].refresh_from_db()
        assert rows_of_a[name].friendly_name != "Stolen"
    answer = bob.post("routing_task_step_in", rows_of_a["task"].pk, do="complete")
    assert answer.status_code == 404
    assert factories.event_types(before) == []


def test_rows_of_another_workspace_cannot_be_chosen(
    bob: Visitor, other: models.Workspace, rows_of_a: dict[str, Any]
) -> None:
    mine = factories.worker(other, "Ben of B")
    answer = bob.send("routing_worker_change", mine.pk, activity=rows_of_a["activity"].pk)
    assert "Select a valid choice" in words(answer)
    answer = bob.send(
        "routing_workspace_change", other.pk, default_activity=rows_of_a["activity"].pk
    )
    assert "Select a valid choice" in words(answer)
    mine.refresh_from_db()
    other.refresh_from_db()
    assert mine.activity.workspace == other
    assert other.default_activity is not None
    assert other.default_activity.workspace == other


def test_nothing_can_be_added_to_another_workspace(
    bob: Visitor, workspace: models.Workspace, other: models.Workspace
) -> None:
    answer = bob.post(
        "routing_activity_add", query=f"?workspace={workspace.sid}", friendly_name="Stolen"
    )
    assert "to which workspace" in words(answer)
    bob.post("routing_taskchannel_custom", workspace=workspace.pk)
    assert not models.Activity.objects.filter(friendly_name="Stolen").exists()
    assert not workspace.task_channels.filter(unique_name="custom1").exists()


def test_bulk_actions_change_only_workers_of_the_supervisors_workspaces(
    bob: Visitor, rows_of_a: dict[str, Any]
) -> None:
    bob.post(
        "routing_worker_changelist",
        action="set_capacity",
        _selected_action=[rows_of_a["worker"].pk],
        select_across="1",
        apply="1",
        channel=rows_of_a["taskchannel"].pk,
        configured_capacity="9",
    )
    assert factories.worker_channel(rows_of_a["worker"]).configured_capacity == 1


@pytest.mark.parametrize("page", OPERATORS_ONLY)
def test_accounts_keys_and_logins_are_for_operators(
    alice: Visitor, olga: Visitor, page: str
) -> None:
    for suffix in ("changelist", "add"):
        assert alice.see(f"{page}_{suffix}").status_code == 403
        assert olga.see(f"{page}_{suffix}").status_code == 200
    label = {"auth_user": "Logins", "routing_apikey": "API keys"}.get(page)
    if label:
        assert label not in words(alice.see("index"))
        assert label in words(olga.see("index"))


def test_supervisors_neither_create_nor_delete_workspaces(
    alice: Visitor, workspace: models.Workspace
) -> None:
    assert alice.see("routing_workspace_add").status_code == 403
    assert alice.see("routing_workspace_delete", workspace.pk).status_code == 403
    assert "Supervisors" not in words(alice.see("routing_workspace_change", workspace.pk))


def test_an_operator_sees_every_workspace(
    olga: Visitor, workspace: models.Workspace, other: models.Workspace
) -> None:
    shown = olga.see("routing_workspace_changelist").context["cl"].result_list
    assert {"Floor A", "Floor B"} <= {str(row) for row in shown}


def test_a_supervisor_sees_no_login_of_another_workspace(
    alice: Visitor, bob: Visitor, charlie: Visitor, olga: Visitor
) -> None:
    offered = words(alice.see("routing_worker_add"))
    assert "charlie" in offered
    assert "olga" not in offered
    assert bob.user is not None
    assert bob.user.username not in offered.split()
    assert "olga" in words(olga.see("routing_worker_add"))
