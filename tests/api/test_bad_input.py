"""Every parameter of every resource, tried with what nobody should send.

Whatever comes, the answer is a refusal in the one shape or a change that was meant; never a fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from routing import models
from routing.api import pagination
from routing.api.base import ListResource, Resource
from routing.api.urls import urlpatterns
from tests import factories
from tests.api.conftest import Api

NASTY = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\x1b[2J",
    "\u202e\U0001f9ff",
    "x" * 70_000,
    "9" * 20,
    "-" + "9" * 5_000,
    "1e999",
    "NaN",
    "null",
    "[" * 20_000,
    '{"a":' * 10_000,
    '{"a": 1, "a": 2}',
    "'; DROP TABLE tasks; --",
    "../../etc/passwd",
    "WS" + "0" * 32,
    "a == 1 OR " * 900 + "a == 1",
    "(" * 5_000,
    "%s%n{0}{__class__}",
]


def resources() -> Iterator[tuple[str, type[Resource]]]:
    """Return the pattern and the class of every resource."""
    for pattern in urlpatterns:
        view = getattr(pattern.callback, "view_class", None)
        if view is not None:
            yield str(pattern.pattern), view


BODIES = [
    (pattern, view, param.name)
    for pattern, view in resources()
    for param in view.params
    if "post" in view.http_method_names
]
QUERIES = [
    (pattern, param.name)
    for pattern, view in resources()
    if issubclass(view, ListResource)
    for param in (*view.filters, *pagination.PARAMS)
]


@pytest.fixture
def sids(workspace: models.Workspace) -> dict[str, str]:
    """Return what stands in a path for each collection's member."""
    worker = factories.worker(workspace)
    reservation = factories.accepted(workspace)
    return {
        "Workspaces": workspace.sid,
        "Activities": factories.activity(workspace, "Busy").sid,
        "TaskChannels": "chat",
        "TaskQueues": workspace.task_queues.get().sid,
        "Workflows": workspace.workflows.get().sid,
        "Workers": worker.sid,
        "Channels": "chat",
        "Tasks": reservation.task.sid,
        "Reservations": reservation.sid,
    }


def filled(pattern: str, sids: dict[str, str]) -> str:
    parts = pattern.split("/")
    return "/".join(
        sids[before] if part.startswith("<") else part
        for before, part in zip(["", *parts], parts, strict=False)
    )


def test_there_is_something_to_try() -> None:
    assert len(BODIES) > 50
    assert len(QUERIES) > 50


@pytest.mark.parametrize(("pattern", "view", "name"), BODIES)
def test_a_nasty_value_in_a_form_is_refused_by_name_or_taken(
    api: Api,
    workspace: models.Workspace,
    sids: dict[str, str],
    pattern: str,
    view: type[Resource],
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = filled(pattern, sids)
    configuration = workspace.workflows.get().revision
    assert configuration is not None
    for number, value in enumerate(NASTY):
        good = {
            "FriendlyName": f"name {number}",
            "UniqueName": f"name{number}",
            "Configuration": configuration.configuration,
            "WorkerSid": sids["Workers"],
        }
        required = {p.name: good[p.name] for p in view.params if p.required}
        answer = api.post(path, **(required | {name: value}))
        assert answer.status in (200, 201, 400, 409), (value[:40], answer.json)
        if answer.status == 400:
            assert answer["code"] == 20001
            assert name in answer.message or "exists already" in answer.message, answer.message
        if "\x00" in value:
            assert answer.status == 400
    assert not caplog.records


@pytest.mark.parametrize(("pattern", "name"), QUERIES)
def test_a_nasty_value_in_a_query_is_refused_by_name_or_finds_nothing(
    api: Api,
    sids: dict[str, str],
    pattern: str,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = filled(pattern, sids)
    for value in NASTY:
        answer = api.send("GET", f"/v1/{path}?{name}={quote(value)}")
        assert answer.status in (200, 400), (value[:40], answer.json)
        if answer.status == 400:
            assert name in answer.message, value[:40]
        if "\x00" in value:
            assert answer.status == 400
    assert not caplog.records


def test_the_same_form_twice_makes_what_its_name_allows(api: Api, root: str) -> None:
    form = {"FriendlyName": "Alice"}
    assert api.post(f"{root}/Workers", **form).status == 201
    assert api.post(f"{root}/Workers", **form).status == 400
    assert len(api.get(f"{root}/Workers")["workers"]) == 1
