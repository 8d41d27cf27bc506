"""Access to the cockpit: five kinds of people at all of its addresses."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from routing import models
from routing.actions import boards
from routing.actions.supervision import batches
from routing.actors import SYSTEM
from supervisors.panels import PANELS
from supervisors.urls import urlpatterns
from tests import factories
from tests.agents.conftest import BACKEND
from tests.supervisors.conftest import Cockpit

EXPECTED = {"superuser": 200, "member": 200, "agent": 403, "stranger": 404, "anonymous": 302}


def list_addresses(cockpit: Cockpit) -> list[str]:
    """Return each address of the cockpit that answers GET, for the rows of one workspace."""
    found = []
    task = cockpit.task(workflow=cockpit.workflow)
    board = boards.save_board(
        workspace=cockpit.workspace, board=None, name="Room", tiles=(), now=timezone.now()
    )
    for pattern in urlpatterns:
        route = str(pattern.pattern)
        if "panels/" in route:
            query = f"queue={cockpit.queue.sid}&task={task.sid}&worker={cockpit.ada.sid}"
            kind = ".csv" if route.endswith(".csv") else ""
            named = [name for name, panel in PANELS.items() if panel.write or not kind]
            found += [f"panels/{name}{kind}?{query}" for name in named]
        elif "<slug:verb>" in route or route.startswith("wall/"):
            continue  # answers POST alone, or the holders of links
        elif "thresholds/" in route:
            found.append(route.replace("<str:sid>", "new"))
        elif "changes/" in route:
            found.append(route.replace("<str:sid>", make_act(cockpit).sid))
        elif "reports/cell" in route:
            span = "start=2026-03-01T00:00Z&end=2026-03-02T00:00Z"
            found.append(f"{route}?measure=entered&{span}")
        elif not route.startswith("do/"):
            sids = {"tasks/": task.sid, "agents/": cockpit.ada.sid, "boards/": board.sid}
            kind = route.partition("<")[0]
            found.append(route.replace("<str:sid>", sids.get(kind, cockpit.queue.sid)))
    return found


def make_act(cockpit: Cockpit) -> models.Batch:
    """Return an act of a supervisor on Ada."""
    return batches.create_batch(
        workspace=cockpit.workspace,
        command="workers.set_capacity",
        arguments={"channel": factories.channel(cockpit.workspace).sid, "to": 5},
        subjects=[batches.Subject(sid=cockpit.ada.sid)],
        actor=SYSTEM,
        now=timezone.now(),
    )


@pytest.mark.parametrize(("who", "status"), EXPECTED.items())
def test_each_address_answers_each_kind_of_person_as_they_may(
    cockpit: Cockpit, who: str, status: int
) -> None:
    addresses = list_addresses(cockpit)
    assert len(addresses) > len(PANELS)
    for address in addresses:
        path, _, query = address.partition("?")
        given = dict(parse_qsl(query))
        answer = cockpit.get(path, who=who, **given)
        assert answer.status_code == status, address
        if status != 200:
            # As whole words: a random token may have these letters.
            assert not re.search(rb"\b(Ada|Chats)\b", answer.content), address


def test_an_agent_reads_who_can_help_and_the_way_to_the_desk(cockpit: Cockpit) -> None:
    text = cockpit.get(who="agent").content.decode()
    assert "Ask the operator" in text
    assert 'href="/agent/"' in text


def test_an_agent_cannot_tell_whether_a_workspace_exists(cockpit: Cockpit) -> None:
    client = cockpit.people["agent"]
    sids = [cockpit.workspace.sid, "WS" + "0" * 32]
    answers = [client.get(f"/supervisor/?workspace={sid}") for sid in sids]
    assert [answer.status_code for answer in answers] == [403, 403]


def test_anonymous_visitors_come_back_after_the_login(cockpit: Cockpit) -> None:
    answer = cockpit.get(who="anonymous", channel="chat")
    assert answer["Location"].startswith("/accounts/login/?next=/supervisor/%3Fworkspace")
    assert "channel%3Dchat" in answer["Location"]


def test_a_script_without_a_session_gets_401_and_no_page(cockpit: Cockpit) -> None:
    answer = Client().get("/supervisor/panels/totals", headers={"X-Requested-With": "cockpit"})
    assert answer.status_code == 401
    assert b"<" not in answer.content


def test_a_member_without_a_choice_begins_in_their_first_workspace(cockpit: Cockpit) -> None:
    answer = cockpit.people["member"].get("/supervisor/")
    assert "Support" in answer.content.decode()


def test_a_login_that_was_deactivated_is_sent_to_the_login(cockpit: Cockpit) -> None:
    User.objects.filter(username="lead").update(is_active=False)
    assert cockpit.get().status_code == 302


def test_an_operator_without_any_workspace_reads_what_to_do(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"), backend=BACKEND)
    answer = client.get("/supervisor/")
    assert answer.status_code == 404
    assert "configuration" in answer.content.decode()


def test_an_operator_switches_between_workspaces_in_the_bar(cockpit: Cockpit) -> None:
    text = cockpit.get(who="superuser").content.decode()
    assert "Elsewhere" in text
    assert 'aria-current="page">Support' in text


def test_pages_are_never_cached_by_a_browser(cockpit: Cockpit) -> None:
    assert "no-store" in cockpit.get()["Cache-Control"]


def test_a_panel_that_does_not_exist_is_not_found(cockpit: Cockpit) -> None:
    assert cockpit.get("panels/nothing").status_code == 404


def test_only_staff_see_the_way_to_the_configuration(cockpit: Cockpit) -> None:
    assert "Configuration" not in cockpit.read()
    User.objects.filter(username="lead").update(is_staff=True)
    assert "Configuration" in cockpit.read()


def test_a_member_who_is_an_agent_too_sees_the_way_to_their_desk(cockpit: Cockpit) -> None:
    assert "My desk" not in cockpit.read()
    factories.worker(cockpit.workspace, "Lead", user=User.objects.get(username="lead"))
    assert "My desk" in cockpit.read()


def test_the_home_page_leads_a_team_lead_to_the_cockpit(cockpit: Cockpit) -> None:
    assert cockpit.people["member"].get("/")["Location"] == "/supervisor/"
    assert cockpit.people["agent"].get("/")["Location"] == "/agent/"


def test_only_a_member_sees_the_way_from_the_desk_to_the_cockpit(cockpit: Cockpit) -> None:
    client = cockpit.people["agent"]
    link = f"/supervisor/?workspace={cockpit.workspace.sid}"
    assert link not in client.get("/agent/").content.decode()
    user = User.objects.get(username="ada")
    models.Membership.objects.create(user=user, workspace=cockpit.workspace)
    assert link in client.get("/agent/").content.decode()


def test_the_admin_leads_to_the_cockpit(cockpit: Cockpit) -> None:
    User.objects.filter(username="root").update(is_staff=True)
    assert 'href="/supervisor/"' in cockpit.people["superuser"].get("/admin/").content.decode()
