"""The reports Agents, Occupancy, Staffing and Picking by hand, beside naive recomputations."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import pytest
import time_machine
from django.db import connection

from routing import models
from routing.actions import offers, reservations
from routing.actors import SYSTEM
from routing.statistics import bookkeeper, slot_figures
from routing.statistics.bookkeeper import floor_minute
from tests import factories
from tests.statistics.naive_reports import DEFAULT, mean, share
from tests.statistics.naive_slots import NaiveSlots
from tests.statistics.test_books import read_log
from tests.supervisors.conftest import Cockpit
from tests.supervisors.test_report_figures import Floor, floor
from tests.supervisors.test_reports import NOON, answer_task, load, read_file, show

__all__ = ["floor"]

pytestmark = pytest.mark.django_db(transaction=connection.vendor == "postgresql")

OFFERS = ("offers", "accepted", "rejected", "missed", "rescinded", "canceled_offers")


def write_slots(workspace: models.Workspace, now: datetime) -> int:
    """Write all slot figures up to a moment; return its quarter in milliseconds."""
    end = floor_minute(now)
    while True:
        mark = bookkeeper.find_or_create_bookmark(workspace)
        mark.refresh_from_db()
        if not slot_figures.write_workspace(mark, end=end):
            return end * 60_000


class NaiveAgents:
    """The figures of agents by the naive books and slots."""

    def __init__(self, floor: Floor, until_ms: int) -> None:
        log = [
            event
            for event in read_log(floor.day.workspace)
            if int(event["event_date_ms"]) < until_ms
        ]
        self.slots = NaiveSlots(log, until_ms=until_ms)
        self.books = floor.books

    def count(self, worker: str | None, measure: str, origin: str | None = None) -> int:
        return sum(
            number
            for (_, who, _channel, name, by), number in self.books.workers.items()
            if worker in (None, who) and name == measure and origin in (None, by)
        )

    def slot(self, worker: str | None, what: str, *, own: bool = False) -> float:
        return sum(
            ms
            for (_, who, channel, name), ms in self.slots.cells.items()
            if worker in (None, who) and name == what and own == (channel == "")
        )

    def is_active(self, quarter: int, worker: str) -> bool:
        """Return whether a worker was there or had a task; other quarters have no row."""
        return any(
            ms
            for (when, who, _, what), ms in self.slots.cells.items()
            if (when, who) == (quarter, worker) and what in ("busy", "free", "offered")
        )

    def figures(self, worker: str | None) -> dict[str, Any]:
        handled, wrapped = self.count(worker, "handled"), self.count(worker, "wrapped")
        push = [self.count(worker, name, "push") for name in ("accepted", "rejected", "missed")]
        busy, idle = (round(self.slot(worker, name, own=True)) for name in ("busy", "free"))
        slots_busy, free = (round(self.slot(worker, name)) for name in ("busy", "free"))
        found: dict[str, Any] = {name: self.count(worker, name) for name in OFFERS}
        found |= {
            name: self.count(worker, name)
            for name in ("handled", "answered", "taken_back", "deleted_work")
        }
        return found | {
            "aht": self.count(worker, "handled_ms") // handled if handled else None,
            "wrap_up_time": self.count(worker, "wrapping_ms") // wrapped if wrapped else None,
            "accept_rate": share(push[0], sum(push)),
            "in_hand": busy,
            "idle": idle,
            "busy_share": share(busy, busy + idle),
            "slot_occupancy": share(slots_busy, slots_busy + free),
            "concurrency": slots_busy / busy if busy else None,
        }


def test_every_cell_of_agents_equals_the_naive_recomputation(floor: Floor) -> None:
    until_ms = write_slots(floor.day.workspace, floor.day.now)
    naive = NaiveAgents(floor, until_ms)
    report = floor.load("agents")
    assert len(report["rows"]) >= 8
    for row in [*report["rows"], report["total"]]:
        sid = row["agent"]["sid"] if "agent" in row else None
        expected, figures = naive.figures(sid), row["figures"]
        concurrency = expected.pop("concurrency")
        assert {name: figures[name] for name in expected} == expected
        assert figures["concurrency"] == pytest.approx(concurrency)
        if sid:
            spent = Counter[str]()
            for (quarter, who, activity), ms in naive.slots.activities.items():
                if who == sid and naive.is_active(quarter, who):
                    spent[activity] += ms
            for activity, ms in spent.items():
                assert figures[f"in_{activity.lower()}"] == ms
    efforts = naive.slot(None, "effort")
    handled = report["total"]["figures"]["handled"]
    assert report["total"]["figures"]["effort"] * handled == pytest.approx(efforts, rel=0.001)


def test_days_of_agents_add_up_to_the_agents(floor: Floor) -> None:
    write_slots(floor.day.workspace, floor.day.now)
    by_agent, by_day = floor.load("agents"), floor.load("agents", by="interval,agent", step="hour")
    for name in ("handled", "missed", "rejected", "answered", "in_hand", "idle"):
        for row in by_agent["rows"]:
            parts = [
                each["figures"][name] for each in by_day["rows"] if each["agent"] == row["agent"]
            ]
            assert sum(parts) == row["figures"][name]
        total = by_agent["total"]["figures"][name]
        assert sum(row["figures"][name] for row in by_agent["rows"]) == total


def test_every_cell_of_occupancy_equals_the_naive_recomputation(floor: Floor) -> None:
    naive = NaiveAgents(floor, write_slots(floor.day.workspace, floor.day.now)).slots
    report = floor.load("occupancy", by="interval", step="15m")
    for row in report["rows"]:
        quarter = int(datetime.fromisoformat(row["interval"]["start"]).timestamp()) // 900
        for name in ("busy", "free", "offered"):
            there = sum(
                ms
                for (when, _, channel, what), ms in naive.cells.items()
                if (when, what) == (quarter, name) and channel
            )
            assert row["figures"][name] == pytest.approx(there)
    by_channel = floor.load("occupancy", by="channel")
    for row in by_channel["rows"]:
        there = sum(
            ms
            for (_, _, channel, what), ms in naive.cells.items()
            if (channel, what) == (row["channel"]["sid"], "busy")
        )
        assert row["figures"]["busy"] == pytest.approx(there)
    for name in ("busy", "free", "offered", "closed"):
        sums = [sum(row["figures"][name] for row in r["rows"]) for r in (report, by_channel)]
        assert sums == [report["total"]["figures"][name]] * 2


def test_every_cell_of_staffing_equals_the_naive_recomputation(floor: Floor) -> None:
    naive = NaiveAgents(floor, write_slots(floor.day.workspace, floor.day.now))
    now = floor.day.now
    report = floor.load("staffing")
    hours = {(row["weekday"]["name"], row["hour"]["name"]): row for row in report["rows"]}
    start = datetime.fromisoformat("2026-03-02T00:00+00:00")
    checked = 0
    while start + timedelta(hours=1) <= now:
        row = hours[f"{start:%A}", f"{start:%H:%M}"]["figures"]
        quarters = range(int(start.timestamp()) // 900, int(start.timestamp()) // 900 + 4)
        entered = sum(
            number
            for (when, queue, _, name, _by), number in naive.books.queues.items()
            if when in quarters and queue and name == "entered"
        )
        free = sum(
            ms
            for (when, _, channel, what), ms in naive.slots.cells.items()
            if when in quarters and channel and what == "free"
        )
        assert (row["hours"], row["mean_entered"]) == (1, entered)
        assert row["mean_free"] == pytest.approx(free / 3_600_000)
        checked += 1
        start += timedelta(hours=1)
    assert checked == len(hours)


def test_means_of_staffing_are_over_the_hours_that_are_over(cockpit: Cockpit) -> None:
    for weeks, tasks in ((0, 3), (1, 1)):
        for _ in range(tasks):
            answer_task(cockpit, at=NOON - timedelta(weeks=weeks))
    answer_task(cockpit, at=NOON + timedelta(hours=2))
    report = load(
        cockpit,
        "staffing",
        now=NOON + timedelta(hours=2, minutes=30),
        window="2026-02-23..2026-03-02",
    )
    hours = {
        (row["weekday"]["name"], row["hour"]["name"]): row["figures"] for row in report["rows"]
    }
    assert hours["Monday", "12:00"]["hours"] == 2
    assert hours["Monday", "12:00"]["mean_entered"] == 2.0
    assert hours["Monday", "14:00"]["hours"] == 1, "this Monday’s is not over"
    text = show(cockpit, "staffing", now=NOON + timedelta(hours=2), window="2026-02-23..2026-03-02")
    assert 'class="shade shade--5">2.0<' in text


def load_hours(cockpit: Cockpit, **query: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the rows of *Staffing*, by weekday and hour."""
    report = load(cockpit, "staffing", now=NOON + timedelta(hours=2), **query)
    return {(row["weekday"]["name"], row["hour"]["name"]): row for row in report["rows"]}


def test_staffing_is_compared_with_the_same_hours_of_the_window_before(cockpit: Cockpit) -> None:
    # On the last four Mondays 4, 3, 2 and 1 tasks, and on the day before the last one 7.
    for days, tasks in ((0, 4), (7, 3), (14, 2), (21, 1), (1, 7)):
        for _ in range(tasks):
            answer_task(cockpit, at=NOON - timedelta(days=days))
    two_weeks = {"window": "2026-02-17..2026-03-02"}
    hour = load_hours(cockpit, compare="1w", **two_weeks)["Monday", "12:00"]
    assert (hour["figures"]["mean_entered"], hour["before"]["mean_entered"]) == (3.5, 2.5)
    # A day before, these are still Mondays, but without the last one.
    hour = load_hours(cockpit, compare="1d", **two_weeks)["Monday", "12:00"]
    assert hour["before"]["mean_entered"] == 2.5
    # One day alone is compared with the day before.
    hour = load_hours(cockpit, compare="1d", window="today")["Monday", "12:00"]
    assert (hour["figures"]["mean_entered"], hour["before"]["mean_entered"]) == (4, 7)
    now = NOON + timedelta(hours=2)
    assert "before: 7.00" in show(cockpit, "staffing", now=now, compare="1d", window="today")


def test_three_chats_at_once_have_the_figures_computed_by_hand(cockpit: Cockpit) -> None:
    for name in ("default", "sms", "voice", "video"):
        factories.set_capacity(cockpit.ada, name, available=False)
    tasks = [cockpit.task(workflow=cockpit.workflow, now=NOON) for _ in range(3)]
    held = [offers.grab_task(task=t, worker=cockpit.ada, actor=SYSTEM, now=NOON) for t in tasks]
    for each in held:
        reservations.complete_reservation(
            reservation=each, actor=SYSTEM, now=NOON + timedelta(hours=1)
        )
    now = NOON + timedelta(hours=2, minutes=1)
    load(cockpit, "agents", now=now)
    write_slots(cockpit.workspace, now)
    report = load(cockpit, "agents", now=now, agent=cockpit.ada.sid)
    figures = next(r for r in report["rows"] if r["agent"]["name"] == "Ada")["figures"]
    assert figures["aht"] == 3_600_000
    assert figures["effort"] == 1_200_000
    assert figures["busy_share"]["percent"] == 50.0
    assert figures["concurrency"] == 3.0
    assert figures["slot_occupancy"]["percent"] == 50.0, "3 of 3 slots, then none of 3"
    assert figures["in_hand"] == figures["idle"] == 3_600_000


def test_without_multitasking_slots_have_no_figures(cockpit: Cockpit) -> None:
    models.Workspace.objects.update(multi_task_enabled=False)
    report = load(cockpit, "agents", now=NOON)
    names = {column["name"] for column in report["columns"]}
    assert "busy_share" in names
    assert "slot_occupancy" not in names
    assert any("Multitasking is off" in note for note in report["notes"])


def test_slots_are_known_until_the_last_quarter_that_is_written(cockpit: Cockpit) -> None:
    answer_task(cockpit, at=NOON)
    load(cockpit, "occupancy", now=NOON + timedelta(minutes=20))
    write_slots(cockpit.workspace, NOON + timedelta(minutes=16))
    text = show(cockpit, "occupancy", now=NOON + timedelta(minutes=20))
    assert "Slots and activities are known until 2026-03-02 12:15." in text


def grab(cockpit: Cockpit, task: models.Task, after: float) -> None:
    now = NOON + timedelta(seconds=after)
    offers.grab_task(task=task, worker=cockpit.ada, actor=SYSTEM, now=now)


def test_grabs_are_told_apart_by_what_waited_before_them(cockpit: Cockpit) -> None:
    factories.set_capacity(cockpit.ada, configured_capacity=50)
    alike = [
        cockpit.task(workflow=cockpit.workflow, now=NOON + timedelta(seconds=n)) for n in range(10)
    ]
    grab(cockpit, alike[9], 20)  # nine alike waited before it
    grab(cockpit, alike[0], 21)  # the oldest
    factories.set_capacity(cockpit.ada, "sms", configured_capacity=5)
    other = cockpit.task(workflow=cockpit.workflow, channel="sms", now=NOON + timedelta(seconds=30))
    grab(cockpit, other, 40)  # older ones of its queue wait, on another lane
    now = NOON + timedelta(hours=1)
    report = load(cockpit, "picking", now=now)
    (row,) = report["rows"]
    assert (row["agent"]["name"], row["queue"]["name"]) == ("Ada", "Chats")
    wanted = {"grabs": 3, "in_order": 1, "out_of_order": 1, "maybe": 1, "median_passed_over": 9}
    assert {name: row["figures"][name] for name in wanted} == wanted
    assert row["figures"]["grab_policy"] == "Any"
    with time_machine.travel(now, tick=False):
        page = cockpit.read("reports/picking")
        cells = re.findall(r'<a href="(/supervisor/reports/cell[^"]*)">(\d+)<', page)
        assert len(cells) >= 4
        for address, said in cells:
            answer = cockpit.people["member"].get(
                address.replace("&amp;", "&"), headers={"Accept": "application/json"}
            )
            assert len(answer.json()["tasks"]) == answer.json()["count"] == int(said)


def test_tasks_that_were_passed_over_are_followed_to_their_end(cockpit: Cockpit) -> None:
    factories.set_capacity(cockpit.ada, configured_capacity=50)
    alike = [
        cockpit.task(workflow=cockpit.workflow, now=NOON + timedelta(seconds=n)) for n in range(4)
    ]
    grab(cockpit, alike[3], 20)  # three are passed over, and the first again
    grab(cockpit, alike[1], 30)  # within the target of a minute
    report = load(cockpit, "picking", now=NOON + timedelta(seconds=32))["total"]["figures"]
    assert (report["longest_passed_over"], report["passed_over_late"]) == (32_000, 0)
    grab(cockpit, alike[0], 90)  # too late
    report = load(cockpit, "picking", now=NOON + timedelta(minutes=10))
    for figures in (report["rows"][0]["figures"], report["total"]["figures"]):
        assert (figures["grabs"], figures["out_of_order"]) == (3, 2)
        # The third one waits still.
        assert (figures["longest_passed_over"], figures["passed_over_late"]) == (598_000, 2)


def test_all_tasks_that_a_grab_passed_over_are_followed(cockpit: Cockpit) -> None:
    factories.set_capacity(cockpit.ada, configured_capacity=50)
    alike = [cockpit.task(workflow=cockpit.workflow, now=NOON) for _ in range(25)]
    grab(cockpit, alike[24], 10)
    for task in alike[:23]:
        grab(cockpit, task, 20)
    grab(cockpit, alike[23], 90)  # the only one that is late
    now = NOON + timedelta(hours=1)
    figures = load(cockpit, "picking", now=now)["total"]["figures"]
    assert (figures["longest_passed_over"], figures["passed_over_late"]) == (90_000, 1)
    assert figures["grabs_cut"] == 0
    # An earlier release named the first 20 alone, and tasks are counted up to 100.
    event = models.Event.objects.get(event_data__grab_ahead="24")
    named = event.event_data["grab_passed_over"].split()
    for number, names, cut in ((24, named[:20], 1), (100, named, 1), (24, named, 0)):
        event.event_data |= {"grab_ahead": str(number), "grab_passed_over": " ".join(names)}
        event.save(update_fields=["event_data"])
        assert load(cockpit, "picking", now=now)["total"]["figures"]["grabs_cut"] == cut
        words = "1 grab passed over more tasks than are followed"
        assert (words in show(cockpit, "picking", now=now)) == bool(cut)


def test_picking_is_compared_with_the_window_before(cockpit: Cockpit) -> None:
    factories.set_capacity(cockpit.ada, configured_capacity=50)
    for days in (0, 1):
        noon = NOON - timedelta(days=days)
        alike = [cockpit.task(workflow=cockpit.workflow, now=noon) for _ in range(3)]
        for task in alike if days == 0 else reversed(alike):
            grab(cockpit, task, 10 - days * 86_400)
    now = NOON + timedelta(hours=1)
    report = load(cockpit, "picking", now=now, compare="1d")
    for row in (report["rows"][0], report["total"]):
        both = [
            {name: row[when][name] for name in ("in_order", "out_of_order")}
            for when in ("figures", "before")
        ]
        assert both == [{"in_order": 3, "out_of_order": 0}, {"in_order": 1, "out_of_order": 2}]
    assert "before: 2" in show(cockpit, "picking", now=now, compare="1d")
    with time_machine.travel(now, tick=False):
        header, line = read_file(cockpit.get("reports/picking.csv", compare="1d"))
    cells = dict(zip(header, line, strict=True))
    assert (cells["out_of_order"], cells["before: out_of_order"]) == ("0", "2")


def test_every_cell_of_picking_equals_the_naive_recomputation(floor: Floor) -> None:
    grabs: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for event in read_log(floor.day.workspace):
        data = event["event_data"]
        if event["event_type"] == "reservation.accepted" and "grab_ahead" in data:
            key = (data["worker_sid"], data.get("task_queue_sid") or "")
            grabs.setdefault(key, []).append((int(data["grab_ahead"]), int(data["grab_older"])))
    report = floor.load("picking")
    assert len(report["rows"]) == len(grabs) >= 3
    for row in report["rows"]:
        of_row = grabs[row["agent"]["sid"], row["queue"]["sid"] or ""]
        ahead = [before for before, _ in of_row if before]
        figures = row["figures"]
        assert figures["grabs"] == len(of_row)
        assert figures["out_of_order"] == len(ahead)
        assert figures["maybe"] == sum(not a and o > 0 for a, o in of_row)
        assert figures["in_order"] == sum(a == o == 0 for a, o in of_row)
        assert figures["median_passed_over"] == (median(ahead) if ahead else None)
        waits = follow_passed(floor, row["agent"]["sid"], row["queue"]["sid"] or "")
        assert figures["longest_passed_over"] == max((wait for wait, _ in waits), default=None)
        late = sum(is_late for _, is_late in waits)
        assert figures["passed_over_late"] == (None if ahead and not waits else late)


def follow_passed(floor: Floor, worker: str, queue: str) -> list[tuple[int, bool]]:
    """Return how long tasks waited that an agent passed over in a queue, and whether too long."""
    begun: dict[str, dict[str, int]] = {}
    passed: set[str] = set()
    waits: dict[str, tuple[int, bool]] = {}
    now_ms = int(floor.day.now.timestamp() * 1000 + 0.0005)

    def judge(sid: str, at: int, place: tuple[str, str]) -> tuple[int, bool]:
        target = floor.targets.get(place, DEFAULT)
        wait = at - begun[sid][target["clock"]]
        return wait, wait > target["threshold"] * 1000

    for event in read_log(floor.day.workspace):
        data, at = event["event_data"], int(event["event_date_ms"])
        sid, kind = data.get("task_sid") or "", event["event_type"]
        own = begun.setdefault(sid, {"creation": at})
        if kind == "task-queue.entered":
            own["queue"] = at
        if kind in ("reservation.accepted", "task.canceled") and sid in passed - waits.keys():
            waits[sid] = judge(sid, at, (data["task_queue_sid"], data["task_channel_sid"]))
        if "grab_passed_over" in data and (data["worker_sid"], data["task_queue_sid"]) == (
            worker,
            queue,
        ):
            passed |= set(data["grab_passed_over"].split())
    for sid in passed - waits.keys():
        task = floor.books.tasks[sid]
        if task.waits and models.Task.objects.filter(sid=sid).exists():
            waits[sid] = judge(sid, now_ms, (task.queue, task.channel))
    return list(waits.values())


def test_cells_of_staffing_open_the_tasks_of_their_hours(cockpit: Cockpit) -> None:
    models.Workspace.objects.update(time_zone="Europe/Berlin")
    for days, tasks in ((0, 2), (7, 3), (1, 1)):
        for _ in range(tasks):
            answer_task(cockpit, at=NOON - timedelta(days=days))
    cockpit.task(routing_target=cockpit.ada.sid, now=NOON)  # in no queue
    now = NOON + timedelta(hours=2, minutes=7)
    text = show(cockpit, "staffing", now=now, window="2026-02-23..2026-03-02")
    cells = re.findall(r'<a href="(/supervisor/reports/cell[^"]*)">([\d.]+)<', text)
    assert [mean for _, mean in cells] == ["2.50", "2.50", "1.00", "1.00"]
    with time_machine.travel(now + timedelta(days=1), tick=False):
        for (address, _), number in zip(cells, (5, 5, 1, 1), strict=True):
            answer = cockpit.people["member"].get(
                address.replace("&amp;", "&"), headers={"Accept": "application/json"}
            )
            assert len(answer.json()["tasks"]) == answer.json()["count"] == number
        page = cockpit.people["member"].get(cells[0][0].replace("&amp;", "&")).content.decode()
    assert "Monday 13:00" in page
    for query in ({"weekday": "0"}, {"hour": "13:00"}, {"weekday": "7", "hour": "13:00"}):
        span = {"start": "2026-03-02T00:00Z", "end": "2026-03-03T00:00Z", "measure": "entered"}
        assert cockpit.get("reports/cell", **span, **query).status_code == 404


@pytest.mark.parametrize("name", ["agents", "picking"])
def test_cells_of_agents_open_as_many_tasks_as_they_say(floor: Floor, name: str) -> None:
    workspace = floor.day.workspace.sid
    names = [column["name"] for column in floor.load(name)["columns"]]
    shown = "&".join(f"show={each}" for each in names)
    page = floor.client.get(
        f"/supervisor/reports/{name}?workspace={workspace}&window=2026-03-02..2026-03-04&{shown}"
    ).content.decode()
    cells = re.findall(r'<a href="(/supervisor/reports/cell[^"]*)">([^<]*)<', page)
    assert len(cells) > 10
    for address, said in cells:
        listed, place = 0, ""
        while place is not None:
            found = floor.follow(f"{address.replace('&amp;', '&')}&after={place}")
            listed, place = listed + len(found["tasks"]), found["next"]
        assert listed == found["count"], address
        if said.isdigit():
            assert listed == int(said), address


def test_averages_are_none_without_anything(cockpit: Cockpit) -> None:
    assert mean([]) is None
    report = load(cockpit, "agents", now=NOON)
    assert report["total"]["figures"]["aht"] is None
