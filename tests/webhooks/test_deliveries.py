"""Event callbacks come in order per task, at least once, whatever their receiver does."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from routing import models
from routing.actions import callbacks, task_transitions
from routing.actors import SYSTEM
from tests import factories
from tests.factories import later
from tests.webhooks.conftest import Clock
from tests.webhooks.event_steps import count_pending, post_events, set_callback_url
from tests.webhooks.receiver import Receiver, Request


def test_nothing_is_lost_while_a_receiver_is_down(
    workspace: models.Workspace, clock: Clock
) -> None:
    factories.workflow(workspace)
    with Receiver("the token that signs").running() as first:
        set_callback_url(workspace, first.url)
        port = first.port
    owed = count_pending()
    for number in range(5):
        factories.task(workspace, now=later(number))
        owed = count_pending()
        post_events(workspace, clock)
        clock.shift(30)
    assert count_pending() == owed > 10
    row = models.CallbackDelivery.objects.order_by("pk")[0]
    assert row.attempts > 1
    assert row.answer.startswith("no connection")
    with Receiver("the token that signs", port).running() as again:
        clock.shift(60)
        for _ in range(3):
            post_events(workspace, clock)
        assert count_pending() == 0
        assert len(again.requests) == owed
        sids = [request.form["Sid"] for request in again.requests]
        assert len(set(sids)) == owed


def test_an_attempt_is_repeated_with_the_same_ids_and_values(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock
) -> None:
    notified_receiver.respond = lambda request: request.answer(500, b'"no"')
    factories.task(workspace)
    post_events(workspace, clock)
    first = notified_receiver.requests[0]
    notified_receiver.respond = Request.answer
    clock.shift(10)
    post_events(workspace, clock)
    again = [r for r in notified_receiver.requests if r.form["Sid"] == first.form["Sid"]]
    assert len(again) == 2
    assert again[0].form == again[1].form
    assert again[0].token == again[1].token == first.form["Sid"]
    assert again[0].signature == again[1].signature
    assert count_pending() == 0


def test_pauses_grow_and_the_last_answer_can_be_read(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock
) -> None:
    notified_receiver.respond = lambda request: request.answer(503, b"busy", "text/plain")
    set_callback_url(workspace, notified_receiver.url, "task.created")
    post_events(workspace, clock)
    factories.task(workspace)
    pauses = []
    for _ in range(12):
        row = models.CallbackDelivery.objects.pending().get()
        clock.now = max(clock.now, row.date_due) + timedelta(seconds=60)
        post_events(workspace, clock)
        row.refresh_from_db()
        pauses.append(int((row.date_due - clock.now).total_seconds()))
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert (row.answer_status, row.answer, row.attempts) == (503, "503 busy", 12)


def test_a_delivery_is_given_up_after_hours_and_can_be_sent_again(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock, settings: Any
) -> None:
    notified_receiver.respond = lambda request: request.answer(404)
    task = factories.task(workspace)
    post_events(workspace, clock)
    clock.shift(settings.CALLBACK_RETRY_HOURS * 3600 + 1)
    post_events(workspace, clock)
    assert count_pending() == 0
    failed = models.CallbackDelivery.objects.filter(status="failed")
    assert failed.count() == models.Event.objects.filter(resource_sid=task.sid).count()
    notified_receiver.respond = Request.answer
    notified_receiver.requests.clear()
    callbacks.resend_deliveries(deliveries=failed, now=clock())
    post_events(workspace, clock)
    assert (
        len(notified_receiver.requests)
        == models.Event.objects.filter(resource_sid=task.sid).count()
    )
    assert count_pending() == 0


def test_events_of_a_task_come_in_their_order_though_one_is_refused(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock
) -> None:
    refused = 0

    def refuse_twice(request: Request) -> None:
        nonlocal refused
        if request.form["EventType"] == "task.created" and refused < 2:
            refused += 1
            return request.answer(500)
        return request.answer()

    notified_receiver.respond = refuse_twice
    factories.worker(workspace)
    reservation = factories.accepted(workspace)
    task_transitions.complete_task(task=reservation.task, actor=SYSTEM, now=later(5))
    for _ in range(6):
        post_events(workspace, clock)
        clock.shift(5)
    about = [
        r.form for r in notified_receiver.requests if r.form.get("TaskSid") == reservation.task.sid
    ]
    moments = [(form["EventType"], form["Sid"]) for form in about]
    once = list(dict.fromkeys(moments))
    written = models.Event.objects.filter(event_data__task_sid=reservation.task.sid)
    assert [sid for _, sid in once] == list(written.order_by("pk").values_list("sid", flat=True))
    assert count_pending() == 0


def test_a_task_whose_event_is_refused_delays_no_other_task(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock
) -> None:
    bad = factories.task(workspace)
    notified_receiver.respond = lambda r: r.answer(500 if r.form.get("TaskSid") == bad.sid else 204)
    good = factories.task(workspace)
    post_events(workspace, clock)
    written = models.Event.objects.filter(resource_sid=good.sid).count()
    assert sum(r.form["TaskSid"] == good.sid for r in notified_receiver.requests) == written
    assert sum(r.form["TaskSid"] == bad.sid for r in notified_receiver.requests) == 1


def test_a_failing_receiver_is_tried_with_one_event_less_and_less_often(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock
) -> None:
    notified_receiver.respond = lambda request: request.answer(500)
    for _ in range(20):
        factories.task(workspace)
    post_events(workspace, clock)
    assert len(notified_receiver.requests) == 8
    asked = []
    for _ in range(600):
        before = len(notified_receiver.requests)
        post_events(workspace, clock)
        asked.append(len(notified_receiver.requests) - before)
        clock.shift(1)
    assert set(asked) == {0, 1}
    assert sum(asked) < 25


def test_undelivered_events_go_to_a_new_address_and_are_given_up_without_one(
    workspace: models.Workspace, receiver: Receiver, clock: Clock
) -> None:
    factories.workflow(workspace)
    with Receiver("the token that signs").running() as first:
        set_callback_url(workspace, first.url)
    factories.task(workspace)
    post_events(workspace, clock)
    owed = count_pending()
    set_callback_url(workspace, receiver.url)
    clock.shift(5)
    post_events(workspace, clock)
    assert len(receiver.requests) == owed + 1
    receiver.respond = lambda request: request.answer(500)
    factories.task(workspace)
    post_events(workspace, clock)
    set_callback_url(workspace, "")
    assert count_pending() == 0
    last = models.CallbackDelivery.objects.order_by("-pk")[0]
    assert (last.status, last.answer) == ("failed", "the callback URL was removed")


def test_one_runner_posts_to_a_receiver_at_a_time_and_a_dead_one_gives_way(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock
) -> None:
    factories.task(workspace)
    dead = callbacks.lease_receiver(sid=workspace.sid, now=clock())
    assert dead is not None
    post_events(workspace, clock)
    assert notified_receiver.requests == []
    clock.now += callbacks.LEASE
    post_events(workspace, clock)
    assert count_pending() == 0
    assert not callbacks.renew_lease(dead, now=clock())


def test_an_event_that_was_posted_but_not_marked_is_posted_again(
    workspace: models.Workspace,
    notified_receiver: Receiver,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    task = factories.task(workspace)
    with monkeypatch.context() as patched:
        patched.setattr(callbacks, "record_attempts", die)
        patched.setattr(callbacks, "release_lease", lambda _: None)
        with pytest.raises(Killed):
            post_events(workspace, clock)
    clock.now += callbacks.LEASE
    post_events(workspace, clock)
    written = list(
        models.Event.objects.filter(resource_sid=task.sid)
        .order_by("pk")
        .values_list("sid", flat=True)
    )
    posted = [r.form["Sid"] for r in notified_receiver.requests if r.form["TaskSid"] == task.sid]
    assert list(dict.fromkeys(posted)) == written
    assert posted.count(written[0]) == 2


def test_a_slow_receiver_leaves_the_others_alone(
    account: models.Account, workspace: models.Workspace, notified_receiver: Receiver, clock: Clock
) -> None:
    slow = factories.workspace(account=account)
    asked = threading.Event()

    def hang(request: Request) -> None:
        asked.set()
        request.handler.server.slow.gone.wait(10)  # type: ignore[attr-defined]

    with Receiver("the token that signs").running() as hanging:
        hanging.server.slow = hanging  # type: ignore[attr-defined]
        hanging.respond = hang
        set_callback_url(slow, hanging.url)
        thread = threading.Thread(target=_run, args=[slow, clock])
        thread.start()
        assert asked.wait(10)
        factories.task(workspace)
        post_events(workspace, clock)
        assert (
            models.CallbackDelivery.objects.pending().filter(workspace_sid=workspace.sid).count()
            == 0
        )
        hanging.gone.set()
        thread.join()


def _run(workspace: models.Workspace, clock: Clock) -> None:
    try:
        post_events(workspace, clock)
    finally:
        connection.close()


def test_a_failing_receiver_is_logged_once(
    workspace: models.Workspace,
    notified_receiver: Receiver,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    notified_receiver.respond = lambda request: request.answer(500)
    factories.task(workspace)
    with caplog.at_level(logging.INFO, logger="routing.webhook_delivery.event_deliveries"):
        for _ in range(5):
            post_events(workspace, clock)
            clock.shift(60)
        notified_receiver.respond = Request.answer
        post_events(workspace, clock)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_credentials_of_an_address_are_not_logged(
    workspace: models.Workspace,
    notified_receiver: Receiver,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    set_callback_url(workspace, notified_receiver.url.replace("127", "user:secret@127"))
    notified_receiver.respond = lambda request: request.answer(500)
    factories.task(workspace)
    post_events(workspace, clock)
    assert "failed" in caplog.text
    assert "secret" not in caplog.text


def test_an_event_that_cannot_be_signed_is_retried_and_not_sent_unsigned(
    workspace: models.Workspace, notified_receiver: Receiver, clock: Clock, settings: Any
) -> None:
    factories.task(workspace)
    key, settings.SECRET_KEY = settings.SECRET_KEY, "another one, long enough to be a secret key"
    post_events(workspace, clock)
    assert notified_receiver.requests == []
    row = models.CallbackDelivery.objects.pending().filter(attempts=1)[0]
    assert "SECRET_KEY" in row.answer
    settings.SECRET_KEY = key
    clock.shift(60)
    post_events(workspace, clock)
    assert count_pending() == 0
