"""A creation that is repeated with its idempotency key is carried out once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from twilio.http.response import Response
from twilio.rest import Client

from routing import housekeeping, models
from routing.actions import idempotency, tasks
from routing.api.openapi.operations import operations
from tests import factories
from tests.api.conftest import TOKEN, Answer, Api, api_of, path_to
from tests.api.test_official_client import ThroughDjango

KEY = "0b9a4c4e-6c5f-4f0e-8d3a-2f1f2f6f7a10"
NAMES = ("I-Twilio-Idempotency-Token", "Idempotency-Key")


def create(api: Api, path: str, key: str = KEY, name: str = NAMES[0], **form: Any) -> Answer:
    """Send a creation with a key."""
    return api.send("POST", path, body=urlencode(form), headers={name: key})


def forms(existing: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return a form for each operation that creates, by the end of its path."""
    document = factories.configuration(default=models.TaskQueue.objects.get(sid=existing["WQ"]))
    return {
        "/Workspaces": {"FriendlyName": "Hall"},
        "/Activities": {"FriendlyName": "Lunch"},
        "/TaskChannels": {"FriendlyName": "Mail", "UniqueName": "mail"},
        "/OutcomeCodes": {"FriendlyName": "Resolved", "UniqueName": "resolved"},
        "/TaskQueues": {"FriendlyName": "Billing"},
        "/Workers": {"FriendlyName": "Zoe"},
        "/Workflows": {"FriendlyName": "All", "Configuration": document},
        "/Tasks": {"Attributes": '{"order": 7}', "TaskChannel": "chat"},
        "/Grab": {"WorkerSid": existing["WK"]},
        "/Tokens": {"WorkerSid": existing["WK"]},
        "/Secondary": {},
    }


@pytest.fixture
def grabbed(existing: dict[str, str], workspace: models.Workspace) -> dict[str, str]:
    """Return existing sids, with a waiting task."""
    return existing | {"WT": factories.task(workspace, now=timezone.now()).sid}


CREATIONS = [each for each in operations() if each.method == "post" and each.status == 201]


@pytest.mark.parametrize("operation", CREATIONS, ids=lambda each: each.name)
@pytest.mark.parametrize("name", NAMES)
def test_every_creation_is_carried_out_once_for_a_key(
    api: Api, grabbed: dict[str, str], operation: Any, name: str
) -> None:
    path = path_to(operation, grabbed)
    form = forms(grabbed)["/" + path.rsplit("/", 1)[1]]
    first = create(api, path, name=name, **form)
    assert first.status == 201, first.json
    happened = factories.last_event()
    again = create(api, path, name=name, **form)
    assert (again.status, again.json) == (201, first.json)
    assert again.response.headers.get("ETag") == first.response.headers.get("ETag")
    assert again.response.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.response.headers
    assert factories.last_event() == happened
    assert models.IdempotencyKey.objects.count() == 1


def test_the_first_answer_is_repeated_whatever_happened_to_the_row(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    workflow = factories.workflow(workspace)
    form = {"Attributes": "{}", "WorkflowSid": workflow.sid}
    first = create(api, f"{root}/Tasks", **form)
    assert api.post(f"{root}/Tasks/{first['sid']}", Priority=5).status == 200
    assert api.delete(f"{root}/Tasks/{first['sid']}").status == 204
    assert api.delete(f"{root}/Workflows/{workflow.sid}").status == 204
    assert create(api, f"{root}/Tasks", **form).json == first.json
    assert models.Task.objects.count() == 0


def test_reusing_a_key_for_another_form_or_path_is_refused(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.workflow(workspace)
    assert create(api, f"{root}/Tasks", Priority="1").status == 201
    for path, form in (
        (f"{root}/Tasks", {"Priority": "2"}),
        (f"{root}/Tasks", {}),
        (f"{root}/Activities", {"FriendlyName": "Lunch"}),
    ):
        refused = create(api, path, **form)
        assert (refused.status, refused["code"]) == (409, 20491)
        assert refused["more_info"].endswith("/docs/errors/20491")
    assert models.Task.objects.count() == 1
    assert create(api, f"{root}/Tasks", "another key", Priority="2").status == 400
    assert create(api, f"{root}/Tasks", "another-key", Priority="2").status == 201


def test_the_order_in_which_a_form_is_written_does_not_matter(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.workflow(workspace)
    first = create(api, f"{root}/Tasks", Priority="1", Timeout="60")
    assert create(api, f"{root}/Tasks", Timeout="60", Priority="1").json == first.json


def test_accounts_have_keys_of_their_own(api: Api, stranger: Api) -> None:
    mine = create(api, "Workspaces", FriendlyName="Hall")
    theirs = create(stranger, "Workspaces", FriendlyName="Hall")
    assert (mine.status, theirs.status) == (201, 201)
    assert mine["sid"] != theirs["sid"]


def test_a_creation_that_is_refused_keeps_no_key(api: Api, root: str) -> None:
    assert create(api, f"{root}/Activities").status == 400
    assert not models.IdempotencyKey.objects.exists()
    assert create(api, f"{root}/Activities", FriendlyName="Lunch").status == 201


def test_a_grab_that_is_refused_may_be_tried_again_with_its_key(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    worker = factories.worker(workspace, available=False)
    task = factories.task(workspace, now=timezone.now())
    path, form = f"{root}/Tasks/{task.sid}/Grab", {"WorkerSid": worker.sid}
    assert create(api, path, **form).status == 409
    available = factories.activity(workspace)
    assert api.post(f"{root}/Workers/{worker.sid}", ActivitySid=available.sid).status == 200
    first = create(api, path, **form)
    assert first.status == 201
    assert create(api, path, **form).json == first.json


def test_a_creation_that_fails_leaves_neither_key_nor_row(
    api: Api, workspace: models.Workspace, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.workflow(workspace)
    make = tasks.create_task

    def broken(**given: Any) -> models.Task:
        make(**given)
        raise RuntimeError("broken after it was made")

    monkeypatch.setattr(tasks, "create_task", broken)
    api.client.raise_request_exception = False
    assert create(api, f"{root}/Tasks").status == 500
    assert (models.Task.objects.count(), models.IdempotencyKey.objects.count()) == (0, 0)
    monkeypatch.setattr(tasks, "create_task", make)
    assert create(api, f"{root}/Tasks").status == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "with a blank", "ümlaut", "tab\there"])
def test_an_invalid_key_is_refused(api: Api, root: str, key: str) -> None:
    refused = create(api, f"{root}/Activities", key, FriendlyName="Lunch")
    assert (refused.status, refused["code"]) == (400, 20001)
    assert "I-Twilio-Idempotency-Token must have 1 to 255" in refused.message
    assert not models.Activity.objects.filter(friendly_name="Lunch").exists()
    assert create(api, f"{root}/Activities", "x" * 255, FriendlyName="Lunch").status == 201


def test_two_keys_that_differ_are_refused(api: Api, root: str) -> None:
    headers = dict(zip(NAMES, ("one", "two"), strict=True))
    body = "FriendlyName=Lunch"
    assert api.send("POST", f"{root}/Activities", body=body, headers=headers).status == 400
    headers = dict.fromkeys(NAMES, "one")
    assert api.send("POST", f"{root}/Activities", body=body, headers=headers).status == 201


def test_a_key_is_forgotten_after_a_day(
    api: Api, workspace: models.Workspace, root: str, noon: time_machine.Traveller
) -> None:
    factories.workflow(workspace)
    first = create(api, f"{root}/Tasks")
    noon.shift(timedelta(hours=23))
    assert create(api, f"{root}/Tasks").json == first.json
    housekeeping.delete_old_rows(now=timezone.now())
    assert models.IdempotencyKey.objects.count() == 1
    noon.shift(timedelta(hours=1))
    second = create(api, f"{root}/Tasks")
    assert (second.status, second["sid"] == first["sid"]) == (201, False)
    assert models.IdempotencyKey.objects.count() == 1
    noon.shift(timedelta(days=1))
    housekeeping.delete_old_rows(now=timezone.now())
    assert not models.IdempotencyKey.objects.exists()


def test_a_token_is_stored_sealed(api: Api, grabbed: dict[str, str], root: str) -> None:
    made = create(api, f"{root}/Tokens", WorkerSid=grabbed["WK"])
    assert made["token"] not in models.IdempotencyKey.objects.get().body


def test_a_creation_without_a_key_takes_no_extra_query(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.workflow(workspace)
    with CaptureQueriesContext(connection) as captured:
        assert api.post(f"{root}/Tasks").status == 201
    assert not [each for each in captured if "idempotency" in each["sql"]]


@override_settings(CORS_ORIGINS=["https://app.example"])
def test_pages_of_other_origins_may_send_a_key(api: Api, root: str) -> None:
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    found = api.send("OPTIONS", f"{root}/Tasks", headers=headers).response.headers
    assert all(name in found["Access-Control-Allow-Headers"] for name in NAMES)
    assert "Idempotent-Replayed" in found["Access-Control-Expose-Headers"]


# --- At the same time ----------------------------------------------------------------------


def test_a_concurrent_repetition_gets_the_answer_of_the_first(
    api: Api, workspace: models.Workspace, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.workflow(workspace)
    find, answers = idempotency.find_key, list[Answer]()

    def overtaken(creation: idempotency.Creation) -> models.IdempotencyKey | None:
        monkeypatch.setattr(idempotency, "find_key", find)
        found = find(creation)
        answers.append(create(api, f"{root}/Tasks"))
        return found

    monkeypatch.setattr(idempotency, "find_key", overtaken)
    second = create(api, f"{root}/Tasks")
    assert second.json == answers[0].json
    assert models.Task.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_of_many_concurrent_creations_is_carried_out(transactional_db: None) -> None:
    account = factories.account(auth_token=TOKEN)
    workspace = factories.workspace(account=account)
    factories.workflow(workspace)
    start, answers = threading.Barrier(4), list[Answer]()

    def ask() -> None:
        start.wait()
        answers.append(create(api_of(account), f"Workspaces/{workspace.sid}/Tasks"))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.status for each in answers] == [201] * 4
    assert len({each["sid"] for each in answers}) == models.Task.objects.count() == 1


# --- The official library ------------------------------------------------------------------


class Unreliable(ThroughDjango):
    """Sends a key with every creation, and repeats each whose first answer is lost."""

    def request(self, method: str, uri: str, *args: Any, **given: Any) -> Response:
        """Send a request, and again if it creates."""
        send: Callable[[], Response] = lambda: super(Unreliable, self).request(  # noqa: E731
            method, uri, *args, **given
        )
        if method != "POST":
            return send()
        given["headers"] = {**(given.get("headers") or {}), NAMES[0]: f"key-{self.requests}"}
        send()
        return send()


def test_the_official_library_repeats_without_doubling(
    account: models.Account, workspace: models.Workspace
) -> None:
    factories.workflow(workspace)
    client = Client(account.sid, TOKEN, http_client=Unreliable())
    floor = client.taskrouter.v1.workspaces(workspace.sid)
    made = [floor.tasks.create(attributes=json.dumps({"n": n})) for n in range(3)]
    assert {row.sid for row in made} == {row.sid for row in floor.tasks.list()}
    assert len(floor.tasks.list()) == 3
    assert floor.workers.create(friendly_name="Zoe").fetch().friendly_name == "Zoe"
