"""Compare creating a task by our whole stack with plain Django, in one process and in turns.

`python -m tests.benchmarks.create_cost WORKSPACE ROUNDS COUNT` prints a line of JSON: by name, the
microseconds of a request in each round. The account's credentials come from the environment.
"""

from __future__ import annotations

import base64
import functools
import json
import os
import sys
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

FORM = {"TaskChannel": "chat", "Attributes": json.dumps({"topic": "billing", "language": "en"})}


def main(workspace: str, rounds: int, count: int) -> dict[str, list[float]]:
    """Measure both, in turns, after a few requests to warm up."""
    django.setup()
    from django.db import close_old_connections

    whole, plain = whole_stack(workspace), plain_django(workspace)
    found: dict[str, list[float]] = {"whole": [], "plain": []}
    for request in (whole, plain):
        for _ in range(20):
            request()
    for _ in range(rounds):
        for name, request in (("whole", whole), ("plain", plain)):
            begun = time.perf_counter()
            for _ in range(count):
                request()
            found[name].append((time.perf_counter() - begun) / count * 1e6)
    close_old_connections()
    return found


def whole_stack(workspace: str) -> Callable[[], None]:
    """Return a function that sends a request through the web process's whole stack."""
    pair = os.environ["ACCOUNT_SID"], os.environ["AUTH_TOKEN"]
    return build_post(f"/v1/Workspaces/{workspace}/Tasks", FORM, pair, status=201)


@functools.cache
def load_handler() -> Any:
    """Return the handler of the web process."""
    from config.patches import asgi_handler

    return asgi_handler.application()


def build_post(
    path: str, form: dict[str, str], credentials: tuple[str, str], *, status: int
) -> Callable[[], None]:
    """Return a function that posts a form through the web process's whole stack.

    Arguments:
        status: the status that the answer must have.
    """
    from django.core.handlers.asgi import ASGIRequest

    handler = load_handler()
    body = urlencode(form).encode()
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": path,
        "query_string": b"",
        "client": ["127.0.0.1", 1],
        "server": ["127.0.0.1", 80],
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"authorization", b"Basic " + base64.b64encode(":".join(credentials).encode())),
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", str(len(body)).encode()),
        ],
    }

    def request() -> None:
        answer = handler.get_response(ASGIRequest(scope, BytesIO(body)))
        assert answer.status_code == status, answer
        answer.close()

    return request


def plain_django(workspace: str) -> Callable[[], None]:
    """Return a view that makes the same queries and writes the same rows with plain Django."""
    from django.db import transaction
    from django.http import HttpRequest, JsonResponse
    from django.test import RequestFactory
    from django.utils import timezone

    from routing import models, sids

    @transaction.atomic
    def view(request: HttpRequest, workspace_sid: str) -> JsonResponse:
        now = timezone.now()
        account = models.Account.objects.get(sid=os.environ["ACCOUNT_SID"])
        floor = models.Workspace.objects.get(sid=workspace_sid, account=account)
        workflow = floor.workflows.get()
        channel = floor.task_channels.get(unique_name=request.POST["TaskChannel"])
        queue = floor.task_queues.get()
        lane = models.Lane.objects.filter(workspace=floor, task_channel=channel).first()
        task = models.Task.objects.create(
            sid=sids.new_sid("WT"),
            workspace=floor,
            workflow=workflow,
            revision_id=workflow.revision_id,
            task_channel=channel,
            task_queue=queue,
            lane=lane,
            attributes=json.dumps(json.loads(request.POST["Attributes"])),
            filter_index=-1,
            virtual_start_us=int(now.timestamp() * 1e6),
            expires_us=int(now.timestamp() * 1e6) + 86_400_000_000,
            task_queue_entered_date=now,
            date_created=now,
            date_updated=now,
        )
        shown = {
            "sid": task.sid,
            "attributes": task.attributes,
            "priority": task.priority,
            "date_created": now.isoformat(),
            "task_channel": channel.unique_name,
            "workflow": workflow.friendly_name,
            "task_queue": queue.friendly_name,
        }
        for event_type in (
            "workflow.entered",
            "task-queue.entered",
            "task.created",
            "workflow.target-matched",
        ):
            models.Event.objects.create(
                sid=sids.new_ordered_sid("EV", now),
                account=account,
                workspace_sid=floor.sid,
                event_type=event_type,
                event_date=now,
                description=event_type,
                event_data=shown,
                actor_type="account",
                actor_sid=account.sid,
                resource_type="task",
                resource_sid=task.sid,
                source="api",
                delivered=True,
                task_key=sids.index_key(task.sid),
                task_queue_key=sids.index_key(queue.sid),
                workflow_key=sids.index_key(workflow.sid),
                task_channel_key=sids.index_key(channel.sid),
            )
        return JsonResponse(shown, status=201)

    factory = RequestFactory()
    body = urlencode(FORM)

    def request() -> None:
        made = factory.post("/", body, content_type="application/x-www-form-urlencoded")
        assert view(made, workspace).status_code == 201

    return request


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))  # noqa: T201
