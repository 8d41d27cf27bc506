"""Event callbacks: signed, in order per task, at least once, whatever the receiver does."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from routing import housekeeping, models
from routing.actions import callbacks, task_statuses, tasks, workspaces
from routing.actors import SYSTEM
from routing.receivers import deliveries
from tests import factories
from tests.callbacks.conftest import Clock
from tests.callbacks.receiver import Receiver, Request
from tests.factories import NOW, later


def point(floor: models.Workspace, url: str, events_filter: str | None = None) -> None:
    """Have a workspace's events go to an address."""
    workspaces.update_workspace(
        workspace=floor,
        event_callback_url=url,
        events_filter=events_filter,
        actor=SYSTEM,
        now=NOW,
    )


def post(floor: models.Workspace, clock: Clock) -> None:
    """Post what the workspace's receiver is owed, as the job does."""
    deliveries.run(floor.sid, clock=clock)


def pending() -> int:
    return models.CallbackDelivery.objects.pending().count()


@pytest.fixture
def told(floor: models.Workspace, receiver: Receiver, clock: Clock) -> Receiver:
    """Return a receiver that has had everything that happened until now."""
    factories.workflow(floor)
    point(floor, receiver.url)
    post(floor, clock)
    receiver.requests.clear()
    return receiver


def test_a_workspace_without_an_address_owes_nothing(floor: models.Workspace) -> None:
    factories.worker(floor)
    factories.accepted(floor)
    assert not models.CallbackDelivery.objects.exists()
    assert not models.CallbackReceiver.objects.exists()


def test_an_event_carries_its_fields_in_the_forms_spelling(
    floor: models.Workspace, told: Receiver, clock: Clock
) -> None:
    task = factories.task(floor, attributes='{"name": "Žofia & Söhne", "n": [1, 2]}', priority=3)
    post(floor, clock)
    form = next(r.form for r in told.requests if r.form["EventType"] == "task.created")
    event = models.Event.objects.get(event_type="task.created")
    wanted = {
        "Sid": event.sid,
        "AccountSid": floor.account.sid,
        "WorkspaceSid": floor.sid,
        "WorkspaceName": floor.friendly_name,
        "ResourceType": "task",
        "ResourceSid": task.sid,
        "Timestamp": str(int(NOW.timestamp())),
        "TimestampMs": str(int(NOW.timestamp()) * 1000),
        "TaskSid": task.sid,
        "TaskAttributes": '{"name": "Žofia & Söhne", "n": [1, 2]}',
        "TaskPriority": "3",
        "TaskAge": "0",
        "TaskAssignmentStatus": "pending",
        "TaskChannelUniqueName": "chat",
    }
    assert wanted.items() <= form.items()
    assert "HolderSids" not in form
    assert (
        told.requests[0]
        .handler.headers["Content-Type"]
        .startswith("application/x-www-form-urlencoded")
    )


def test_only_what_the_filter_names_is_posted(
    floor: models.Workspace, receiver: Receiver, clock: Clock
) -> None:
    point(floor, receiver.url, "task.created, reservation.accepted")
    factories.worker(floor)
    factories.accepted(floor)
    post(floor, clock)
    assert sorted(receiver.types) == ["reservation.accepted", "task.created"]


def test_what_is_rolled_back_is_never_posted(
    floor: models.Workspace, told: Receiver, clock: Clock
) -> None:
    with transaction.atomic():
        factories.task(floor)
        transaction.set_rollback(True)
    post(floor, clock)
    assert told.requests == []


def test_the_last_event_of_a_workspace_is_posted_after_its_end(
    floor: models.Workspace, told: Receiver, clock: Clock
) -> None:
    workspaces.delete_workspace(workspace=floor, actor=SYSTEM, now=NOW)
    post(floor, clock)
    assert told.types == ["workspace.deleted"]
    housekeeping.prune(now=NOW)
    assert not models.CallbackReceiver.objects.exists()


def test_nothing_is_lost_while_a_receiver_is_down(floor: models.Workspace, clock: Clock) -> None:
    factories.workflow(floor)
    with Receiver("the token that signs").running() as first:
        point(floor, first.url)
        port = first.port
    owed = pending()
    for number in range(5):
        factories.task(floor, now=later(number))
        owed = pending()
        post(floor, clock)
        clock.shift(30)
    assert pending() == owed > 10
    row = models.CallbackDelivery.objects.order_by("pk")[0]
    assert row.attempts > 1
    assert row.answer.startswith("no connection")
    with Receiver("the token that signs", port).running() as again:
        clock.shift(60)
        for _ in range(3):
            post(floor, clock)
        assert pending() == 0
        assert len(again.requests) == owed
        sids = [request.form["Sid"] for request in again.requests]
        assert len(set(sids)) == owed


def test_an_attempt_is_repeated_with_the_same_ids_and_values(
    floor: models.Workspace, told: Receiver, clock: Clock
) -> None:
    told.respond = lambda request: request.answer(500, b'"no"')
    factories.task(floor)
    post(floor, clock)
    first = told.requests[0]
    told.respond = Request.answer
    clock.shift(10)
    post(floor, clock)
    again = [r for r in told.requests if r.form["Sid"] == first.form["Sid"]]
    assert len(again) == 2
    assert again[0].form == again[1].form
    assert again[0].token == again[1].token == first.form["Sid"]
    assert again[0].signature == again[1].signature
    assert pending() == 0


def test_pauses_grow_and_the_last_answer_can_be_read(
    floor: models.Workspace, told: Receiver, clock: Clock
) -> None:
    told.respond = lambda request: request.answer(503, b"busy", "text/plain")
    point(floor, told.url, "task.created")
    post(floor, clock)
    factories.task(floor)
    pauses = []
    for _ in range(12):
        row = models.CallbackDelivery.objects.pending().get()
        clock.now = max(clock.now, row.date_due) + timedelta(seconds=60)
        post(floor, clock)
        row.refresh_from_db()
        pauses.append(int((row.date_due - clock.now).total_seconds()))
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert (row.answer_status, row.answer, row.attempts) == (503, "503 busy", 12)


def test_after_hours_it_is_given_up_and_can_be_sent_again(
    floor: models.Workspace, told: Receiver, clock: Clock, settings: Any
) -> None:
    told.respond = lambda request: request.answer(404)
    task = factories.task(floor)
    post(floor, clock)
    clock.shift(settings.CALLBACK_RETRY_HOURS * 3600 + 1)
    post(floor, clock)
    assert pending() == 0
    failed = models.CallbackDelivery.objects.filter(status="failed")
    assert failed.count() == models.Event.objects.filter(resource_sid=task.sid).count()
    told.respond = Request.answer
    told.requests.clear()
    callbacks.send_again(deliveries=failed, now=clock())
    post(floor, clock)
    assert len(told.requests) == models.Event.objects.filter(resource_sid=task.sid).count()
    assert pending() == 0


def test_events_of_a_task_come_in_their_order_though_one_is_refused(
    floor: models.Workspace, told: Receiver, clock: Clock
) -> None:
    refused = 0

    def refuse_twice(request: Request) -> None:
        nonlocal refused
        if request.form["EventType"] == "task.created" and refused < 2:
            refused += 1
            return request.answer(500)
        return request.answer()

    told.respond = refuse_twice
    factories.worker(floor)
    reservation = factories.accepted(floor)
    task_statuses.complete_task(task=reservation.task, actor=SYSTEM, now=later(5))
    for _ in range(6):
        post(floor, clock)
        clock.shift(5)
    about = [r.form for r in told.requests if r.form.get("TaskSid") == reservation.task.sid]
    moments = [(form["EventType"], form["Sid"]) for form in about]
    once = list(dict.fromkeys(moments))
    written = models.Event.objects.filter(event_data__task_sid=reservation.task.sid)
    assert [sid for _, sid in once] == list(written.order_by("pk").values_list("sid", flat=True))
    assert pending() == 0


def test_a_task_whose_event_is_refused_holds_up_no_other_task(
    floor: models.Workspace, told: Receiver, clock: Clock
) -> None:
    bad = factories.task(floor)
    told.respond = lambda r: r.answer(500 if r.form.get("TaskSid") == bad.sid else 204)
    good = factories.task(floor)
    post(floor, clock)
    written = models.Event.objects.filter(resource_sid=good.sid).count()
    assert sum(r.form["TaskSid"] == good.sid for r in told.requests) == written
    assert sum(r.form["TaskSid"] == bad.sid for r in told.requests) == 1


def test_a_receiver_that_takes_nothing_is_asked_by_one_event_less_and_less_often(
    floor: models.Workspace, told: Receiver, clock: Clock
) -> None:
    told.respond = lambda request: request.answer(500)
    for _ in range(20):
        factories.task(floor)
    post(floor, clock)
    assert len(told.requests) == 8
    asked = []
    for _ in range(600):
        before = len(told.requests)
        post(floor, clock)
        asked.append(len(told.requests) - before)
        clock.shift(1)
    assert set(asked) == {0, 1}
    assert sum(asked) < 25


def test_a_new_address_gets_what_the_old_one_never_took_and_none_ends_it(
    floor: models.Workspace, receiver: Receiver, clock: Clock
) -> None:
    factories.workflow(floor)
    with Receiver("the token that signs").running() as first:
        point(floor, first.url)
    factories.task(floor)
    post(floor, clock)
    owed = pending()
    point(floor, receiver.url)
    clock.shift(5)
    post(floor, clock)
    assert len(receiver.requests) == owed + 1
    receiver.respond = lambda request: request.answer(500)
    factories.task(floor)
    post(floor, clock)
    point(floor, "")
    assert pending() == 0
    last = models.CallbackDelivery.objects.order_by("-pk")[0]
    assert (last.status, last.answer) == ("failed", "the callback URL was removed")


def test_while_somebody_posts_nobody_else_does_and_a_dead_one_gives_way(
    floor: models.Workspace, told: Receiver, clock: Clock
) -> None:
    factories.task(floor)
    dead = callbacks.lease(sid=floor.sid, now=clock())
    assert dead is not None
    post(floor, clock)
    assert told.requests == []
    clock.now += callbacks.LEASE
    post(floor, clock)
    assert pending() == 0
    assert not callbacks.renew(dead, now=clock())


def test_what_was_posted_and_not_written_down_is_posted_again(
    floor: models.Workspace, told: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    task = factories.task(floor)
    with monkeypatch.context() as patched:
        patched.setattr(callbacks, "note_attempts", die)
        patched.setattr(callbacks, "release", lambda _: None)
        with pytest.raises(Killed):
            post(floor, clock)
    clock.now += callbacks.LEASE
    post(floor, clock)
    written = list(
        models.Event.objects.filter(resource_sid=task.sid)
        .order_by("pk")
        .values_list("sid", flat=True)
    )
    posted = [r.form["Sid"] for r in told.requests if r.form["TaskSid"] == task.sid]
    assert list(dict.fromkeys(posted)) == written
    assert posted.count(written[0]) == 2


def test_a_slow_receiver_leaves_the_others_alone(
    account: models.Account, floor: models.Workspace, told: Receiver, clock: Clock
) -> None:
    slow = factories.workspace(account=account)
    asked = threading.Event()

    def hang(request: Request) -> None:
        asked.set()
        request.handler.server.slow.gone.wait(10)  # type: ignore[attr-defined]

    with Receiver("the token that signs").running() as hanging:
        hanging.server.slow = hanging  # type: ignore[attr-defined]
        hanging.respond = hang
        point(slow, hanging.url)
        thread = threading.Thread(target=_run, args=[slow, clock])
        thread.start()
        assert asked.wait(10)
        factories.task(floor)
        post(floor, clock)
        assert (
            models.CallbackDelivery.objects.pending().filter(workspace_sid=floor.sid).count() == 0
        )
        hanging.gone.set()
        thread.join()


def _run(floor: models.Workspace, clock: Clock) -> None:
    try:
        post(floor, clock)
    finally:
        connection.close()


def test_a_round_costs_a_fixed_number_of_queries(
    floor: models.Workspace, told: Receiver, clock: Clock
) -> None:
    def cost(tasks_: int) -> int:
        for _ in range(tasks_):
            factories.task(floor)
        with CaptureQueriesContext(connection) as asked:
            deliveries._round(_receiver(floor), clock)
        return len(asked)

    assert cost(8) == cost(30)


def _receiver(floor: models.Workspace) -> models.CallbackReceiver:
    return models.CallbackReceiver.objects.get(sid=floor.sid)


def test_an_event_costs_one_statement_more_with_an_address_and_none_without(
    account: models.Account, floor: models.Workspace
) -> None:
    other = factories.workspace(account=account)
    point(other, "https://example.com/hook")

    def cost(workspace: models.Workspace) -> int:
        task = factories.task(workspace)
        with CaptureQueriesContext(connection) as asked:
            tasks.update_task(task=task, priority=5, actor=SYSTEM, now=NOW)
        return len([q for q in asked if "callback_deliveries" in q["sql"]])

    assert (cost(floor), cost(other)) == (0, 1)


def test_old_deliveries_are_forgotten_and_new_ones_kept(
    floor: models.Workspace, told: Receiver, clock: Clock, settings: Any
) -> None:
    factories.task(floor)
    post(floor, clock)
    days = timedelta(days=settings.CALLBACK_RETENTION_DAYS)
    housekeeping.prune(now=NOW + days - timedelta(seconds=1))
    assert models.CallbackDelivery.objects.exists()
    housekeeping.prune(now=NOW + days + timedelta(seconds=1))
    assert not models.CallbackDelivery.objects.exists()
    assert models.Event.objects.exists()


def test_what_is_due_is_found_by_the_sweep(
    floor: models.Workspace, told: Receiver, clock: Clock
) -> None:
    assert deliveries.due(clock()) == []
    told.respond = lambda request: request.answer(500)
    factories.task(floor)
    assert deliveries.due(clock()) == [floor.sid]
    post(floor, clock)
    assert deliveries.due(clock()) == []
    clock.shift(60)
    assert deliveries.due(clock()) == [floor.sid]


def test_a_receiver_that_takes_nothing_is_told_of_once_in_the_log(
    floor: models.Workspace, told: Receiver, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    told.respond = lambda request: request.answer(500)
    factories.task(floor)
    with caplog.at_level(logging.INFO, logger="routing.receivers.deliveries"):
        for _ in range(5):
            post(floor, clock)
            clock.shift(60)
        told.respond = Request.answer
        post(floor, clock)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_credentials_of_an_address_are_not_told_in_the_log(
    floor: models.Workspace, told: Receiver, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    point(floor, told.url.replace("127", "user:secret@127"))
    told.respond = lambda request: request.answer(500)
    factories.task(floor)
    post(floor, clock)
    assert "takes none" in caplog.text
    assert "secret" not in caplog.text


def test_what_cannot_be_signed_is_tried_again_and_not_sent_unsigned(
    floor: models.Workspace, told: Receiver, clock: Clock, settings: Any
) -> None:
    factories.task(floor)
    key, settings.SECRET_KEY = settings.SECRET_KEY, "another one, long enough to be a secret key"
    post(floor, clock)
    assert told.requests == []
    row = models.CallbackDelivery.objects.pending().filter(attempts=1)[0]
    assert "SECRET_KEY" in row.answer
    settings.SECRET_KEY = key
    clock.shift(60)
    post(floor, clock)
    assert pending() == 0
