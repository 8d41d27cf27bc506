"""Days and hours in time zones, as spans of quarters of an hour."""

from __future__ import annotations

import itertools
import zoneinfo
from datetime import UTC, date, datetime, time

import pytest

from routing.statistics.calendars import Calendar, Run, Step, group_runs
from routing.statistics.windows import Span

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def minute(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) // 60


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2026, 3, 29), 23), (date(2026, 3, 30), 24), (date(2026, 10, 25), 25)],
)
def test_a_day_on_which_clocks_change_has_23_or_25_hours(day: date, hours: int) -> None:
    calendar = Calendar(BERLIN)
    span = calendar.find_days(day, day)
    assert span.end - span.start == hours * 60
    assert len(calendar.split(span, Step.HOUR)) == hours
    assert len(calendar.split(span, Step.QUARTER)) == hours * 4
    assert calendar.split(span, Step.DAY) == [span]


def test_a_day_begins_when_the_workspace_says_so() -> None:
    calendar = Calendar(BERLIN, time(6, 30))
    before = datetime(2026, 3, 30, 4, 29, tzinfo=UTC)  # 06:29 in Berlin
    assert calendar.find_date(before) == date(2026, 3, 29)
    span = calendar.find_days(date(2026, 3, 29), date(2026, 3, 29))
    assert span == Span(minute("2026-03-29T06:30+02:00"), minute("2026-03-30T06:30+02:00"))
    first = calendar.split(span, Step.HOUR)[0]
    assert calendar.find_local(first.start).time() == time(6, 30)


def test_intervals_cover_their_window_without_gaps() -> None:
    calendar = Calendar(zoneinfo.ZoneInfo("Asia/Kathmandu"))
    span = Span(minute("2026-03-28T01:15+00:00"), minute("2026-04-02T13:45+00:00"))
    for step in Step:
        intervals = calendar.split(span, step)
        assert intervals[0].start == span.start
        assert intervals[-1].end == span.end
        assert all(a.end == b.start for a, b in itertools.pairwise(intervals))
        assert all(one.start % 15 == 0 for one in intervals)


def test_a_span_is_shifted_by_the_clock_on_the_wall() -> None:
    calendar = Calendar(BERLIN)
    span = Span(minute("2026-03-30T09:00+02:00"), minute("2026-03-30T10:00+02:00"))
    assert calendar.shift(span, 7) == Span(
        minute("2026-03-23T09:00+01:00"), minute("2026-03-23T10:00+01:00")
    )


def test_a_time_that_a_day_does_not_have_is_the_one_after_the_gap() -> None:
    calendar = Calendar(BERLIN)
    span = Span(minute("2026-03-30T02:30+02:00"), minute("2026-03-30T04:00+02:00"))
    assert calendar.shift(span, 1).start == minute("2026-03-29T03:30+02:00")


def test_intervals_of_one_length_are_one_run() -> None:
    days = Calendar(BERLIN).find_days(date(2026, 3, 27), date(2026, 3, 31))
    intervals = Calendar(BERLIN).split(days, Step.DAY)
    assert group_runs(intervals) == [
        Run(0, Span(intervals[0].start, intervals[1].end), 24 * 60),
        Run(2, intervals[2], 23 * 60),
        Run(3, Span(intervals[3].start, intervals[4].end), 24 * 60),
    ]
