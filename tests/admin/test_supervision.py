"""Help for supervisors: reasons, time zones, passwords, and deletions refused in advance."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from routing import models
from routing.actions import memberships, workspaces
from routing.actions.support.errors import InvalidInput
from routing.actors import SYSTEM
from tests import factories
from tests.admin.visitors import Visitor, words
from tests.factories import NOW

GOOD = "a much longer secret"


# --- Why a task waits -------------------------------------------------------------------------


def test_a_tasks_page_says_why_it_waits_and_fetches_that_again(
    alice: Visitor, workspace: models.Workspace
) -> None:
    queue = factories.queue(workspace)
    factories.workflow(workspace, default=queue)
    worker = factories.worker(workspace, "Maria", available=False)
    task = factories.task(workspace, now=timezone.now())
    page = alice.see("routing_task_change", task.pk)
    assert "Maria alone serves its queue." in words(page)
    assert f'data-live="/admin/routing/task/{task.pk}/explanation/"' in page.content.decode()
    worker.channels.update(worker_available=True)
    models.Worker.objects.filter(pk=worker.pk).update(activity=factories.activity(workspace))
    part = alice.see("routing_task_explanation", task.pk)
    assert "Will be offered to Maria" in words(part)
    assert "<html" not in part.content.decode()


def test_the_reason_is_shown_to_the_workspaces_supervisors_alone(
    bob: Visitor, charlie: Visitor, workspace: models.Workspace
) -> None:
    task = factories.task(workspace)
    assert bob.see("routing_task_explanation", task.pk).status_code == 404
    assert charlie.see("routing_task_explanation", task.pk).status_code == 302


# --- Time zones -------------------------------------------------------------------------------


def test_moments_are_shown_in_the_workspaces_zone_with_their_age(
    alice: Visitor, olga: Visitor, workspace: models.Workspace, other: models.Workspace
) -> None:
    task = factories.task(workspace)
    assert "12:00:00 UTC" in words(alice.see("routing_task_change", task.pk))
    alice.send("routing_workspace_change", workspace.pk, time_zone="Asia/Tokyo")
    page = words(alice.see("routing_task_change", task.pk))
    assert "21:00:00 JST" in page
    assert "d ago" in page
    assert "21:00:00 JST" in words(olga.see("routing_task_change", task.pk))
    assert "12:00:00 UTC" in words(olga.see("routing_task_change", factories.task(other).pk))


def test_an_unknown_time_zone_is_refused(workspace: models.Workspace) -> None:
    with pytest.raises(InvalidInput, match="Europe/Berlin"):
        workspaces.update_workspace(workspace=workspace, time_zone="Mars", actor=SYSTEM, now=NOW)


# --- Passwords --------------------------------------------------------------------------------


def agent(workspace: models.Workspace, name: str = "maria") -> tuple[models.Worker, User]:
    user = User.objects.create_user(name, password="the first secret")
    return factories.worker(workspace, name.title(), user=user), user


def test_a_supervisor_sets_an_agents_password_and_ends_their_sessions(
    alice: Visitor, workspace: models.Workspace
) -> None:
    worker, user = agent(workspace)
    desk = Client()
    desk.force_login(user)
    assert desk.get("/agent/").status_code == 200
    assert (
        f"/worker/{worker.pk}/login/"
        in alice.see("routing_worker_change", worker.pk).content.decode()
    )
    page = alice.post("routing_worker_login", worker.pk, do="password", password="short")
    assert "too short" in words(page)
    page = alice.post("routing_worker_login", worker.pk, do="password", password=GOOD)
    assert "maria has a new password" in words(page)
    user.refresh_from_db()
    assert user.check_password(GOOD)
    assert desk.get("/agent/").status_code == 302


def test_a_supervisor_deactivates_and_reactivates_an_agents_login(
    alice: Visitor, workspace: models.Workspace
) -> None:
    worker, user = agent(workspace)
    desk = Client()
    desk.force_login(user)
    alice.post("routing_worker_login", worker.pk, do="deactivate")
    assert desk.get("/agent/").status_code == 302
    user.refresh_from_db()
    assert not user.is_active
    alice.post("routing_worker_login", worker.pk, do="activate")
    user.refresh_from_db()
    assert user.is_active


@pytest.mark.parametrize("kind", ["operator", "staff", "fellow", "elsewhere"])
def test_setting_a_password_gives_no_further_rights(
    alice: Visitor, olga: Visitor, workspace: models.Workspace, other: models.Workspace, kind: str
) -> None:
    worker, user = agent(workspace)
    match kind:
        case "operator":
            User.objects.filter(pk=user.pk).update(is_superuser=True)
        case "staff":
            User.objects.filter(pk=user.pk).update(is_staff=True)
        case "fellow":
            memberships.add_membership(workspace=other, user=user)
        case "elsewhere":
            factories.worker(other, "Maria", user=user)
    answer = alice.post("routing_worker_login", worker.pk, do="password", password=GOOD)
    assert answer.status_code == 403
    user.refresh_from_db()
    assert user.check_password("the first secret")
    page = alice.see("routing_worker_change", worker.pk).content.decode()
    assert f"/worker/{worker.pk}/login/" not in page
    olga.post("routing_worker_login", worker.pk, do="password", password=GOOD)
    user.refresh_from_db()
    assert user.check_password(GOOD)


def test_a_worker_of_another_workspace_has_no_login_here(
    bob: Visitor, workspace: models.Workspace
) -> None:
    worker, _ = agent(workspace)
    assert bob.see("routing_worker_login", worker.pk).status_code == 404


def test_everyone_changes_their_own_password(workspace: models.Workspace) -> None:
    _, user = agent(workspace)
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        client.force_login(user, backend="config.patches.session_store.Backend")
    assert Client().get("/accounts/password/").status_code == 302
    given = {"old_password": "wrong", "new_password1": GOOD, "new_password2": GOOD}
    page = here.post("/accounts/password/", given)
    assert "entered incorrectly" in page.content.decode()
    answer = here.post("/accounts/password/", given | {"old_password": "the first secret"})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    user.refresh_from_db()
    assert user.check_password(GOOD)
    assert here.get("/agent/").status_code == 200
    assert elsewhere.get("/agent/").status_code == 302


# --- Deletions --------------------------------------------------------------------------------


def test_a_deletion_that_would_be_refused_is_not_offered(
    alice: Visitor, workspace: models.Workspace
) -> None:
    queue = factories.queue(workspace)
    factories.workflow(workspace, default=queue)
    worker = factories.worker(workspace, "Maria")
    factories.offered(workspace)
    default = workspace.task_channels.get(unique_name="default")
    refused = [("taskqueue", queue), ("worker", worker), ("taskchannel", default)]
    refused.append(("activity", worker.activity))
    for noun, row in refused:
        page = alice.see(f"routing_{noun}_delete", row.pk)
        assert "cannot be deleted now:" in words(page), noun
        assert "Are you sure" not in words(page), noun
        assert type(row)._base_manager.filter(pk=row.pk).exists()


def test_a_permitted_deletion_is_confirmed_and_carried_out(
    alice: Visitor, workspace: models.Workspace
) -> None:
    worker = factories.worker(workspace, "Maria")
    before = factories.last_event()
    assert "Are you sure" in words(alice.see("routing_worker_delete", worker.pk))
    assert factories.event_types(before) == []
    assert models.Worker.objects.filter(pk=worker.pk).exists()
    alice.post("routing_worker_delete", worker.pk, post="yes")
    assert not models.Worker.objects.filter(pk=worker.pk).exists()


def test_a_deletion_of_many_rows_is_refused_before_the_confirmation(
    alice: Visitor, workspace: models.Workspace
) -> None:
    queue = factories.queue(workspace)
    factories.workflow(workspace, default=queue)
    busy = factories.worker(workspace, "Maria")
    factories.offered(workspace)
    idle = factories.worker(workspace, "Noor")
    page = alice.post(
        "routing_worker_changelist",
        action="delete_selected",
        _selected_action=[busy.pk, idle.pk],
    )
    assert "cannot be deleted together now" in words(page)
    assert models.Worker.objects.filter(pk__in=[busy.pk, idle.pk]).count() == 2


# --- Small things -----------------------------------------------------------------------------


def test_the_history_link_leads_to_the_events_of_the_row(
    alice: Visitor, bob: Visitor, workspace: models.Workspace
) -> None:
    worker = factories.worker(workspace, "Maria")
    answer = alice.see("routing_worker_history", worker.pk)
    assert answer["Location"] == f"/admin/routing/event/?q={worker.sid}"
    assert "worker.created" in words(alice.get(answer["Location"]))
    assert bob.see("routing_worker_history", worker.pk).status_code == 403


def test_a_help_text_with_angle_brackets_is_shown_whole(
    alice: Visitor, workspace: models.Workspace
) -> None:
    page = alice.see("routing_taskchannel_add")
    assert "(worker.channel.<name>)" in words(page)


def test_a_login_shows_nothing_of_its_stored_password(olga: Visitor) -> None:
    user = User.objects.create_user("maria", password=GOOD)
    page = words(olga.see("auth_user_change", user.pk))
    assert "Set a new password" in page
    for word in ("algorithm", "salt", "hash"):
        assert word not in page


def test_the_admin_s_password_page_leads_to_the_common_one(alice: Visitor) -> None:
    assert alice.see("password_change")["Location"] == "/accounts/password/"
