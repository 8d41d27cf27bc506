"""Figures of queues and workers, counted by the bookkeeper from the event log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from routing import housekeeping, models, sids
from routing.actions import offers, reservations, task_transitions, tasks, workspaces
from routing.actors import SYSTEM, Actor
from routing.core.rates import ServiceLevelFormula, Target, WaitClock
from routing.core.stays import StayEnd
from routing.statistics import bookkeeper, figures
from routing.statistics.figures import Overdue, QueueFigures
from routing.statistics.windows import Span
from tests import factories
from tests.factories import NOW, later

# On PostgreSQL, events can be counted once their transaction has ended.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "postgresql")

CUSTOMER = Actor(type="account", sid="AC0", source="api")
SUPERVISOR = Actor(type="user", sid="kim", source="admin")


@pytest.fixture
def workspace() -> models.Workspace:
    made = factories.workspace()
    factories.workflow(made, default=factories.queue(made, friendly_name="Support"))
    return made


def of_queue(workspace: models.Workspace, now: datetime, name: str = "Support") -> QueueFigures:
    bookkeeper.keep_books(now=now)
    pair = keys(workspace, name)
    return figures.load_queue_figures(workspace, figures.last_minutes(now))[pair]


def keys(workspace: models.Workspace, name: str = "Support") -> figures.Pair:
    queue = workspace.task_queues.get(friendly_name=name)
    return sids.index_key(queue.sid), sids.index_key(factories.channel(workspace).sid)


def answer(task: models.Task, seconds: float) -> models.Reservation:
    workspace = task.workspace
    factories.run(workspace, later(seconds))
    return reservations.accept_reservation(
        reservation=factories.reservation(task), actor=SYSTEM, now=later(seconds)
    )


def test_an_answer_is_counted_with_its_waits(workspace: models.Workspace) -> None:
    factories.worker(workspace)
    answer(factories.task(workspace), 61.25)
    found = of_queue(workspace, later(90))
    assert (found.entered, found.answered, found.net_entered) == (1, 1, 0)
    assert found.answered_by("push") == 1
    assert found.average_speed_ms(WaitClock.QUEUE) == 61_250
    assert found.answered_in(WaitClock.QUEUE).within(60).count == 0
    assert found.answered_in(WaitClock.QUEUE).within(90).count == 1
    assert found.accept_rate.percent == 100.0


def test_four_ends_without_an_answer_are_told_apart(workspace: models.Workspace) -> None:
    workspaces.update_workspace(
        workspace=workspace, withdrawn_reasons="duplicate\ntest", actor=SYSTEM, now=NOW
    )
    for seconds, actor, reason in (
        (3, CUSTOMER, None),
        (5, CUSTOMER, "gave up"),
        (30, CUSTOMER, "gave up"),
        (30, CUSTOMER, "duplicate"),
        (30, SUPERVISOR, "wrong number"),
    ):
        task_transitions.cancel_task(
            task=factories.task(workspace), reason=reason, actor=actor, now=later(seconds)
        )
    factories.task(workspace, timeout=40)
    factories.run(workspace, later(41))
    tasks.delete_task(task=factories.task(workspace), actor=SYSTEM, now=later(50))
    found = of_queue(workspace, later(60))
    assert found.ends == {
        StayEnd.ABANDONED: 3,
        StayEnd.WITHDRAWN: 1,
        StayEnd.CANCELED_BY_STAFF: 1,
        StayEnd.EXPIRED: 1,
        StayEnd.DELETED: 1,
    }
    assert found.abandoned_in(WaitClock.QUEUE).below(5).count == 1
    assert found.abandoned_in(WaitClock.QUEUE).within(5).count == 2


def test_the_formulas_of_the_service_level(workspace: models.Workspace) -> None:
    factories.worker(workspace, capacity={"chat": 50})
    for seconds in (10, 60, 61):
        answer(factories.task(workspace), seconds)
    for seconds in (3, 30, 70):
        task_transitions.cancel_task(
            task=factories.task(workspace), actor=CUSTOMER, now=later(seconds)
        )
    found = of_queue(workspace, later(120))

    def share(formula: ServiceLevelFormula) -> tuple[int, int]:
        ratio = figures.service_level(found, Target(formula=formula))
        return ratio.part, ratio.whole

    assert share(ServiceLevelFormula.STRICT) == (2, 6)
    assert share(ServiceLevelFormula.SHORT_IGNORED) == (2, 5)
    assert share(ServiceLevelFormula.LENIENT) == (4, 6)
    assert share(ServiceLevelFormula.EARLY_IGNORED) == (2, 4)
    assert figures.abandonment(found, Target()).percent == 40.0
    live = figures.live_service_level(found, Target(), Overdue(5))
    assert (live.part, live.whole, live.is_upper_bound) == (2, 10, False)


def test_overdue_tasks_are_those_that_wait_longer_than_their_target(
    workspace: models.Workspace,
) -> None:
    factories.task(workspace)
    factories.task(workspace, now=later(30))
    queue, channel = workspace.task_queues.get(), factories.channel(workspace)
    assert figures.count_overdue(queue, channel, Target(), now=later(60)) == Overdue(0)
    assert figures.count_overdue(queue, channel, Target(), now=later(61)) == Overdue(1)


def test_a_worker_has_handled_missed_and_rejected(workspace: models.Workspace) -> None:
    alice = factories.worker(workspace, "Alice", capacity={"chat": 3})
    given: dict[str, Any] = {"actor": SYSTEM}
    held = answer(factories.task(workspace), 10)
    reservations.wrap_up_reservation(reservation=held, now=later(70), **given)
    reservations.complete_reservation(reservation=held, now=later(80), **given)
    deleted = answer(factories.task(workspace), 80)
    tasks.delete_task(task=deleted.task, now=later(81), **given)
    offer = factories.offered(workspace, now=later(82))
    reservations.reject_reservation(reservation=offer, now=later(83), **given)
    factories.run(workspace, later(84))
    factories.run(workspace, later(300))
    bookkeeper.keep_books(now=later(310))
    found = figures.load_worker_figures(workspace, figures.last_minutes(later(310)))
    one = found[sids.index_key(alice.sid), keys(workspace)[1]]
    assert (one.handled, one.missed, one.rejected) == (1, 1, 1)
    assert (one.average_handle_ms, one.average_wrap_up_ms) == (70_000, 10_000)
    assert one.count("deleted_work") == 1


def test_a_window_of_30_minutes_forgets_what_was_before(workspace: models.Workspace) -> None:
    factories.task(workspace)
    factories.task(workspace, now=later(60))
    assert of_queue(workspace, later(30 * 60 + 59)).entered == 2
    assert of_queue(workspace, later(31 * 60)).entered == 1


def test_today_begins_when_the_workspace_says(workspace: models.Workspace) -> None:
    workspaces.update_workspace(
        workspace=workspace,
        time_zone="Europe/Berlin",
        day_starts_at="12:45",
        actor=SYSTEM,
        now=NOW,
    )
    start = figures.today(workspace, now=NOW).start
    assert start == bookkeeper.floor_minute(NOW) - 15
    assert figures.today(workspace, now=later(-16 * 60)).start == start - 24 * 60


def test_minutes_are_folded_into_quarters_and_sum_up_to_the_same(
    workspace: models.Workspace,
) -> None:
    factories.worker(workspace, capacity={"chat": 50})
    for minute in range(40):
        answer(factories.task(workspace, now=later(60 * minute)), 60 * minute + 7)
    bookkeeper.keep_books(now=later(2400))
    span = Span(bookkeeper.floor_minute(NOW), bookkeeper.floor_minute(NOW) + 60)
    before = figures.load_queue_figures(workspace, span)
    assert bookkeeper.fold_minutes(now=later(4 * 3600)) == 1
    assert figures.load_queue_figures(workspace, span) == before
    assert set(models.Figure.objects.values_list("length", flat=True)) == {15}
    assert set(models.FigureWait.objects.values_list("length", flat=True)) == {15}
    assert bookkeeper.fold_minutes(now=later(4 * 3600)) == 0


def test_old_events_go_into_quarters_at_once(workspace: models.Workspace) -> None:
    factories.task(workspace)
    bookkeeper.keep_books(now=later(86_400))
    (row,) = models.Figure.objects.filter(entered=1)
    assert (row.length, row.minute % 15) == (15, 0)


def test_a_grab_has_its_own_speed_of_answer(workspace: models.Workspace) -> None:
    alice = factories.worker(workspace, capacity={"chat": 2})
    waiting = factories.task(workspace)
    offers.grab_task(task=waiting, worker=alice, actor=SYSTEM, now=later(20))
    answer(factories.task(workspace), 40)
    found = of_queue(workspace, later(50))
    assert found.average_speed_ms(WaitClock.QUEUE) == 30_000
    assert found.average_speed_ms(WaitClock.QUEUE, "grab") == 20_000
    assert found.average_speed_ms(WaitClock.QUEUE, "push") == 40_000


def test_figures_are_deleted_after_their_retention_and_totals_are_not(
    workspace: models.Workspace, settings: Any
) -> None:
    settings.FIGURES_RETENTION_DAYS = 2
    factories.worker(workspace)
    answer(factories.task(workspace), 10)
    bookkeeper.keep_books(now=later(20))
    housekeeping.delete_old_rows(now=later(2 * 86_400))
    assert models.Figure.objects.exists()
    housekeeping.delete_old_rows(now=later(2 * 86_400 + 900))
    assert not models.Figure.objects.exists()
    assert not models.FigureWait.objects.exists()
    assert models.MetricTotal.objects.get(measure="answered").value == 1
