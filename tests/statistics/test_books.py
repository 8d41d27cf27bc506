"""The books of a generated day: every figure equals a naive recomputation from the events API.

`GENERATED_EVENTS=50000` makes the day longer.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from routing import housekeeping, models, sids
from routing.core.rates import ServiceLevelFormula, Target, WaitClock
from routing.core.stays import StayEnd
from routing.core.vocabulary import ReservationOrigin
from routing.core.waits import EDGES
from routing.statistics import audits, booking, bookkeeper, figures, recounts
from routing.statistics.windows import Span
from tests import factories
from tests.api.conftest import TOKEN, api_of
from tests.statistics.generated_day import WITHDRAWN, GeneratedDay
from tests.statistics.naive_books import Cell, NaiveBooks

# On PostgreSQL, events can be counted once their transaction has ended.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "postgresql")

EVENTS = int(os.environ.get("GENERATED_EVENTS", "900"))


def read_log(workspace: models.Workspace) -> Iterator[dict[str, Any]]:
    """Yield the events of a workspace as a client of the REST API reads them."""
    api = api_of(workspace.account)
    path = f"Workspaces/{workspace.sid}/Events?After=&PageSize=1000"
    while path:
        page = api.get(path)
        yield from page["events"]
        path = (page["meta"]["next_page_url"] or "").partition("/v1/")[2]


def generate(seed: int, events: int) -> GeneratedDay:
    day = GeneratedDay(seed, account=factories.account(auth_token=TOKEN))
    day.go_on(until_events=events)
    day.make_what_is_rare()
    return day


def counted_queues(workspace: models.Workspace, quarters: set[int]) -> Counter[Cell]:
    """Return the figures of queues in the form of the naive books."""
    found: Counter[Cell] = Counter()
    for quarter in quarters:
        span = Span(quarter * 15, quarter * 15 + 15)
        for (queue, channel), one in figures.load_queue_figures(workspace, span).items():
            for origin, counts in one.by_origin.items():
                for measure, number in counts.items():
                    found[quarter, str(queue), str(channel), measure, origin] += number
    return found


def counted_workers(workspace: models.Workspace, quarters: set[int]) -> Counter[Cell]:
    found: Counter[Cell] = Counter()
    for quarter in quarters:
        span = Span(quarter * 15, quarter * 15 + 15)
        for (worker, channel), one in figures.load_worker_figures(workspace, span).items():
            for origin, counts in one.by_origin.items():
                for measure, number in counts.items():
                    found[quarter, str(worker), str(channel), measure, origin] += number
    return found


def with_keys(cells: Counter[Cell]) -> Counter[Cell]:
    """Return cells of sids with the keys of these sids."""
    return Counter(
        {(when, key(a), key(b), name, by): n for (when, a, b, name, by), n in cells.items()}
    )


def key(sid: str) -> str:
    return str(sids.index_key(sid)) if sid else "0"


def keep_books(day: GeneratedDay) -> None:
    while bookkeeper.keep_books(now=day.now, seconds=60):
        pass


def assert_agree(day: GeneratedDay, naive: NaiveBooks) -> None:
    quarters = {cell[0] for cell in naive.queues}
    assert +counted_queues(day.workspace, quarters) == +with_keys(naive.queues)
    measures = ("answered_again",)  # of workers, only their answers are told apart by `answered`
    of_workers = Counter({c: n for c, n in naive.workers.items() if c[3] not in measures})
    assert +counted_workers(day.workspace, quarters) == +with_keys(of_workers)


def test_every_figure_of_a_generated_day_equals_the_naive_recomputation() -> None:
    day = generate(seed=1, events=EVENTS)
    naive = NaiveBooks(read_log(day.workspace), withdrawn=WITHDRAWN)
    measures = {cell[3] for cell in naive.queues}
    assert {end.value for end in StayEnd} <= measures, "the day has every kind of end"
    origins = {cell[4] for cell in naive.queues}
    assert origins == {"", *map(str, ReservationOrigin)}
    keep_books(day)
    assert_agree(day, naive)
    assert_waits_agree(day, naive)
    assert_service_levels_agree(day, naive)
    assert_books_balance(day, naive)
    # The same after the minutes were folded.
    bookkeeper.fold_minutes(now=day.now + bookkeeper.MINUTES_KEPT * 20)
    assert not models.Figure.objects.filter(length=1).exists()
    assert_agree(day, naive)
    assert_waits_agree(day, naive)


def whole_day(day: GeneratedDay) -> Span:
    start = bookkeeper.floor_minute(day.workspace.date_created)
    return Span(start, start + 3 * 24 * 60)


def assert_waits_agree(day: GeneratedDay, naive: NaiveBooks) -> None:
    loaded = figures.load_queue_figures(day.workspace, whole_day(day))
    waits: dict[tuple[str, str, str, str], list[int]] = {}
    for (_, queue, channel, name, origin), found in naive.waits.items():
        waits.setdefault((key(queue), key(channel), name, origin), []).extend(found)
    assert waits
    for (queue, channel, name, origin), found in waits.items():
        end, clock = name.split()
        of_queue = loaded[int(queue), int(channel)]
        if end == "answered":
            counted = of_queue.answered_in(WaitClock(clock), origin)
        else:
            counted = of_queue.abandoned_in(WaitClock(clock))
        assert (counted.count, counted.total_ms) == (len(found), sum(found))
        for edge in EDGES:
            assert counted.within(edge).count == sum(wait <= edge * 1000 for wait in found)
            assert counted.below(edge).total_ms == sum(w for w in found if w < edge * 1000)
        for percent in (50, 90, 95):
            estimate = counted.estimate_percentile_ms(percent)
            exact = sorted(found)[max(-(-len(found) * percent // 100), 1) - 1]
            assert estimate is not None
            lower = max([0, *(e * 1000 for e in EDGES if e * 1000 < exact)])
            upper = min([e * 1000 for e in EDGES if e * 1000 >= exact])
            assert lower <= estimate <= upper, "it lies between the same edges"


def assert_service_levels_agree(day: GeneratedDay, naive: NaiveBooks) -> None:
    loaded = figures.load_queue_figures(day.workspace, whole_day(day))
    chance = random.Random(5)
    for (queue, channel), of_queue in loaded.items():
        for formula in ServiceLevelFormula:
            clock = chance.choice(list(WaitClock))
            target = Target(
                threshold=chance.choice(EDGES),
                short_abandon=chance.choice(EDGES[:12]),
                formula=formula,
                clock=clock,
            )
            a = collect(naive, queue, channel, f"answered {clock}")
            b = collect(naive, queue, channel, f"abandoned {clock}")
            within = sum(wait <= target.threshold * 1000 for wait in a)
            b_short = sum(wait < target.short_abandon * 1000 for wait in b)
            b_within = sum(wait <= target.threshold * 1000 for wait in b)
            part, whole = {
                "A": (within, len(a) + len(b)),
                "B": (within, len(a) + len(b) - b_short),
                "C": (within + b_within, len(a) + len(b)),
                "D": (within, len(a) + len(b) - b_within),
            }[formula.value]
            ratio = figures.service_level(of_queue, target)
            assert (ratio.part, ratio.whole) == (part, whole)
            left_out = {"A": 0, "B": b_short, "C": 0, "D": b_within}[formula.value]
            given_up = figures.abandonment(of_queue, target)
            assert given_up.part == len(b) - left_out
            assert given_up.whole == len(a) + len(b) - left_out


def collect(naive: NaiveBooks, queue: int, channel: int, name: str) -> list[int]:
    return [
        wait
        for (_, of_queue, of_channel, of_name, _), found in naive.waits.items()
        for wait in found
        if (key(of_queue), key(of_channel), of_name) == (str(queue), str(channel), name)
    ]


def assert_books_balance(day: GeneratedDay, naive: NaiveBooks) -> None:
    """What entered is what ended and what waits: by rows, by figures, by the naive books."""
    rows = waiting_rows(day.workspace)
    assert rows == naive.waiting()
    loaded = figures.load_queue_figures(day.workspace, whole_day(day))
    for (queue, channel), of_queue in loaded.items():
        if queue:
            there = sum(
                n for (q, c), n in rows.items() if (key(q), key(c)) == (str(queue), str(channel))
            )
            assert of_queue.net_entered == there


def waiting_rows(workspace: models.Workspace) -> Counter[tuple[str, str]]:
    moving = workspace.transfers.filter(transfer_status="initiated").values("task")
    rows = workspace.tasks.filter(assignment_status__in=["pending", "reserved"])
    rows = rows.exclude(task_queue=None).exclude(pk__in=moving)
    return Counter(rows.values_list("task_queue__sid", "task_channel__sid"))


class Killed(BaseException):
    """The end of a process, which nothing catches."""


@contextmanager
def killed_at(statement: int) -> Iterator[list[int]]:
    """Raise `Killed` instead of running the statement of this number."""
    seen = [0]

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        seen[0] += 1
        if seen[0] == statement:
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield seen


@pytest.mark.django_db(transaction=True)
def test_each_event_counts_once_wherever_a_bookkeeper_is_killed() -> None:
    day = generate(seed=2, events=300)
    naive = NaiveBooks(read_log(day.workspace), withdrawn=WITHDRAWN)
    deaths, statement = 0, 1
    while True:
        try:
            with killed_at(statement):
                if not bookkeeper.count_batch(day.workspace, now=day.now, limit=40):
                    break
            statement = 1
        except Killed:
            deaths += 1
            statement += 1
    assert deaths > 20
    assert_agree(day, naive)


@pytest.mark.django_db(transaction=True)
def test_minutes_are_folded_once_wherever_a_bookkeeper_is_killed() -> None:
    day = generate(seed=3, events=200)
    naive = NaiveBooks(read_log(day.workspace), withdrawn=WITHDRAWN)
    keep_books(day)
    later = day.now + bookkeeper.MINUTES_KEPT * 20
    deaths = 0
    while True:
        try:
            with killed_at(deaths + 1):
                bookkeeper.fold_minutes(now=later)
            break
        except Killed:
            deaths += 1
    assert deaths >= 6
    assert_agree(day, naive)


def test_a_batch_that_another_bookkeeper_has_counted_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = generate(seed=4, events=200)
    naive = NaiveBooks(read_log(day.workspace), withdrawn=WITHDRAWN)
    count_events = booking.count_events

    def count_while_another_does(events: Any) -> Any:
        monkeypatch.setattr(booking, "count_events", count_events)
        assert bookkeeper.count_batch(day.workspace, now=day.now) > 0
        return count_events(events)

    monkeypatch.setattr(booking, "count_events", count_while_another_does)
    assert bookkeeper.count_batch(day.workspace, now=day.now) == 0
    keep_books(day)
    assert_agree(day, naive)


def problems() -> list[str]:
    return list(audits.find_problems(seed=1))


def test_the_doctor_balances_the_books_and_names_what_is_wrong() -> None:
    day = generate(seed=5, events=200)
    keep_books(day)
    assert problems() == []
    queue, channel = day.queues[1], factories.channel(day.workspace, "chat")
    entered = models.MetricTotal.objects.filter(
        task_queue_key=sids.index_key(queue.sid),
        task_channel_key=sids.index_key(channel.sid),
        measure="entered",
    )
    entered.update(value=F("value") + 1)
    (found,) = problems()
    assert f"tasks wait in queue {queue.sid}, channel chat" in found
    entered.update(value=F("value") - 1)
    figure = models.Figure.objects.filter(answered__gt=0)[0]
    models.Figure.objects.filter(pk=figure.pk).update(answered=9)
    (found,) = problems()
    assert f"answered by {figure.origin} of queue" in found
    assert recounts.recount_figures(now=day.now) > 0
    assert problems() == []


def test_the_doctor_counts_events_that_the_bookkeeper_has_not_read_yet() -> None:
    day = generate(seed=6, events=200)
    bookkeeper.count_batch(day.workspace, now=day.now, limit=100)
    assert problems() == []


def test_a_recount_rebuilds_figures_and_totals() -> None:
    day = generate(seed=7, events=200)
    naive = NaiveBooks(read_log(day.workspace), withdrawn=WITHDRAWN)
    keep_books(day)
    totals = read_totals()
    models.Figure.objects.all()[0].delete()
    models.Figure.objects.update(entered=F("entered") + 3)
    models.FigureWait.objects.update(tasks=7)
    recounts.recount_figures(now=day.now)
    assert_agree(day, naive)
    assert_waits_agree(day, naive)
    models.Figure.objects.all().delete()
    models.FigureWait.objects.all().delete()
    models.MetricTotal.objects.exclude(measure__startswith="handled:").delete()
    recounts.recount_figures(now=day.now)
    assert_agree(day, naive)
    assert read_totals() == totals


def read_totals() -> Counter[tuple[int, int, str, str]]:
    rows = models.MetricTotal.objects.values_list(
        "task_queue_key", "task_channel_key", "origin", "measure", "value"
    )
    return Counter({(a, b, by, name): value for a, b, by, name, value in rows if value})


def test_books_of_an_older_workspace_open_with_the_tasks_that_wait() -> None:
    day = generate(seed=8, events=200)
    oldest = models.Event.objects.filter(workspace_sid=day.workspace.sid).order_by("pk")[80]
    models.Event.objects.filter(pk__lt=oldest.pk).delete()
    mark = bookkeeper.find_or_create_bookmark(day.workspace)
    models.Bookmark.objects.filter(pk=mark.pk).update(has_opening=False)
    audits.open_old_books()
    assert not models.Bookmark.objects.get().has_opening, "there is more to read"
    keep_books(day)
    audits.open_old_books()
    assert models.Bookmark.objects.get().has_opening
    assert problems() == []
    factories.task(day.workspace, attributes=day.some_attributes(), **day.by())
    assert problems() == []
    keep_books(day)
    assert problems() == []


def test_a_bookmark_follows_a_log_that_was_restored_from_another_database() -> None:
    day = generate(seed=9, events=150)
    keep_books(day)
    before = read_totals()
    models.Event.objects.update(transaction_id=F("id") + 1_000_000)
    last = models.Event.objects.latest("pk")
    models.Bookmark.objects.update(transaction_id=last.transaction_id, event_id=last.pk)
    housekeeping.place_restored_events()
    keep_books(day)
    assert read_totals() == before
    factories.task(day.workspace, attributes=day.some_attributes(), **day.by())
    keep_books(day)
    assert problems() == []
    # Also when the event at the bookmark was deleted in the other database.
    models.Event.objects.all().delete()
    models.Bookmark.objects.update(transaction_id=1_000_000)
    housekeeping.place_restored_events()
    factories.task(day.workspace, attributes=day.some_attributes(), **day.by())
    keep_books(day)
    assert problems() == []
