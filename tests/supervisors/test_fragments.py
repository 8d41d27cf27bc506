"""Fragments: rendered once for all who see the same, and answered by 304 while nothing changed."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import loader
from django.test import Client
from django.utils import timezone, translation

from routing.core.clock import microseconds
from routing.sockets import Bucket
from supervisors import access, fragments, pictures
from supervisors.dirt import Dirt
from supervisors.panel import Panel, Scene
from supervisors.query import View
from tests.supervisors.conftest import Cockpit

renders: list[Scene] = []


@pytest.fixture
def panel(monkeypatch: pytest.MonkeyPatch) -> Panel:
    """Return a panel that notes each rendering."""
    renders.clear()

    def load(scene: Scene) -> dict[str, Any]:
        renders.append(scene)
        return {"tasks": scene.picture.tasks_of(None), "longest": None, "recent": None}

    monkeypatch.setattr(loader, "render_to_string", lambda _, context: "html")
    return Panel(name="totals", load=load)


def scene(cockpit: Cockpit, who: str = "lead", **view: Any) -> Scene:
    """Return what a user asks for."""
    user = User.objects.get(username=who)
    supervisor = access.find_supervisor(user, cockpit.workspace.sid)
    picture = pictures.find_picture(cockpit.workspace)
    found = View(workspace=cockpit.workspace.sid, **view)
    return Scene(supervisor=supervisor, view=found, picture=picture, now=timezone.now())


def test_the_same_panel_is_rendered_once_for_all(cockpit: Cockpit, panel: Panel, rf: Any) -> None:
    for who in ("lead", "root", "lead"):
        User.objects.filter(username=who).update(is_staff=True)
        fragments.render_panel(panel, scene(cockpit, who), rf.get("/"))
    assert len(renders) == 1


def test_another_view_language_or_right_is_rendered_by_itself(
    cockpit: Cockpit, panel: Panel, rf: Any
) -> None:
    fragments.render_panel(panel, scene(cockpit), rf.get("/"))
    fragments.render_panel(panel, scene(cockpit, channel=("chat",)), rf.get("/"))
    fragments.render_panel(panel, scene(cockpit, "root"), rf.get("/"))
    with translation.override("de"):
        fragments.render_panel(panel, scene(cockpit), rf.get("/"))
    assert len(renders) == 4


def test_a_list_is_rendered_again_for_those_who_heard_of_a_later_change(
    cockpit: Cockpit, panel: Panel, rf: Any
) -> None:
    rows = replace(panel, from_picture=False)
    first = scene(cockpit)
    moment = microseconds(first.now) // 1000
    fragments.render_panel(rows, first, rf.get("/"))
    later = replace(first, now=first.now + timedelta(milliseconds=10))
    for since in ("", "x", "-1", str(moment - 1), str(moment)):
        fragments.render_panel(rows, later, rf.get("/", headers={"X-Since": since}))
    assert len(renders) == 1
    for since in (str(moment + 5), str(moment + 5)):
        fragments.render_panel(rows, later, rf.get("/", headers={"X-Since": since}))
    assert len(renders) == 2


def test_a_newer_picture_is_rendered_again(cockpit: Cockpit, panel: Panel, rf: Any) -> None:
    fragments.render_panel(panel, scene(cockpit), rf.get("/"))
    cockpit.task(workflow=cockpit.workflow)
    pictures.renew_picture(cockpit.workspace.sid, Dirt(whole=True))
    fragments.render_panel(panel, scene(cockpit), rf.get("/"))
    assert len(renders) == 2


def fetch(client: Client, cockpit: Cockpit, name: str = "totals", **headers: str) -> Any:
    """Fetch a panel as the script does."""
    return client.get(
        f"/supervisor/panels/{name}",
        {"workspace": cockpit.workspace.sid, "queue": cockpit.queue.sid},
        headers={"X-Requested-With": "cockpit", **headers},
    )


def test_an_unchanged_panel_is_answered_by_304(cockpit: Cockpit) -> None:
    client = cockpit.people["member"]
    first = fetch(client, cockpit)
    again = fetch(client, cockpit, **{"If-None-Match": first["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert again.content == b""
    assert abs(int(again["X-Now"]) - timezone.now().timestamp() * 1000) < 60_000
    cockpit.task(workflow=cockpit.workflow)
    pictures.renew_picture(cockpit.workspace.sid, Dirt(whole=True))
    changed = fetch(client, cockpit, **{"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_a_panel_that_shows_more_than_the_picture_has_no_tag(cockpit: Cockpit) -> None:
    assert "ETag" not in fetch(cockpit.people["member"], cockpit, "waiting")


def test_a_token_in_a_shared_fragment_is_that_of_each_browser(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch, rf: Any
) -> None:
    monkeypatch.setattr(loader, "render_to_string", lambda _, context: f"<{context['csrf_mark']}>")
    panel = Panel(name="totals", load=lambda _: {})
    tokens = {fragments.render_panel(panel, scene(cockpit), rf.get("/")) for _ in range(2)}
    assert len(tokens) == 2
    assert all(re.fullmatch(r"<[A-Za-z0-9]{64}>", token) for token in tokens)


def test_the_palette_finds_queues_by_parts_of_their_names(cockpit: Cockpit) -> None:
    found = cockpit.get("find", q="cha").json()["found"]  # type: ignore[attr-defined]
    assert [each["name"] for each in found] == ["Chats"]
    assert found[0]["address"].startswith(f"/supervisor/queues/{cockpit.queue.sid}")
    assert cockpit.get("find", q="xyz").json() == {"found": []}  # type: ignore[attr-defined]


def test_more_different_panels_than_a_second_has_room_for_wait(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragments, "Bucket", functools.partial(Bucket, clock=lambda: 0.0))
    client = cockpit.people["member"]
    query = {"workspace": cockpit.workspace.sid}
    script = {"X-Requested-With": "cockpit"}
    answers = [
        client.get("/supervisor/panels/tasks", query | {"priority": number}, headers=script)
        for number in range(fragments.MOST_RENDERS + 1)
    ]
    statuses = [answer.status_code for answer in answers]
    assert statuses == [200] * fragments.MOST_RENDERS + [503]
    assert answers[-1]["Retry-After"] == "1"
    assert client.get("/supervisor/tasks", query).status_code == 200, "pages never wait"
    shared = client.get("/supervisor/panels/queues", query, headers=script)
    assert shared.status_code == 200, "nor do panels of the picture"
