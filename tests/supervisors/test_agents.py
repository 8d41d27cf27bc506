"""The pages of agents and of one agent: filters, slots, offers, and the line of a day."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from routing.actions import offers, reservations, workers
from routing.actors import SYSTEM, Actor
from supervisors import fragments, pictures
from supervisors.bars import MOST_TRACKS, WIDTH, Bar, place_bars
from tests import factories
from tests.supervisors.conftest import Cockpit


def names(cockpit: Cockpit, **query: Any) -> list[str]:
    """Return the names of the rows, in their order."""
    fragments.forget_fragments()
    text = cockpit.read("panels/agents", **query)
    parts = text.split('<th scope="row">')[1:]
    return [part.split("<bdi>")[1].split("</bdi>")[0] for part in parts]


def accept(cockpit: Cockpit, title: str, now: datetime) -> Any:
    """Let Ada accept a new task at a moment."""
    return factories.accepted(
        cockpit.workspace, workflow=cockpit.workflow, attributes={"title": title}, now=now
    )


def test_a_row_shows_state_activity_slots_and_queues(cockpit: Cockpit) -> None:
    accept(cockpit, "Parcel", timezone.now())
    text = cockpit.read("agents")
    for part in ("Working", "Available", "1 of 3 busy, 2 free", "Chats", "Away", "jack--busy"):
        assert part in text


def test_what_an_agent_has_in_hand_stands_by_channel(cockpit: Cockpit) -> None:
    factories.channel(cockpit.workspace, "fax")
    factories.set_capacity(cockpit.ada, "fax", configured_capacity=2)
    now = timezone.now()
    for channel in ("chat", "fax", "chat"):
        task = cockpit.task(workflow=cockpit.workflow, channel=channel, now=now)
        offers.grab_task(task=task, worker=cockpit.ada, actor=SYSTEM, now=now)
    text = cockpit.read("panels/agents", q="ada")
    hands = re.findall(r'<span class="hand" title="([^"]*)">.*?#([a-z]+)"', text)
    assert hands == [("Chat: 2", "chat"), ("Fax: 1", "default")]


def test_only_the_most_important_columns_stand_on_phones_without_a_choice(
    cockpit: Cockpit,
) -> None:
    accept(cockpit, "Parcel", timezone.now())
    for page in ("agents", "queues"):
        cells = re.findall(r'<td class="([^"]*)" data-label', cockpit.read(f"panels/{page}"))
        assert any("extra" in cell for cell in cells)
        chosen = cockpit.read(f"panels/{page}", show="oldest" if page == "agents" else "overdue")
        assert " extra" not in chosen


def test_filters_limit_the_agents(cockpit: Cockpit) -> None:
    factories.worker(
        cockpit.workspace, "Eva <i>", attributes={"team": "blue"}, capacity={"chat": 1}
    )
    accept(cockpit, "Parcel", timezone.now())
    pictures.forget_pictures()
    everyone = names(cockpit)
    assert sorted(everyone) == ["Ada", "Ben", "Eva &lt;i&gt;"]
    assert names(cockpit, state="away") == ["Ben"]
    assert names(cockpit, activity=cockpit.ben.activity.sid) == ["Ben"]
    assert names(cockpit, q="ad") == ["Ada"]
    assert names(cockpit, where='worker.team == "blue"') == ["Eva &lt;i&gt;"]
    assert "Ben" not in names(cockpit, channel="chat")
    factories.set_capacity(cockpit.ada, "voice", configured_capacity=0)
    pictures.forget_pictures()
    assert names(cockpit, channel="voice") == ["Eva &lt;i&gt;"]
    empty = factories.queue(cockpit.workspace, friendly_name="None", target_workers="1 == 2")
    pictures.forget_pictures()
    assert names(cockpit, queue=empty.sid) == []
    assert len(names(cockpit, queue=cockpit.queue.sid)) == 3


def test_agents_are_sorted_by_state_name_or_load(cockpit: Cockpit) -> None:
    assert names(cockpit) == ["Ada", "Ben"]
    assert names(cockpit, sort="-name") == ["Ben", "Ada"]
    accept(cockpit, "Parcel", timezone.now())
    pictures.forget_pictures()
    assert names(cockpit, sort="in_hand")[0] == "Ada"


def test_pages_of_agents_follow_each_other(cockpit: Cockpit) -> None:
    for number in range(30):
        factories.worker(cockpit.workspace, f"Agent {number:02}")
    pictures.forget_pictures()
    first, second = names(cockpit, size=25), names(cockpit, size=25, after=25)
    assert (len(first), len(second)) == (25, 7)
    assert len({*first, *second}) == 32


def test_the_mosaic_has_a_square_with_words_for_each_agent(cockpit: Cockpit) -> None:
    text = cockpit.read("panels/agents", show="mosaic")
    assert text.count('class="square"') == 2
    assert "Ada: Idle" in text


def test_queries_do_not_grow_with_the_number_of_agents(cockpit: Cockpit) -> None:
    counts = []
    for number in (1, 12):
        for each in range(number):
            factories.worker(cockpit.workspace, f"Agent {number} {each}")
        pictures.forget_pictures()
        cockpit.read("agents")
        fragments.forget_fragments()
        with CaptureQueriesContext(connection) as captured:
            cockpit.read("panels/agents")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_the_page_of_an_agent_shows_hand_and_last_offers(cockpit: Cockpit) -> None:
    now = timezone.now()
    accept(cockpit, "Long ago", now - timedelta(hours=2))
    accept(cockpit, "In my hand", now - timedelta(minutes=5))
    cockpit.task(
        workflow=cockpit.workflow,
        attributes={"title": "Refused"},
        now=now - timedelta(minutes=1),
    )
    factories.run(cockpit.workspace, now - timedelta(minutes=1))
    offer = cockpit.ada.reservations.get(reservation_status="pending")
    reservations.reject_reservation(
        reservation=offer, actor=Actor(type="worker", sid=cockpit.ada.sid), now=now
    )
    text = cockpit.read("panels/in_hand", worker=cockpit.ada.sid)
    hand, offers = text.split('id="offers-title"')
    assert "In my hand" in hand
    assert "Refused" not in hand
    assert "Rejected" in offers
    assert "after 1:00" in offers
    assert "Long ago" in hand
    assert "Long ago" not in offers


def test_agents_of_other_workspaces_are_not_found(cockpit: Cockpit) -> None:
    foreign = factories.worker(factories.workspace(), "Zoe")
    assert cockpit.get(f"agents/{foreign.sid}").status_code == 404
    for name in ("agent", "in_hand", "timeline"):
        assert cockpit.get(f"panels/{name}").status_code == 404
        assert cockpit.get(f"panels/{name}", worker=foreign.sid).status_code == 404


def test_the_day_shows_activities_and_tasks_as_bars_and_as_a_table(cockpit: Cockpit) -> None:
    now = timezone.now()
    accept(cockpit, "Parcel <b>", now)
    lunch = factories.activity(cockpit.workspace, "Lunch")
    workers.set_activity(worker=cockpit.ada, activity=lunch, actor=SYSTEM, now=now)
    pictures.forget_pictures()
    text = cockpit.read("panels/timeline", worker=cockpit.ada.sid)
    drawing, table = text.split('id="timeline-table"')
    for part in (drawing, table):
        assert "Parcel &lt;b&gt;" in part
        assert "Available" in part
        assert "Lunch" in part
    assert "bar-of--work" in drawing
    assert "style=" not in drawing


def bar(begin: int, end: int, lane: str = "chat") -> Bar:
    """Return a bar with times in seconds."""
    second = 1_000_000
    return Bar(kind="work", lane=lane, name="x", begin_us=begin * second, end_us=end * second)


def test_bars_at_the_same_time_get_tracks_of_their_own() -> None:
    bars = [bar(0, 50), bar(10, 60), bar(55, 90), bar(0, 100, lane="voice")]
    lanes, _ = place_bars(bars, 0, 100_000_000)
    assert [lane.name for lane in lanes] == ["chat", "voice"]
    assert [one.track for one in bars] == [0, 1, 0, 0]
    assert lanes[1].bars[0]["width"] == WIDTH
    assert lanes[1].y > lanes[0].y + lanes[0].height - 1


def test_the_number_of_tracks_has_a_limit() -> None:
    bars = [bar(0, 100) for _ in range(MOST_TRACKS + 5)]
    lanes, _ = place_bars(bars, 0, 100_000_000)
    assert max(one.track for one in bars) == MOST_TRACKS - 1
    assert lanes[0].height > 0


def test_the_palette_finds_agents_by_name_and_tasks_by_sid(cockpit: Cockpit) -> None:
    task = cockpit.task(workflow=cockpit.workflow)
    for text, kind in (("ada", "Agent"), (task.sid, "Task"), ("cha", "Queue")):
        found = cockpit.get("find", q=text).json()["found"]  # type: ignore[attr-defined]
        assert [one["kind"] for one in found] == [kind]
    foreign = factories.task(factories.workspace())
    assert cockpit.get("find", q=foreign.sid).json() == {"found": []}  # type: ignore[attr-defined]


def test_an_agents_slots_are_changed_in_place(cockpit: Cockpit) -> None:
    factories.set_capacity(cockpit.ada, "voice", available=False)
    pictures.forget_pictures()
    text = cockpit.read("panels/agent", worker=cockpit.ada.sid)
    for part in (
        "+1 Chat slot",
        "channel=chat&amp;by=1",
        "channel=chat&amp;by=-1",
        "channel=chat&amp;available=false",
        "channel=voice&amp;available=true",
    ):
        assert part in text


def test_other_queues_say_what_is_missing(cockpit: Cockpit) -> None:
    factories.queue(
        cockpit.workspace,
        friendly_name="Spanish",
        target_workers='languages HAS "es" AND friendly_name == "Ada" AND level > 3',
    )
    pictures.forget_pictures()
    text = cockpit.read("panels/agent", worker=cockpit.ada.sid).split('id="other-queues"')[1]
    assert "Spanish" in text
    assert "Chats" not in text
    assert "languages HAS &quot;es&quot;</code>" in text
    assert "level &gt; 3</code>" in text
    assert "friendly_name" not in text
