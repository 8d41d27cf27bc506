"""Pages of reports: windows, comparison, files, limits and what is not there any more."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse

from routing import housekeeping, models
from routing.actions import offers, queue_targets, task_transitions
from routing.actors import SYSTEM, Actor
from routing.statistics import bookkeeper
from routing.statistics.calendars import Calendar, Step
from supervisors.reports import charts, limits
from supervisors.reports.charts import Chart
from supervisors.reports.query import find_window, parse_report
from supervisors.reports.registry import REPORTS
from supervisors.reports.service import DIMENSIONS
from tests import factories
from tests.statistics.naive_reports import share
from tests.supervisors.conftest import Cockpit

CUSTOMER = Actor(type="account", sid="AC0", source="api")
NOON = factories.NOW  # 2026-03-02 12:00 UTC


def answer_task(cockpit: Cockpit, *, at: datetime, wait: float = 30, **given: Any) -> models.Task:
    """Create a task which Ada grabs and completes."""
    task = cockpit.task(workflow=cockpit.workflow, now=at, **given)
    now = at + timedelta(seconds=wait)
    offers.grab_task(task=task, worker=cockpit.ada, actor=SYSTEM, now=now)
    task.refresh_from_db()
    task_transitions.complete_task(
        task=task, reason="done", actor=SYSTEM, now=now + timedelta(seconds=60)
    )
    return task


def keep_books(now: datetime) -> None:
    while bookkeeper.keep_books(now=now, seconds=60):
        pass


def load(cockpit: Cockpit, path: str = "service", *, now: datetime, **query: Any) -> dict[str, Any]:
    """Return a report as JSON."""
    with time_machine.travel(now, tick=False):
        keep_books(now)
        answer = cockpit.people["member"].get(
            f"/supervisor/reports/{path}",
            {"workspace": cockpit.workspace.sid, **query},
            headers={"Accept": "application/json"},
        )
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def show(cockpit: Cockpit, path: str = "service", *, now: datetime, **query: Any) -> str:
    """Return a report's page."""
    with time_machine.travel(now, tick=False):
        keep_books(now)
        return cockpit.read(f"reports/{path}", **query)


def read_file(answer: HttpResponse) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_of_a_clock_change_has_its_hours_and_sums_to_its_quarters(
    cockpit: Cockpit, day: str, hours: int
) -> None:
    models.Workspace.objects.update(time_zone="Europe/Berlin")
    midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00") - timedelta(hours=2)
    # The hour before the day, all hours of it, and the hours after it.
    for number in range(28):
        answer_task(cockpit, at=midnight + timedelta(hours=number, minutes=5))
    now = midnight + timedelta(hours=40)
    query = {"by": "interval", "window": f"{day}..{day}"}
    by_hour = load(cockpit, now=now, step="hour", **query)
    by_quarter = load(cockpit, now=now, step="15m", **query)
    by_day = load(cockpit, now=now, step="day", **query)
    assert len(by_hour["rows"]) == hours
    assert len(by_quarter["rows"]) == hours * 4
    counted = [[row["figures"]["answered"] for row in each["rows"]] for each in (by_hour, by_day)]
    assert counted == [[1] * hours, [hours]]
    assert sum(row["figures"]["answered"] for row in by_quarter["rows"]) == hours
    starts = [row["interval"]["start"] for row in by_hour["rows"]]
    assert len(set(starts)) == hours, "an hour that comes twice has two offsets"
    page = show(cockpit, now=now, step="hour", **query)
    twice = [f"{day} 02:00 {offset}" in page for offset in ("+02:00", "+01:00")]
    assert twice == [hours == 25] * 2
    assert by_day["rows"][0]["interval"]["start"].endswith(("+01:00", "+02:00"))


def test_a_report_is_shown_in_another_time_zone_and_names_it(cockpit: Cockpit) -> None:
    answer_task(cockpit, at=datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
    now = datetime(2026, 3, 4, 12, tzinfo=UTC)
    report = load(cockpit, now=now, by="interval", window="2026-03-03..2026-03-03", step="day")
    assert report["total"]["figures"]["answered"] == 0
    query = {"by": "interval", "window": "2026-03-03..2026-03-03", "tz": "Europe/Berlin"}
    report = load(cockpit, now=now, step="day", **query)
    assert (report["time_zone"], report["total"]["figures"]["answered"]) == ("Europe/Berlin", 1)
    assert "Europe/Berlin" in show(cockpit, now=now, **query)


def test_a_lower_threshold_changes_yesterdays_service_level_at_once(cockpit: Cockpit) -> None:
    for wait in (10, 20, 21, 60, 61):
        answer_task(cockpit, at=NOON, wait=wait)
    tomorrow = NOON + timedelta(days=1)
    found = []
    for threshold in (60, 20, 60):
        queue_targets.set_target(
            queue=cockpit.queue,
            channel=factories.channel(cockpit.workspace, "chat"),
            threshold=threshold,
            actor=SYSTEM,
            now=tomorrow,
        )
        report = load(cockpit, now=tomorrow, window="yesterday")
        found.append(report["rows"][0]["figures"]["service_level"])
    by_hand = {60: share(4, 5), 20: share(2, 5)}
    assert found == [by_hand[60], by_hand[20], by_hand[60]]


@pytest.mark.parametrize(("compare", "days"), [("1d", 1), ("1w", 7), ("4w", 28)])
def test_a_window_is_compared_with_the_same_one_before(
    cockpit: Cockpit, compare: str, days: int
) -> None:
    for _ in range(3):
        answer_task(cockpit, at=NOON - timedelta(days=days), wait=90)
    answer_task(cockpit, at=NOON)
    now = NOON + timedelta(minutes=40)
    report = load(cockpit, now=now, compare=compare)
    (row,) = report["rows"]
    assert (row["figures"]["answered"], row["before"]["answered"]) == (1, 3)
    assert row["before"]["within_target"] == 0
    before = (NOON - timedelta(days=days)).date()
    assert report["compared_with"]["start"] == f"{before}T00:00:00+00:00"
    assert "before: 3" in show(cockpit, now=now, compare=compare)
    for path, name in (("service", "answered"), ("agents", "handled")):
        by_hour = load(cockpit, path, now=now, compare=compare, by="interval", step="hour")
        found = [row["before"][name] for row in by_hour["rows"]]
        assert found == ([0] * 12 + [3] if path == "service" else [3])
    with time_machine.travel(now, tick=False):
        header, line = read_file(cockpit.get("reports/service.csv", compare=compare))
    cells = dict(zip(header, line, strict=True))
    assert (cells["answered"], cells["before: answered"]) == ("1", "3")
    assert (cells["asa [ms]"], cells["before: asa [ms]"]) == ("30000", "90000")
    assert cells["before: window start [UTC]"] == f"{before}T00:00:00+00:00"


def test_a_file_has_dates_with_offsets_units_and_no_formulas(cockpit: Cockpit) -> None:
    models.Workspace.objects.update(time_zone="Europe/Berlin")
    models.TaskQueue.objects.filter(pk=cockpit.queue.pk).update(friendly_name="=1+1")
    task = answer_task(cockpit, at=NOON, attributes='{"subject": "=1+1"}')
    keep_books(NOON + timedelta(hours=1))
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        rows = read_file(cockpit.get("reports/service.csv"))
        by_hour = read_file(cockpit.get("reports/service.csv", by="interval", step="hour"))
        cell = {
            "measure": "answered",
            "start": "2026-03-02T00:00Z",
            "end": "2026-03-03T00:00Z",
            "report": "service",
        }
        listed = read_file(cockpit.get("reports/cell.csv", **cell))
    line = dict(zip(rows[0], rows[1], strict=True))
    assert (line["queue"], line["queue sid"]) == ("'=1+1", cockpit.queue.sid)
    assert (line["asa [ms]"], line["asa [h:mm:ss]"]) == ("30000", "0:00:30")
    assert line["service_level [%]"] == "100.0"
    assert line["window start [Europe/Berlin]"] == "2026-03-02T00:00:00+01:00"
    assert by_hour[0][:2] == ["start [Europe/Berlin]", "end [Europe/Berlin]"]
    assert by_hour[1][0] == "2026-03-02T00:00:00+01:00"
    (only,) = [dict(zip(listed[0], each, strict=True)) for each in listed[1:]]
    assert (only["task_sid"], only["title"]) == (task.sid, "'=1+1")
    assert only["date [Europe/Berlin]"] == "2026-03-02T13:00:30+01:00"


def test_a_file_and_json_have_every_column(cockpit: Cockpit) -> None:
    answer_task(cockpit, at=NOON)
    report = load(cockpit, now=NOON + timedelta(hours=1), show="answered")
    names = [column["name"] for column in report["columns"]]
    assert len(names) > 30
    assert set(report["rows"][0]["figures"]) == set(names)
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        header = read_file(cockpit.get("reports/service.csv", show="answered"))[0]
    assert {name.split(" ")[0] for name in header} >= set(names)


def test_a_page_shows_the_columns_that_are_chosen_and_explains_them(cockpit: Cockpit) -> None:
    answer_task(cockpit, at=NOON)
    text = show(cockpit, now=NOON + timedelta(hours=1), show=["moved", "asa"])
    heads = text.partition("<thead>")[2].partition("</thead>")[0]
    assert heads.count("<th") == 3
    assert "Average speed of answer: waits since entering the queue" in text


def test_rows_are_sorted_by_a_column(cockpit: Cockpit) -> None:
    other = factories.queue(cockpit.workspace, friendly_name="Another")
    for _ in range(2):
        answer_task(cockpit, at=NOON)
    cockpit.task(routing_target=other.sid, now=NOON)
    now = NOON + timedelta(hours=1)
    for sort, first in (("", "Another"), ("-answered", "Chats"), ("answered", "Another")):
        text = show(cockpit, now=now, sort=sort).partition("<tbody>")[2]
        assert text.index(first) < text.index({"Another": "Chats"}.get(first, "Another"))


def test_queues_are_separate_workspaces_too(cockpit: Cockpit) -> None:
    elsewhere = factories.workspace()
    queue = factories.queue(elsewhere, friendly_name="Far away")
    factories.task(elsewhere, workflow=factories.workflow(elsewhere, default=queue), now=NOON)
    report = load(cockpit, now=NOON + timedelta(hours=1))
    assert report["rows"] == []
    report = load(cockpit, now=NOON + timedelta(hours=1), queue=queue.sid)
    assert report["total"]["figures"]["entered"] == 0
    assert "Far away" not in show(cockpit, now=NOON + timedelta(hours=1), queue=queue.sid)
    cell = {"measure": "entered", "start": "2026-03-02T00:00Z", "end": "2026-03-03T00:00Z"}
    found = load(cockpit, "cell", now=NOON + timedelta(hours=1), queue=queue.sid, **cell)
    assert (found["count"], found["tasks"]) == (0, [])


def test_a_queue_that_was_deleted_keeps_its_figures_and_its_last_name(cockpit: Cockpit) -> None:
    answer_task(cockpit, at=NOON)
    models.Task.objects.all().delete()
    models.Lane.objects.all().delete()
    models.Workflow.objects.filter(workspace=cockpit.workspace).delete()
    models.TaskQueue.objects.filter(pk=cockpit.queue.pk).delete()
    report = load(cockpit, now=NOON + timedelta(hours=1))
    (row,) = report["rows"]
    assert row["queue"] == {"sid": cockpit.queue.sid, "name": "Chats (deleted)"}
    assert row["figures"]["answered"] == 1


def test_tasks_behind_an_old_figure_were_forgotten_and_the_figure_stays(
    cockpit: Cockpit, settings: Any
) -> None:
    answer_task(cockpit, at=NOON)
    keep_books(NOON + timedelta(hours=1))
    later = NOON + timedelta(days=40)
    housekeeping.delete_old_rows(now=later)
    query = {"window": "2026-03-02..2026-03-02"}
    assert load(cockpit, now=later, **query)["total"]["figures"]["answered"] == 1
    cell = {"measure": "answered", "start": "2026-03-02T00:00Z", "end": "2026-03-03T00:00Z"}
    text = show(cockpit, "cell", now=later, **cell)
    assert "the tasks from before 2026-03-12 12:00 were forgotten" in text
    assert "No task is kept of this figure." in text
    assert "Answered: 1" in text
    settings.FIGURES_RETENTION_DAYS = 35
    assert "Figures are kept for 35 days" in show(cockpit, now=later, **query)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"window": "yesteryear"}, "is no window of a report"),
        ({"window": "2026-02-30..2026-03-01"}, "is no window of a report"),
        ({"window": "2026-03-02..2026-03-01"}, "is no window of a report"),
        ({"window": "dates", "from": "x", "to": "y"}, "is no window of a report"),
        ({"step": "minute"}, "is none of the values"),
        ({"by": "weather"}, "is none of the values"),
        ({"compare": "2d"}, "is none of the values"),
        ({"tz": "Mars/Olympus"}, "There is no time zone"),
        ({"queue": "WQ1"}, "is no SID"),
        ({"colour": "red"}, "is no filter of this page"),
        ({"window": "2025-12-01..2026-03-01", "step": "15m"}, "at most 31 days"),
        ({"window": "2020-01-01..2026-03-01"}, "at most 31 days"),
    ],
)
def test_what_is_malformed_is_named_and_ignored(
    cockpit: Cockpit, query: dict[str, str], said: str
) -> None:
    assert said in show(cockpit, now=NOON, **query)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"measure": "entered"},
        {"measure": "entered", "start": "2026-03-02T00:00Z", "end": "2026-03-02T00:00Z"},
        {"measure": "no", "start": "2026-03-02T00:00Z", "end": "2026-03-03T00:00Z"},
        {"measure": "entered", "start": "9999-12-31T00:00Z", "end": "9999-12-31T01:00Z"},
    ],
)
def test_an_address_of_no_cell_is_not_found(cockpit: Cockpit, query: dict[str, str]) -> None:
    assert cockpit.get("reports/cell", **query).status_code == 404


@pytest.mark.parametrize(
    ("query", "step", "days", "is_cut"),
    [
        ({"window": "2026-01-01..2026-01-31", "step": "15m"}, Step.QUARTER, 31, False),
        ({"window": "2026-01-01..2026-02-01", "step": "15m"}, Step.DAY, 32, True),
        ({"window": "2025-01-01..2026-02-04"}, Step.DAY, 400, False),
        ({"window": "2020-01-01..2026-02-04"}, Step.DAY, 400, True),
        ({"window": "7d"}, Step.DAY, 7, False),
        ({"window": "28d"}, Step.DAY, 28, False),
        ({"window": "yesterday"}, Step.HOUR, 1, False),
        ({"window": "24h"}, Step.HOUR, 1, False),
        ({"window": "2026-03-01..2300-01-01"}, Step.HOUR, 2, False),
    ],
)
def test_windows_have_limits_by_the_length_of_intervals(
    query: dict[str, str], step: Step, days: int, is_cut: bool
) -> None:
    given = {name: [value] for name, value in query.items()}
    parsed, faults = parse_report(given, workspace="WS", dimensions=DIMENSIONS)
    window = find_window(parsed, Calendar(UTC), now=NOON)
    assert (window.step, window.is_cut, faults) == (step, is_cut, [])
    assert (window.span.end - window.span.start) == days * 24 * 60
    assert len(window.split()) <= 2_976


def test_a_query_reads_the_same_after_it_was_written() -> None:
    given = {
        "by": ["interval,queue"],
        "window": ["dates"],
        "from": ["2026-03-01"],
        "to": ["2026-03-02"],
        "queue": ["WQ" + "0" * 32],
        "compare": ["1w"],
        "show": ["asa", "answered"],
        "sort": ["-asa"],
        "tz": ["Asia/Kathmandu"],
    }
    query, faults = parse_report(given, workspace="WS1", dimensions=DIMENSIONS)
    assert not faults
    written: dict[str, list[str]] = {}
    for name, value in query.list_pairs():
        written.setdefault(name, []).append(value)
    assert parse_report(written, workspace="WS1", dimensions=DIMENSIONS) == (query, [])
    assert query.window == "2026-03-01..2026-03-02"


def test_charts_are_drawn_with_a_table_beside_them(cockpit: Cockpit) -> None:
    answer_task(cockpit, at=NOON)
    task = cockpit.task(workflow=cockpit.workflow, now=NOON)
    task_transitions.cancel_task(
        task=task, reason="left", actor=CUSTOMER, now=NOON + timedelta(seconds=9)
    )
    text = show(cockpit, now=NOON + timedelta(hours=1), by="interval")
    assert text.count("<figure") == 4
    assert "2 stays ended, 1 of them by an answer." in text
    assert "The service level of the whole window is 50.0 %." in text
    assert 'style="' not in text.partition("<main")[2]
    assert text.count('<a class="fine" href="#report-table">') == 4


def test_an_axis_ends_at_a_round_number() -> None:
    values = (0, 0.3, 1, 7, 10, 11, 49, 51, 1_000, 1_001)
    assert [charts.find_top(one) for one in values] == [1, 0.5, 1, 10, 10, 20, 50, 100, 1000, 2000]
    drawn = charts.draw_bars(
        Chart(name="x", title="x", caption=""), ["a", "b"], [[("x", 5, "")], [("x", 10, "")]]
    )
    assert drawn.parts[1].height == 2 * drawn.parts[0].height


def test_a_report_has_its_own_usual_window(cockpit: Cockpit) -> None:
    for name, days in (("service", 1), ("staffing", 28)):
        window = load(cockpit, name, now=NOON)["window"]
        start = datetime.fromisoformat(window["start"])
        assert NOON.date() - start.date() == timedelta(days=days if days > 1 else 0)
    assert "Compare with" not in show(cockpit, "alerts", now=NOON)


def test_every_report_says_what_it_answers(cockpit: Cockpit) -> None:
    for name, report in REPORTS.items():
        assert str(report.about) in show(cockpit, name, now=NOON).replace("&#x27;", "'")


def test_a_user_gets_so_many_reports_a_minute_and_then_is_told_when(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supervisors.reports.limits.MOST_A_MINUTE", 4)
    query = {
        "workspace": cockpit.workspace.sid,
        "measure": "answered",
        "start": "2026-03-02T00:00Z",
        "end": "2026-03-03T00:00Z",
    }
    client = cockpit.people["member"]
    with time_machine.travel(NOON + timedelta(seconds=18), tick=False):
        for path in ("service", "service.csv", "cell", "cell.csv"):
            assert client.get(f"/supervisor/reports/{path}", query).status_code == 200
        assert client.get("/supervisor/reports/cell", query).status_code == 429
        refused = client.get("/supervisor/reports/agents", query)
        assert (refused.status_code, refused["Retry-After"]) == (429, "42")
        assert "Try again in 42 seconds" in refused.content.decode()
        accept = {"Accept": "application/json"}
        told = client.get("/supervisor/reports/agents", query, headers=accept).json()
        assert "Try again in 42 seconds" in told["message"]
        # Each user has their own number.
        assert cockpit.people["superuser"].get("/supervisor/reports", query).status_code == 200
    with time_machine.travel(NOON + timedelta(seconds=60), tick=False):
        assert client.get("/supervisor/reports/agents", query).status_code == 200


def test_percentiles_are_exact_for_few_answers_and_marked_where_they_are_estimated(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wait in (11, 12, 13, 29):
        answer_task(cockpit, at=NOON, wait=wait)
    now = NOON + timedelta(hours=1)

    def read_percentiles() -> tuple[int, int]:
        figures = load(cockpit, now=now)["total"]["figures"]
        return figures["wait_p50"], figures["wait_p90"]

    assert read_percentiles() == (12_000, 29_000)
    assert "≈" not in show(cockpit, now=now)
    monkeypatch.setattr("routing.statistics.exact_waits.MOST_EXACT", 3)
    assert read_percentiles() != (12_000, 29_000)
    page = show(cockpit, now=now)
    assert "≈ Wait p90" in page
    assert "at most 3 answers" in page
    monkeypatch.undo()
    # Of a window whose events are forgotten in part, they are estimated too.
    later = NOON + timedelta(days=30, hours=13)
    assert "≈ Wait p90" in show(cockpit, now=later, window="2026-03-02..2026-03-03")


def test_a_report_gives_up_while_others_are_built(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "WAIT_SECONDS", 0)
    query = {"workspace": cockpit.workspace.sid}
    client = cockpit.people["member"]
    with limits._building, limits._building:
        refused = client.get("/supervisor/reports/service", query)
        assert (refused.status_code, refused["Retry-After"]) == (503, "5")
        assert "Try again in 5 seconds" in refused.content.decode()
    assert client.get("/supervisor/reports/service", query).status_code == 200
