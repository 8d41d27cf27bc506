"""Access to desks: each login reaches its own workers' desks only."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from agents import access
from routing.actions import workers
from routing.actors import SYSTEM
from tests import factories
from tests.agents.conftest import BACKEND, Floor, desk


def test_a_visitor_without_a_login_is_sent_to_the_login_and_back(floor: Floor) -> None:
    answer = Client().get(f"/agent/{floor.alice.here}")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/agent/%3Fworkspace")


def test_a_script_whose_session_has_ended_gets_401_and_no_page(floor: Floor) -> None:
    answer = Client().get("/agent/panels/offers", headers={"X-Requested-With": "desk"})
    assert answer.status_code == 401
    assert b"<" not in answer.content


def test_an_agent_sees_their_own_desk_and_no_other(floor: Floor) -> None:
    assert "Alice" in floor.alice.get()
    assert "Bob" not in floor.alice.get()
    assert "Bob" in floor.bob.get()


def test_a_login_without_a_worker_sees_who_can_help(floor: Floor) -> None:
    client = Client()
    client.force_login(User.objects.create_user("carol"), backend=BACKEND)
    answer = client.get("/agent/")
    assert answer.status_code == 403
    assert "supervisor" in answer.content.decode()


def test_an_agent_of_two_workspaces_begins_in_the_first_and_switches(floor: Floor) -> None:
    other = factories.workspace(friendly_name="Zoo")
    desk(other, "Alice")
    assert "Support" in floor.alice.client.get("/agent/").content.decode()
    there = floor.alice.get(workspace=other.sid)
    assert 'aria-current="page">Zoo' in there
    assert f"workspace={other.sid}" in there


def test_a_workspace_without_a_worker_of_this_login_is_refused(floor: Floor) -> None:
    other = factories.workspace()
    answer = floor.alice.client.get(f"/agent/?workspace={other.sid}")
    assert answer.status_code == 403
    assert floor.workspace.friendly_name in answer.content.decode()


def test_the_socket_and_the_pages_find_workers_by_the_same_function(floor: Floor) -> None:
    assert access.find_worker(floor.alice.user) == floor.alice.worker
    floor.alice.user.is_active = False
    with pytest.raises(access.NoWorker):
        access.find_worker(floor.alice.user)


def test_a_desk_ends_when_the_worker_gets_another_login(floor: Floor) -> None:
    floor.alice.get()
    workers.update_worker(worker=floor.alice.worker, user=None, actor=SYSTEM, now=factories.NOW)
    assert floor.alice.client.get("/agent/").status_code == 403


def test_pages_of_a_desk_are_never_cached_by_a_browser(floor: Floor) -> None:
    answer = floor.alice.client.get("/agent/")
    assert "no-store" in answer["Cache-Control"]


def test_a_panel_that_does_not_exist_is_not_found(floor: Floor) -> None:
    assert floor.alice.client.get("/agent/panels/nothing").status_code == 404
    assert floor.alice.client.get("/agent/panels/offers").status_code == 200
