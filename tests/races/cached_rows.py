"""Create tasks by POST while the rows change that a creation caches; print the answers as JSON.

`python -m tests.races.cached_rows SCENE`; see `runner`. Each change is made by another connection:
between two requests, or within a request, after it has read and before it writes.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import Any, Final
from unittest import mock
from urllib.parse import urlencode

from tests.races.creations import counting_round_trips  # isort: skip - it sets Django up

from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client, override_settings
from django.utils import timezone

from routing import models
from routing.actions import (
    accounts,
    api_keys,
    task_channels,
    task_queues,
    workflows,
    workspaces,
)
from routing.actors import SYSTEM
from routing.db import joint_insert
from tests import factories
from tests.api.conftest import TOKEN, basic

SECRET: Final = "a secret that only this program knows"


class Floor:
    """A workspace whose rows are cached by two creations, and a client of its account."""

    def __init__(self) -> None:
        self.account = factories.account(auth_token=TOKEN)
        self.workspace = factories.workspace(account=self.account)
        self.queue = factories.queue(self.workspace, friendly_name="Support")
        self.workflow = factories.workflow(
            self.workspace, default=self.queue, friendly_name="Chats"
        )
        self.key = api_keys.create_api_key(
            account=self.account, friendly_name="shop", secret=SECRET, now=timezone.now()
        )[0]
        self.by_key = basic(self.key.sid, SECRET)
        self.by_account = basic(self.account.sid, TOKEN)
        for authorization in (self.by_key, self.by_account) * 2:
            assert self.post(authorization)["status"] == 201

    def post(self, authorization: str, **form: str) -> dict[str, Any]:
        """Create a task on the channel chat, and return the answer with its status."""
        response = Client(SERVER_NAME="localhost").post(
            f"/v1/Workspaces/{self.workspace.sid}/Tasks",
            urlencode({"TaskChannel": "chat"} | form),
            content_type="application/x-www-form-urlencoded",
            headers={"Authorization": authorization},
        )
        answer: dict[str, Any] = json.loads(response.content)
        return answer | {"status": response.status_code}

    @property
    def channel(self) -> models.TaskChannel:
        """Return the channel of the tasks."""
        return self.workspace.task_channels.get(unique_name="chat")


def replace_token(floor: Floor) -> None:
    """Promote a second token, so that the first is valid no more."""
    accounts.create_secondary_token(account=floor.account, now=timezone.now())
    accounts.promote_secondary_token(account=floor.account, now=timezone.now())


def act(action: Callable[..., object], **given: Any) -> None:
    """Run an action as the system does, now."""
    action(actor=SYSTEM, now=timezone.now(), **given)


CHANGES: Final[dict[str, Callable[[Floor], object]]] = {
    "account": replace_token,
    "key": lambda floor: api_keys.revoke_api_key(key=floor.key, now=timezone.now()),
    "workspace": lambda floor: act(
        workspaces.update_workspace, workspace=floor.workspace, friendly_name="New"
    ),
    "workflow": lambda floor: act(
        workflows.update_workflow, workflow=floor.workflow, friendly_name="New"
    ),
    "second workflow": lambda floor: factories.workflow(floor.workspace),
    "queue": lambda floor: act(
        task_queues.update_task_queue, queue=floor.queue, friendly_name="New"
    ),
    "channel": lambda floor: act(
        task_channels.update_task_channel, channel=floor.channel, friendly_name="New"
    ),
    "lane": lambda floor: floor.workspace.lanes.update(date_seen=timezone.now()),
    "no workspace": lambda floor: act(workspaces.delete_workspace, workspace=floor.workspace),
}


def elsewhere(change: Callable[[Floor], object], floor: Floor) -> None:
    """Make a change by another connection, and commit it."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            change(floor)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def summarize(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the status of an answer, the names in it, and the names in the task's events."""
    event = models.Event.objects.filter(
        event_type="task.created", resource_sid=answer.get("sid", "")
    ).first()
    data = {} if event is None else event.event_data
    return {
        "status": answer["status"],
        "workflow": answer.get("workflow_friendly_name"),
        "queue": answer.get("task_queue_friendly_name"),
        "workspace name": data.get("workspace_name"),
        "queue name": data.get("task_queue_name"),
        "workflow name": data.get("workflow_name"),
        "tasks": models.Task.objects.count(),
    }


def change_between() -> dict[str, Any]:
    """Change each row between two requests."""
    report = {}
    for name, change in CHANGES.items():
        floor = Floor()
        elsewhere(change, floor)
        report[name] = summarize(floor.post(floor.by_key if name == "key" else floor.by_account))
        models.Task.objects.all().delete()
    return report


def change_within() -> dict[str, Any]:
    """Change each row within a request, just before it writes."""
    report = {}
    insert = joint_insert.insert_together
    for name, change in CHANGES.items():
        floor = Floor()
        pending = [change]

        def change_first(*rows: Any, pending: Any = pending, floor: Floor = floor) -> None:
            if pending:
                elsewhere(pending.pop(), floor)
            insert(*rows)

        with mock.patch.object(joint_insert, "insert_together", change_first):
            answer = floor.post(floor.by_key if name == "key" else floor.by_account)
        report[name] = summarize(answer)
        models.Task.objects.all().delete()
    return report


def find_what_was_absent() -> dict[str, Any]:
    """Ask for a channel and a workflow that do not exist yet, and again once they do."""
    floor = Floor()
    statuses = []
    for _ in range(2):
        statuses.append(floor.post(floor.by_account, TaskChannel="fax")["status"])
        if not floor.workspace.task_channels.filter(unique_name="fax").exists():
            factories.channel(floor.workspace, "fax")
    return {"statuses": statuses}


def lose_the_answer() -> dict[str, Any]:
    """Lose the database while the insert is under way: whether it was done is unknown."""
    floor = Floor()
    with mock.patch.object(joint_insert, "insert_together", side_effect=OperationalError) as sent:
        answer = floor.post(floor.by_account)
    return {"status": answer["status"], "sent": sent.call_count}


def count_round_trips() -> dict[str, Any]:
    """Count the round trips of creations whose rows are cached, and that offer nothing."""
    floor = Floor()
    report: dict[str, Any] = {}
    for name, authorization in (("account", floor.by_account), ("key", floor.by_key)):
        with counting_round_trips() as count, override_settings(OFFER_AT_CREATION=False):
            assert floor.post(authorization)["status"] == 201
        report[name] = count[0]
    with counting_round_trips() as count:
        assert floor.post(floor.by_account, Attributes="[]")["status"] == 400
    report["refused"] = count[0]
    return report


def refuse_wrong_secrets() -> dict[str, Any]:
    """Present wrong secrets beside a cached key, and count how many are noted as failures."""
    floor = Floor()
    with mock.patch("routing.api.failures.record_failure") as noted:
        statuses = [floor.post(basic(floor.account.sid, "wrong"))["status"] for _ in range(3)]
    return {"statuses": statuses, "noted": noted.call_count}


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    scenes = (
        change_between,
        change_within,
        find_what_was_absent,
        lose_the_answer,
        count_round_trips,
        refuse_wrong_secrets,
    )
    by_name = {scene.__name__: scene for scene in scenes}
    print(json.dumps(by_name[sys.argv[1]]()))  # noqa: T201 - what it is run for
