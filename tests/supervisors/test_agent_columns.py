"""Agents in columns and groups: figures of the books, sorting by them, skills."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from routing.actions import offers, reservations, workspaces
from routing.actors import SYSTEM, Actor
from routing.models.figures import QUARTER
from routing.statistics import bookkeeper, slot_figures
from supervisors import agent_figures, fragments, pictures
from tests import factories
from tests.supervisors.conftest import Cockpit
from tests.supervisors.test_agents import names

# The bookkeeper counts only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)


def handle(cockpit: Cockpit, worker: Any, accepted: datetime, completed: datetime) -> None:
    """Let an agent grab a task and complete it."""
    task = cockpit.task(workflow=cockpit.workflow, now=accepted)
    held = offers.grab_task(task=task, worker=worker, actor=SYSTEM, now=accepted)
    reservations.complete_reservation(reservation=held, actor=SYSTEM, now=completed)


def count(cockpit: Cockpit, now: datetime) -> None:
    """Count all events, and write the slot times of the quarters that are over."""
    bookkeeper.keep_books(now=now, seconds=60)
    mark = bookkeeper.find_or_create_bookmark(cockpit.workspace)
    mark.slots_minute = bookkeeper.floor_minute(now) - 8 * QUARTER
    mark.save()
    slot_figures.write_workspace(mark, end=bookkeeper.floor_minute(now))
    agent_figures.forget_books()
    pictures.forget_pictures()
    fragments.forget_fragments()


@pytest.fixture
def afternoon(cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Return a moment of a day that began half a day ago."""
    now = timezone.now()
    begins = (now - timedelta(hours=12)).replace(minute=0)
    workspaces.update_workspace(
        workspace=cockpit.workspace,
        day_starts_at=f"{begins:%H:%M}",
        time_zone="UTC",
        actor=SYSTEM,
        now=now,
    )
    return now


def test_figures_of_the_day_are_columns_and_sort_the_rows(
    cockpit: Cockpit, afternoon: datetime
) -> None:
    now = afternoon
    eva = factories.worker(cockpit.workspace, "Eva", capacity={"chat": 2}, now=now)
    start = now - timedelta(hours=2)
    handle(cockpit, cockpit.ada, start, start + timedelta(minutes=4))
    for minutes in (10, 20):
        begin = start + timedelta(minutes=minutes)
        handle(cockpit, eva, begin, begin + timedelta(minutes=minutes / 10))
    count(cockpit, now)
    text = cockpit.read("panels/agents", show=["handled", "aht"], sort="handled")
    rows = text.split('<th scope="row">')[1:]
    assert "Eva" in rows[0]
    assert 'data-label="Handled today">2<' in rows[0]
    assert 'data-label="Handle time today">1:30<' in rows[0]
    assert 'data-label="Handle time today">4:00<' in rows[1]
    assert 'data-label="Handle time today">–<' in rows[2]
    assert names(cockpit, sort="aht") == ["Ada", "Eva", "Ben"]
    assert names(cockpit, sort="-aht") == ["Eva", "Ada", "Ben"], "without a figure: last"
    assert 'aria-sort="ascending"><a href="' in cockpit.read("panels/agents", sort="-in_hand")


def test_missed_and_rejected_offers_of_30_minutes_stand_apart(cockpit: Cockpit) -> None:
    now = timezone.now()
    ago = now - timedelta(minutes=5)
    cockpit.task(workflow=cockpit.workflow, now=ago)
    factories.run(cockpit.workspace, ago)
    offer = cockpit.ada.reservations.get(reservation_status="pending")
    reservations.reject_reservation(
        reservation=offer, actor=Actor(type="worker", sid=cockpit.ada.sid), now=ago
    )
    count(cockpit, now)
    text = cockpit.read("panels/agents", show=["missed_30m", "rejected_30m"])
    assert 'data-label="Rejected, 30 min">1<' in text
    assert 'data-label="Missed, 30 min">1<' not in text


def test_occupancy_says_up_to_when_it_is_known(cockpit: Cockpit, afternoon: datetime) -> None:
    now = afternoon
    for name in ("default", "sms", "voice", "video"):
        factories.set_capacity(cockpit.ada, name, configured_capacity=0)
    factories.set_capacity(cockpit.ada, configured_capacity=1)
    quarter = bookkeeper.floor_minute(now) * 60
    start = datetime.fromtimestamp(quarter - 3600, tz=now.tzinfo)
    handle(cockpit, cockpit.ada, start, start + timedelta(minutes=15))
    count(cockpit, now)
    text = cockpit.read("panels/agents", show=["occupancy", "busy_share"], tz="UTC")
    until = datetime.fromtimestamp(quarter, tz=now.tzinfo)
    assert f"Slot occupancy today, until {until:%H:%M}" in text
    row = text.split("<bdi>Ada</bdi>")[1].split("<bdi>Ben</bdi>")[0]
    # A quarter of an hour of the two hours that are written.
    assert [part.split("<")[0] for part in row.split('today">')[1:]] == ["12.5 %", "12.5 %"]


def test_agents_are_grouped_by_state_unless_they_are_sorted(cockpit: Cockpit) -> None:
    for query, groups in (
        ({}, ["idle", "away"]),
        ({"sort": "name"}, []),
        ({"sort": "name", "group": "state"}, ["idle", "away"]),
        ({"group": "none"}, []),
        ({"group": "activity"}, ["0", "1"]),
        ({"group": "queue"}, [cockpit.queue.sid]),
    ):
        fragments.forget_fragments()
        text = cockpit.read("panels/agents", **query)
        assert [part.split('"')[0] for part in text.split('id="group-')[1:]] == groups


def test_agents_are_grouped_by_any_attribute(cockpit: Cockpit) -> None:
    for name, team in (("Eva", "red"), ("Kim", "blue"), ("Zoe", "red")):
        factories.worker(cockpit.workspace, name, attributes={"team": {"name": team}})
    pictures.forget_pictures()
    assert names(cockpit, group="team.name") == ["Kim", "Eva", "Zoe", "Ada", "Ben"]
    text = cockpit.read("panels/agents", group="team.name")
    titles = [part.split("<bdi>")[1].split("<")[0] for part in text.split('id="group-')[1:]]
    assert titles == ["blue", "red", "–"]


def test_an_agent_stands_in_the_group_of_each_queue_and_pages_go_on(cockpit: Cockpit) -> None:
    factories.queue(cockpit.workspace, friendly_name="Another")
    for number in range(24):
        factories.worker(cockpit.workspace, f"Agent {number:02}")
    pictures.forget_pictures()
    pages = [names(cockpit, group="queue", size=25, after=after) for after in ("0", "25", "50")]
    assert [len(page) for page in pages] == [25, 25, 2]
    assert pages[0][0] == pages[1][1], "the second queue begins on the second page"


def test_skills_are_the_attributes_that_queues_ask_for(cockpit: Cockpit) -> None:
    factories.queue(cockpit.workspace, target_workers='languages HAS "es" AND team.level > 1')
    attributes = {"languages": ["es", "de"], "team": {"level": 3}, "secret": "no"}
    factories.worker(cockpit.workspace, "Eva", attributes=attributes)
    pictures.forget_pictures()
    text = cockpit.read("panels/agents", show="skills")
    assert "<bdi>es, de</bdi>" in text
    assert "team.level" in text
    assert "secret" not in text
    mosaic = cockpit.read("panels/agents", show="mosaic", group="languages")
    assert 'data-select="' in mosaic
    assert "es, de" in mosaic
