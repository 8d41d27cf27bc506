"""The days of an agent before today: their time line, its hours, and figures by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from routing import models
from routing.actions import offers, reservations, workers
from routing.actors import SYSTEM, Actor
from routing.models.figures import QUARTER
from routing.statistics import bookkeeper, slot_figures
from supervisors import fragments
from tests import factories
from tests.supervisors.conftest import Cockpit

# Slot times are written of what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


def at(days_ago: int, hour: int, minute: int = 0) -> datetime:
    """Return a moment of a day in UTC."""
    day = timezone.now().astimezone(UTC) - timedelta(days=days_ago)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def grab(cockpit: Cockpit, title: str, accepted: datetime) -> models.Reservation:
    """Let Ada grab a new task."""
    task = cockpit.task(workflow=cockpit.workflow, attributes={"title": title}, now=accepted)
    return offers.grab_task(task=task, worker=cockpit.ada, actor=SYSTEM, now=accepted)


def complete(held: models.Reservation, now: datetime) -> None:
    """Complete a task."""
    held.refresh_from_db()
    reservations.complete_reservation(reservation=held, actor=SYSTEM, now=now)


def read(cockpit: Cockpit, panel: str, **query: Any) -> str:
    """Return a panel of Ada's page, in UTC."""
    fragments.forget_fragments()
    return cockpit.read(f"panels/{panel}", worker=cockpit.ada.sid, tz="UTC", **query)


def test_another_day_shows_its_tasks_and_those_that_went_on_over_midnight(
    cockpit: Cockpit,
) -> None:
    long = grab(cockpit, "Three days", at(3, 20))
    complete(grab(cockpit, "One hour", at(2, 9)), at(2, 10))
    complete(long, at(1, 8))
    grab(cockpit, "Still here", at(3, 21))
    day = f"{at(2, 0):%Y-%m-%d}"
    table = read(cockpit, "timeline", day=day).split('id="timeline-table"')[1]
    rows = {part.split("<bdi>")[1].split("<")[0]: part for part in table.split("<tr>")[2:]}
    assert f"{day} 09:00:00" in rows["One hour"]
    assert f"{day} 10:00:00" in rows["One hour"]
    for name in ("Three days", "Still here"):
        assert f"{day} 00:00:00" in rows[name]
        assert "In hand all day" in rows[name]
    assert ">now<" not in table
    evening = read(cockpit, "timeline", day=f"{at(3, 0):%Y-%m-%d}")
    assert "In hand at midnight" in evening
    assert "One hour" not in evening


def test_the_activity_of_another_day_is_the_one_before_the_next_change(cockpit: Cockpit) -> None:
    lunch = factories.activity(cockpit.workspace, "Lunch")
    models.Worker.objects.filter(pk=cockpit.ada.pk).update(date_created=at(9, 0))
    workers.set_activity(worker=cockpit.ada, activity=lunch, actor=SYSTEM, now=at(1, 12))
    day = read(cockpit, "timeline", day=f"{at(2, 0):%Y-%m-%d}")
    assert "Available" in day
    assert "Lunch" not in day
    assert "Lunch" in read(cockpit, "timeline", day=f"{at(1, 0):%Y-%m-%d}")


def test_a_zoom_shows_the_hours_that_the_address_names(cockpit: Cockpit) -> None:
    complete(grab(cockpit, "Early", at(2, 9)), at(2, 10))
    complete(grab(cockpit, "Late", at(2, 15)), at(2, 16))
    day = f"{at(2, 0):%Y-%m-%d}"
    whole = read(cockpit, "timeline", day=day)
    assert "hours=8-10" in whole, "each hour leads to its zoom"
    zoomed = read(cockpit, "timeline", day=day, hours="14-16")
    assert "Late" in zoomed
    assert "Early" not in zoomed
    assert "Show the whole day" in zoomed
    faulty = cockpit.read(f"agents/{cockpit.ada.sid}", hours="16-14", day="tomorrow")
    assert "are no hours of a day" in faulty
    assert "is no day" in faulty


def test_a_day_of_which_events_are_forgotten_says_so(cockpit: Cockpit) -> None:
    assert "Events are kept for 30 days" in read(cockpit, "timeline", day="2020-01-01")


def test_the_past_has_figures_by_day(cockpit: Cockpit) -> None:
    factories.set_capacity(cockpit.ada, configured_capacity=1)
    for name in ("default", "sms", "voice", "video"):
        factories.set_capacity(cockpit.ada, name, configured_capacity=0)
    yesterday = at(1, 9)
    complete(grab(cockpit, "Grabbed", yesterday), yesterday + timedelta(minutes=15))
    task = cockpit.task(workflow=cockpit.workflow, now=yesterday + timedelta(minutes=20))
    factories.run(cockpit.workspace, yesterday + timedelta(minutes=20))
    reservations.reject_reservation(
        reservation=factories.reservation(task),
        actor=Actor(type="worker", sid=cockpit.ada.sid),
        now=yesterday + timedelta(minutes=21),
    )
    mark = bookkeeper.find_or_create_bookmark(cockpit.workspace)
    end = bookkeeper.floor_minute(yesterday) + 4 * QUARTER
    mark.slots_minute = end - 4 * QUARTER
    mark.save()
    slot_figures.write_workspace(mark, end=end)
    text = read(cockpit, "past")
    row = next(part for part in text.split("<tr>") if f">{yesterday:%Y-%m-%d}<" in part)
    cells = dict(part.split('">', 1) for part in row.split('data-label="')[1:])
    values = {name: value.split("<")[0] for name, value in cells.items()}
    assert values["Handled"] == "1"
    assert values["Handle time"] == "15:00"
    assert values["Effort per task"] == "15:00"
    assert values["Rejected"] == "1"
    assert values["Grabs in order"] == "1"
    assert values["Out of order"] == "0"
    assert values["Tasks at once"] == "1.0"
    assert values["Busy share"].startswith("2")


def test_the_past_shows_the_days_of_its_window_up_to_a_limit(cockpit: Cockpit) -> None:
    def days(**query: Any) -> int:
        return read(cockpit, "past", **query).count('<th scope="row"')

    assert days() == 7
    assert days(window="2026-01-01..2026-01-03") == 3
    assert days(window="2026-01-01..2026-06-01") == 31
    assert "The last 31 days of the window" in read(
        cockpit, "past", window="2026-01-01..2026-06-01"
    )
