"""Reading events: stable pages, the log that a consumer follows, and the cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routing import models
from routing.actions import task_transitions
from routing.actors import SYSTEM
from tests import factories
from tests.api.conftest import Api
from tests.factories import later

pytestmark = pytest.mark.usefixtures("noon")


def test_pages_stay_stable_while_events_come_and_go(
    api: Api, root: str, workspace: models.Workspace
) -> None:
    for second in range(5):
        factories.task(workspace, now=later(second))
    with time_machine.travel(later(60), tick=False):
        whole = [e["sid"] for e in api.get(f"{root}/Events", PageSize=1000)["events"]]
        first = api.get(f"{root}/Events", PageSize=7)
        factories.task(workspace, now=later(60))
        models.Event.objects.filter(sid__in=whole[5:7]).delete()
        rest = first
        read = [e["sid"] for e in first["events"]]
        while rest["meta"]["next_page_url"]:
            rest = api.send("GET", rest["meta"]["next_page_url"])
            read.extend(e["sid"] for e in rest["events"])
        assert read == whole


def read_on(api: Api, root: str, after: str, **query: Any) -> list[str]:
    pages = api.pages(f"{root}/Events", After=after, **query)
    return [event["sid"] for page in pages for event in page]


def test_a_consumer_continues_where_it_stopped(
    api: Api, root: str, workspace: models.Workspace, noon: time_machine.Traveller
) -> None:
    factories.task(workspace)
    begun = read_on(api, root, "", PageSize=3)
    assert begun == list(models.Event.objects.order_by("pk").values_list("sid", flat=True))
    assert read_on(api, root, begun[-1]) == []
    noon.shift(timedelta(days=3))
    task = factories.task(workspace, now=later(5))
    # An event that is written now may have an earlier date than one that was read already.
    task_transitions.cancel_task(task=task, actor=SYSTEM, now=later(-5))
    more = read_on(api, root, begun[-1], PageSize=2)
    assert begun + more == list(models.Event.objects.order_by("pk").values_list("sid", flat=True))
    assert read_on(api, root, begun[3]) == begun[4:] + more
    assert read_on(api, root, begun[-1], EventType="task.canceled") == [more[-1]]
    assert read_on(api, root, "", StartDate="2026-03-02T12:00:01Z") == more[:-1]


def test_a_consumer_whose_last_event_is_gone_gets_an_error(
    api: Api, root: str, workspace: models.Workspace
) -> None:
    place = read_on(api, root, "")[-1]
    factories.task(workspace)
    models.Event.objects.filter(sid=place).delete()
    answer = api.get(f"{root}/Events", After=place)
    assert answer.status == 400
    assert "begin again" in answer.message


@pytest.mark.parametrize(
    ("query", "queries"),
    [
        ({}, 3),
        ({"TaskSid": "task"}, 3),
        ({"WorkerSid": "worker", "Minutes": "60"}, 3),
        ({"EventType": "task.created", "TaskChannel": "chat"}, 4),
        ({"ReservationSid": "reservation"}, 4),
        ({"After": ""}, 3),
        ({"After": "event"}, 4),
    ],
)
def test_a_page_takes_the_same_number_of_queries_however_many_events_there_are(
    api: Api,
    root: str,
    workspace: models.Workspace,
    accepted: models.Reservation,
    query: dict[str, str],
    queries: int,
) -> None:
    event = models.Event.objects.order_by("pk").values_list("sid", flat=True)[3]
    named = {
        "task": accepted.task.sid,
        "worker": accepted.current_worker.sid,
        "reservation": accepted.sid,
        "event": event,
    }
    query = {name: named.get(value, value) for name, value in query.items()}
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            assert api.get(f"{root}/Events", **query).status == 200
        assert len(captured) == queries
        for _ in range(5):
            factories.task(workspace)


def test_a_log_that_was_moved_from_postgresql_is_read_on_into_new_events(
    api: Api, root: str, workspace: models.Workspace
) -> None:
    for second in range(3):
        factories.task(workspace, now=later(second))
    log = models.Event.objects.filter(workspace_sid=workspace.sid).order_by("pk")
    whole = list(log.values_list("sid", flat=True))
    # Moved events are numbered below 0, in their order.
    for number, sid in enumerate(whole[:4]):
        log.filter(sid=sid).update(transaction_id=number - 9)
    models.Event.objects.filter(sid__in=whole[4:]).update(transaction_id=0)
    for start in (0, 3, 4, len(whole) - 1):
        assert read_on(api, root, whole[start], PageSize=2) == whole[start + 1 :]
    assert read_on(api, root, "", PageSize=1) == whole


def plan(rows: Any) -> str:
    return str(rows.explain())


def test_every_filter_has_an_index_that_fits_it(
    workspace: models.Workspace, accepted: models.Reservation
) -> None:
    rows = models.Event.objects.filter(workspace_sid=workspace.sid)
    recent = rows.filter(event_date__gte=timezone.now()).order_by("-event_date", "-id")
    assert "events_window" in plan(recent[:51])
    assert "events_typed" in plan(recent.filter(event_type__in=["task.created"])[:51])
    assert "events_of_worker" in plan(recent.filter(worker_key=1)[:51])
    assert "events_of_task_queue" in plan(recent.filter(task_queue_key=1)[:51])
    assert "events_of_task" in plan(recent.filter(task_key=1)[:51])
    assert "events_of_task" in plan(rows.filter(task_key=1).order_by("-id")[:51])
    last = rows.latest("pk")
    log = rows.settled().after(last).order_by("transaction_id", "id")[:51]
    assert "events_log" in plan(log)
    for each in (recent, log):
        assert "TEMP B-TREE" not in plan(each[:51])
