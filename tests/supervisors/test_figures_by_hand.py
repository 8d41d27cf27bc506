"""Figures of the cockpit beside those computed by hand: ends, origins, levels, and closed desks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from routing import models
from routing.actions import offers, reservations, task_moves, task_transitions, transfers
from routing.actions.workspaces import update_workspace
from routing.actors import SYSTEM
from routing.core.vocabulary import TransferMode
from routing.sdk import leases
from supervisors import fragments, pictures, reading
from supervisors.recent import forget_today
from tests import factories
from tests.supervisors.conftest import Cockpit
from tests.supervisors.test_acting import post
from tests.supervisors.test_reports import CUSTOMER, NOON, keep_books, load

# On PostgreSQL, events can be counted once their transaction has ended.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "postgresql")

DAY = "2026-03-02..2026-03-02"


def at(seconds: float) -> datetime:
    """Return the moment so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def made(cockpit: Cockpit, seconds: float, **given: Any) -> models.Task:
    """Make a task at a moment, in the queue unless it is meant for one worker."""
    if "routing_target" not in given:
        given["workflow"] = cockpit.workflow
    return cockpit.task(now=at(seconds), **given)


def answer(task: models.Task, seconds: float) -> models.Reservation:
    """Let the router offer a task, and its worker accept it."""
    factories.run(task.workspace, at(seconds))
    offer = task.reservations.pending().get()
    return reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=at(seconds))


@contextmanager
def looking(seconds: float) -> Iterator[None]:
    """Look at the cockpit at a moment, with all events counted and nothing cached."""
    pictures.forget_pictures()
    fragments.forget_fragments()
    reading.forget_connected()
    forget_today()
    with time_machine.travel(at(seconds), tick=False):
        keep_books(at(seconds))
        yield


def show_level(cockpit: Cockpit, seconds: float) -> str:
    """Return the cell of the live service level at a moment."""
    with looking(seconds):
        text = cockpit.read("panels/queues", show=["service_level"])
    cells = text.split(f'id="row-{cockpit.queue.sid}"')[1]
    return cells.split('data-label="Service level"')[1].partition(">")[2].split("<")[0].strip()


def test_answers_of_each_origin_and_transfers_are_columns_of_their_own(cockpit: Cockpit) -> None:
    factories.set_capacity(cockpit.ada, configured_capacity=20)
    # The one that is transferred today was answered yesterday.
    held = answer(made(cockpit, -86_400), -86_395)
    given: dict[str, Any] = {"worker": cockpit.ada, "actor": SYSTEM}
    pushed = made(cockpit, 0)
    answer(pushed, 10)
    offers.grab_task(task=made(cockpit, 20), now=at(30), **given)
    offers.assign_task(task=made(cockpit, 40), hand_over=True, now=at(50), **given)
    direct = made(cockpit, 60, routing_target=cockpit.ada.sid, task_queue=cockpit.queue)
    answer(direct, 70)
    eva = factories.worker(cockpit.workspace, "Eva")
    transfers.begin_transfer(
        reservation=held, to=eva.sid, mode=TransferMode.COLD, actor=SYSTEM, now=at(80)
    )
    offer = held.task.reservations.pending().get()
    reservations.accept_reservation(reservation=offer, actor=SYSTEM, now=at(190))
    by_hand = {
        **dict.fromkeys(("answered_by_push", "answered_by_grab", "answered_by_assigned"), 1),
        "answered_by_direct": 1,
        "transferred_in": 1,
        "answered": 4,
        "within_target": 4,
    }
    figures = load(cockpit, now=at(600), window=DAY)["total"]["figures"]
    assert {name: figures[name] for name in by_hand} == by_hand
    assert figures["service_level"] == {"part": 4, "whole": 4, "percent": 100.0}

    # The second acceptance comes too late for the target, and is in no service level.
    pushed.refresh_from_db()
    task_moves.take_back_task(task=pushed, reason="gone", actor=SYSTEM, now=at(600))
    pushed.refresh_from_db()
    offers.grab_task(task=pushed, now=at(900), **given)
    again = load(cockpit, now=at(1_000), window=DAY)["total"]["figures"]
    assert {name: again[name] for name in by_hand} == by_hand
    assert again["answered_again"] == 1
    assert again["service_level"] == figures["service_level"]


def test_four_ends_without_an_answer_are_no_abandonment_by_formula_b(cockpit: Cockpit) -> None:
    update_workspace(
        workspace=cockpit.workspace, withdrawn_reasons="duplicate", actor=SYSTEM, now=NOON
    )
    answer(made(cockpit, 0), 5)
    factories.set_capacity(cockpit.ada, available=False)
    short, duplicate, _expires, closed = (
        made(cockpit, 10, **given) for given in ({}, {}, {"timeout": 60}, {})
    )
    for task, reason, seconds in ((short, None, 13), (duplicate, "duplicate", 40)):
        task_transitions.cancel_task(task=task, reason=reason, actor=CUSTOMER, now=at(seconds))
    factories.run(cockpit.workspace, at(71))
    with looking(80):
        given: dict[str, Any] = {"reason": "wrong number", "confirmed": 1}
        assert post(cockpit, "tasks.cancel", closed, **given).status_code == 200
    figures = load(cockpit, now=at(600), window=DAY)["total"]["figures"]
    ends = ("short_abandons", "withdrawn", "expired", "canceled_by_staff", "answered")
    assert [figures[end] for end in ends] == [1, 1, 1, 1, 1]
    assert figures["abandonment_rate"] == {"part": 0, "whole": 1, "percent": 0.0}
    assert figures["service_level"]["percent"] == 100.0


def test_the_live_service_level_falls_though_no_stay_has_ended(cockpit: Cockpit) -> None:
    for seconds in (0, 10, 20):
        answer(made(cockpit, seconds), seconds + 5)
    factories.set_capacity(cockpit.ada, available=False)
    for seconds in (60, 150, 240):
        made(cockpit, seconds)
    seen = [show_level(cockpit, seconds) for seconds in (100, 121, 211, 301)]
    assert seen == ["100 %", "75.0 %", "60.0 %", "50.0 %"]


def test_a_task_of_an_agent_whose_browser_was_killed_is_taken_back_with_its_age(
    cockpit: Cockpit, real_redis: Any
) -> None:
    task = made(cockpit, 0)
    answer(task, 5)
    opened = leases.SessionCounts(desks={cockpit.ada.sid: 1})
    leases.renew_lease("a process", opened, now=at(5))
    with looking(6):
        assert "no desk open" not in cockpit.read("panels/agents", q="Ada")
    # The browser is gone, and so is its socket; the process renews its lease.
    leases.renew_lease("a process", leases.SessionCounts(desks={cockpit.ada.sid: 0}), now=at(65))
    with looking(66):
        assert "no desk open" in cockpit.read("panels/agents", q="Ada")
        given: dict[str, Any] = {"reason": "computer died", "confirmed": 1}
        assert post(cockpit, "tasks.take_back", task, **given).status_code == 200
    with looking(95):
        story = cockpit.read("panels/story", task=task.sid)
        assert "Taken from Ada. Taken back, so that it waits again. Reason: computer died" in story
        assert "Ada completed it" not in story
        text = cockpit.read("panels/waiting", queue=cockpit.queue.sid)
        assert f'data-since="{int(at(0).timestamp() * 1000)}"' in text
        assert ">1:35<" in text
    answered = load(cockpit, "agents", now=at(600), window=DAY)["total"]["figures"]
    assert (answered["taken_back"], answered["handled"], answered["aht"]) == (1, 0, None)


def test_a_desk_whose_whole_process_died_is_open_no_longer_than_its_lease(
    cockpit: Cockpit, real_redis: Any
) -> None:
    opened = leases.SessionCounts(desks={cockpit.ada.sid: 1})
    leases.renew_lease("a process", opened, now=at(0))
    for seconds, is_open in ((29, True), (31, False)):
        with looking(seconds):
            text = cockpit.read("panels/agents", q="Ada")
        assert ("no desk open" not in text) is is_open
