"""The official Python library works against this API."""

from __future__ import annotations

import base64
import json
import logging
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client as DjangoClient
from twilio.base.exceptions import TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.taskrouter.v1.workspace import WorkspaceContext

from routing import models
from tests import factories
from tests.api.conftest import TOKEN


class ThroughDjango(HttpClient):  # type: ignore[misc]
    """Sends what the library would send to the hosted service through Django's test client."""

    def __init__(self) -> None:
        super().__init__(logging.getLogger("twilio"), is_async=False)
        self.client = DjangoClient()
        self.requests = 0

    def request(
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Send one request."""
        self.requests += 1
        url = urlsplit(uri)
        query = "&".join(filter(None, [url.query, urlencode(params or {}, doseq=True)]))
        sent = dict(headers or {})
        if auth is not None:
            pair = base64.b64encode(":".join(auth).encode()).decode()
            sent["Authorization"] = f"Basic {pair}"
        media_type = sent.pop("Content-Type", "application/x-www-form-urlencoded")
        as_json = media_type == "application/json"
        answer = self.client.generic(
            method,
            f"{url.path}?{query}" if query else url.path,
            json.dumps(data) if as_json else urlencode(data or {}, doseq=True),
            content_type=media_type,
            headers=sent,
        )
        return Response(answer.status_code, answer.content.decode(), dict(answer.headers))


@pytest.fixture
def http() -> ThroughDjango:
    return ThroughDjango()


@pytest.fixture
def floor(account: models.Account, workspace: models.Workspace, http: ThroughDjango) -> Any:
    """Return the library's view of the workspace."""
    client = Client(account.sid, TOKEN, http_client=http)
    context = client.taskrouter.v1.workspaces(workspace.sid)
    assert isinstance(context, WorkspaceContext)
    return context


def test_workspaces(account: models.Account, http: ThroughDjango) -> None:
    workspaces = Client(account.sid, TOKEN, http_client=http).taskrouter.v1.workspaces
    made = workspaces.create(friendly_name="Floor", template="FIFO", multi_task_enabled=True)
    assert made.fetch().friendly_name == "Floor"
    assert isinstance(made.date_created, datetime)
    assert made.update(friendly_name="Hall").friendly_name == "Hall"
    assert [row.sid for row in workspaces.list(friendly_name="Hall")] == [made.sid]
    assert len(made.workflows.list()) == len(made.task_queues.list()) == 1
    assert made.delete()
    assert workspaces.list() == []


def test_activities(floor: Any) -> None:
    made = floor.activities.create(friendly_name="Lunch", available=True)
    assert made.available is True
    assert made.update(friendly_name="Pause").friendly_name == "Pause"
    assert made.fetch().friendly_name == "Pause"
    assert "Pause" in [row.friendly_name for row in floor.activities.list(available="true")]
    assert made.delete()


def test_task_channels(floor: Any) -> None:
    made = floor.task_channels.create(friendly_name="Mail", unique_name="mail")
    assert floor.task_channels("mail").fetch().sid == made.sid
    assert made.update(friendly_name="E-mail").friendly_name == "E-mail"
    assert len(floor.task_channels.list()) == 6
    assert made.delete()


def test_task_queues(floor: Any) -> None:
    made = floor.task_queues.create(
        friendly_name="Billing", target_workers='team == "billing"', max_reserved_workers=2
    )
    assert (made.task_order, made.max_reserved_workers) == ("FIFO", 2)
    assert made.update(task_order="LIFO").task_order == "LIFO"
    attributes = json.dumps({"team": "billing"})
    assert len(floor.task_queues.list(evaluate_worker_attributes=attributes)) == 1
    assert made.fetch().target_workers == 'team == "billing"'
    assert made.delete()


def test_workflows(floor: Any, workspace: models.Workspace) -> None:
    configuration = factories.configuration(default=factories.queue(workspace))
    made = floor.workflows.create(
        friendly_name="All", configuration=configuration, task_reservation_timeout=30
    )
    assert made.fetch().configuration == configuration
    assert made.update(re_evaluate_tasks="true", friendly_name="Every").friendly_name == "Every"
    assert [row.sid for row in floor.workflows.list(friendly_name="Every")] == [made.sid]
    assert made.delete()


def test_workers_and_their_channels(floor: Any) -> None:
    made = floor.workers.create(friendly_name="Alice", attributes='{"team": "billing"}')
    assert (made.activity_name, made.available) == ("Offline", False)
    (available,) = floor.activities.list(available="true")
    moved = made.update(activity_sid=available.sid, if_match="0")
    assert moved.available is True
    expression = 'team == "billing"'
    assert len(floor.workers.list(target_workers_expression=expression)) == 1
    chat = made.worker_channels("chat").update(capacity=4, available=True)
    assert (chat.configured_capacity, chat.available_capacity_percentage) == (4, 100)
    assert chat.fetch().task_channel_unique_name == "chat"
    assert len(made.worker_channels.list()) == 5
    assert made.reservations.list() == []
    assert made.delete()


def test_a_task_is_created_offered_accepted_and_completed(
    floor: Any, workspace: models.Workspace
) -> None:
    factories.workflow(workspace)
    worker = floor.workers(factories.worker(workspace).sid).fetch()
    made = floor.tasks.create(attributes='{"a": 1}', task_channel="chat", priority=3)
    assert (made.assignment_status, made.priority, made.age) == ("pending", 3, 0)
    assert isinstance(made.virtual_start_time, datetime)
    assert made.virtual_start_time.tzinfo == UTC
    factories.run(workspace, made.date_created)
    (offer,) = made.reservations.list(reservation_status="pending")
    assert [row.sid for row in worker.reservations.list()] == [offer.sid]
    accepted = worker.reservations(offer.sid).update(reservation_status="accepted")
    assert accepted.reservation_status == "accepted"
    assert made.fetch().assignment_status == "assigned"
    assert made.update(assignment_status="wrapping").assignment_status == "wrapping"
    done = made.update(assignment_status="completed", reason="solved")
    assert (done.assignment_status, done.reason) == ("completed", "solved")
    assert offer.fetch().reservation_status == "completed"
    assert made.delete()


def test_an_offer_is_rejected_by_instruction(floor: Any, workspace: models.Workspace) -> None:
    factories.worker(workspace)
    factories.workflow(workspace)
    made = floor.tasks.create()
    factories.run(workspace, made.date_created)
    (offer,) = made.reservations.list()
    assert (
        made.reservations(offer.sid).update(instruction="reject").reservation_status == "rejected"
    )


def test_a_task_is_canceled_with_its_attributes(floor: Any, workspace: models.Workspace) -> None:
    factories.workflow(workspace)
    made = floor.tasks.create()
    gone = made.update(
        assignment_status="canceled", reason="waited too long", attributes='{"a": 1}', if_match="0"
    )
    assert (gone.assignment_status, gone.attributes) == ("canceled", '{"a": 1}')


def test_lists_are_paged_through_and_cut_off(
    floor: Any, workspace: models.Workspace, http: ThroughDjango
) -> None:
    factories.workflow(workspace)
    made = [floor.tasks.create(priority=number).sid for number in range(7)]
    http.requests = 0
    assert [row.sid for row in floor.tasks.list(page_size=3)] == made
    assert http.requests == 3
    http.requests = 0
    assert [row.sid for row in floor.tasks.list(limit=4, page_size=2)] == made[:4]
    assert http.requests == 2
    newest_first = [row.sid for row in floor.tasks.stream(page_size=2, ordering="Priority:desc")]
    assert newest_first == made[::-1]
    first = floor.tasks.page(page_size=3)
    second = first.next_page()
    assert [row.sid for row in second] == made[3:6]
    assert [row.sid for row in second.previous_page()] == made[:3]
    statuses = ["pending", "reserved"]
    assert len(floor.tasks.list(assignment_status=statuses)) == 7


def test_errors_are_the_librarys_own(floor: Any, workspace: models.Workspace) -> None:
    factories.workflow(workspace)
    made = floor.tasks.create()
    for act, status, code in (
        (partial(made.update, assignment_status="completed"), 400, 20001),
        (partial(made.update, priority=1, if_match="9"), 412, 20412),
        (partial(floor.tasks("WT" + "0" * 32).fetch), 404, 20404),
    ):
        with pytest.raises(TwilioRestException) as refused:
            act()
        assert (refused.value.status, refused.value.code) == (status, code)


def test_wrong_credentials_are_the_librarys_own_too(
    account: models.Account, workspace: models.Workspace, http: ThroughDjango
) -> None:
    client = Client(account.sid, "x" * 32, http_client=http)
    with pytest.raises(TwilioRestException) as refused:
        client.taskrouter.v1.workspaces(workspace.sid).fetch()
    assert (refused.value.status, refused.value.code) == (401, 20003)


def test_events_are_listed_and_fetched(floor: Any, workspace: models.Workspace) -> None:
    factories.workflow(workspace)
    made = floor.tasks.create(task_channel="chat")
    events = floor.events.list(task_sid=made.sid, page_size=2)
    assert [event.event_type for event in events][-1] == "workflow.entered"
    assert {event.event_data["task_sid"] for event in events} == {made.sid}
    (created,) = floor.events.list(
        event_type="task.created", start_date=made.date_created, task_channel="chat"
    )
    fetched = created.fetch()
    assert (fetched.resource_sid, fetched.resource_type) == (made.sid, "task")
    assert fetched.event_date == made.date_created
    assert isinstance(fetched.event_date_ms, int)
    assert floor.events.list(minutes=5, worker_sid="WK" + "0" * 32) == []


class Body:
    """The body of a bulk request, which the library leaves to the caller."""

    def __init__(self, **content: Any) -> None:
        self.content = content

    def to_dict(self) -> dict[str, Any]:
        """Return what is sent as JSON."""
        return self.content


def test_statistics_of_everything(floor: Any, workspace: models.Workspace) -> None:
    flow = factories.workflow(workspace)
    worker = factories.worker(workspace)
    floor.tasks.create(task_channel="chat")
    queue = floor.task_queues(workspace.task_queues.get().sid)
    for about in (floor, queue, floor.workflows(flow.sid)):
        now = about.real_time_statistics().fetch(task_channel="chat")
        assert (now.total_tasks, now.tasks_by_status["pending"]) == (1, 1)
        past = about.cumulative_statistics().fetch(minutes=60, split_by_wait_time="5,30")
        assert past.split_by_wait_time["30"]["below"] == {
            "tasks_canceled": 0,
            "reservations_accepted": 0,
        }
        assert isinstance(past.start_time, datetime)
        both = about.statistics().fetch(end_date=past.end_time)
        assert both.realtime["total_tasks"] == 1
        assert both.cumulative["reservations_created"] == 0
    assert now.tasks_by_priority == {"0": 1}
    (each,) = floor.task_queues.statistics.list(friendly_name=queue.fetch().friendly_name)
    assert each.realtime["total_eligible_workers"] == 1
    wanted = Body(queueSids=[queue.fetch().sid])
    bulk = floor.task_queues.bulk_real_time_statistics.create(body=wanted)
    assert bulk.task_queue_response_count == 1
    everybody = floor.workers.real_time_statistics().fetch()
    assert everybody.total_workers == 1
    assert floor.workers.cumulative_statistics().fetch().reservations_created == 0
    assert floor.workers.statistics().fetch(friendly_name="nobody").realtime["total_workers"] == 0
    alone = floor.workers(worker.sid).statistics().fetch(minutes=5)
    assert alone.cumulative["reservations_accepted"] == 0


def test_auth_tokens(account: models.Account, http: ThroughDjango) -> None:
    client = Client(account.sid, TOKEN, http_client=http)
    second = client.accounts.v1.secondary_auth_token().create().secondary_auth_token
    assert client.accounts.v1.secondary_auth_token().delete()
    second = client.accounts.v1.secondary_auth_token().create().secondary_auth_token
    promoted = client.accounts.v1.auth_token_promotion().update()
    assert (promoted.account_sid, promoted.auth_token) == (account.sid, second)
    assert Client(account.sid, second, http_client=http).taskrouter.v1.workspaces.list() == []
