"""Each figure's menu leads to a paragraph of the handbook, in which its formula stands."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from routing.statistics import bookkeeper
from supervisors import agent_columns, columns, fragments, pictures
from supervisors.figure_notes import NOTES
from supervisors.panels import PANELS
from tests import factories
from tests.server import ROOT
from tests.supervisors.conftest import Cockpit

# On PostgreSQL, events can be counted once their transaction has ended.
pytestmark = pytest.mark.django_db(transaction=connection.vendor == "postgresql")

PAGE = ROOT / "docs" / "supervisors.md"


def test_each_figure_has_an_anchor_in_the_handbook() -> None:
    anchors = re.findall(r'<a id="figure-([a-z-]+)"></a>', PAGE.read_text())
    assert len(anchors) == len(set(anchors))
    assert set(NOTES) <= set(anchors)


def test_the_help_has_each_anchor_once(cockpit: Cockpit) -> None:
    text = cockpit.read("help")
    for key in NOTES:
        assert text.count(f'id="figure-{key}"') == 1


def test_each_figure_of_a_page_names_its_formula_and_leads_to_its_paragraph(
    cockpit: Cockpit,
) -> None:
    found = set()
    show = {"queues": list(columns.COLUMNS), "agents": list(agent_columns.COLUMNS)}
    task = cockpit.task(workflow=cockpit.workflow)
    cockpit.task(workflow=cockpit.workflow, channel="sms")
    own_pages = (
        *(f"queues/{cockpit.queue.sid}", f"agents/{cockpit.ada.sid}", f"tasks/{task.sid}"),
        *("", "tasks", *show),
    )
    for page in own_pages:
        text = cockpit.read(page, show=show.get(page, ()))
        found |= set(re.findall(r'help\?workspace=\w+#figure-([a-z-]+)"', text))
        menus = re.findall(r'id="((?:about|figure)-[^"]+)"', text)
        assert len(menus) == len(set(menus)), page
        # Each column of figures has a menu at its head.
        for head in re.findall(r'<th scope="col" class="number".*?</th>', text, re.DOTALL):
            assert 'class="about"' in head, (page, head)
    assert found == set(NOTES)


def test_the_tasks_of_a_figure_are_those_of_its_queue(cockpit: Cockpit) -> None:
    text = cockpit.read(f"queues/{cockpit.queue.sid}")
    assert f"tasks?queue={cockpit.queue.sid}&amp;status=pending&amp;workspace=" in text


def test_a_figure_says_up_to_when_it_is_counted(cockpit: Cockpit) -> None:
    def read_note(key: str) -> str:
        pictures.forget_pictures()
        fragments.forget_fragments()
        text = cockpit.read("panels/queues", show=list(columns.COLUMNS))
        return text.split(f'id="about-queues-{key}"')[1].split("</div>")[0]

    assert "Counted as things are." in read_note("waiting")
    assert "Counted up to the last event." in read_note("answered")
    now = timezone.now()
    cockpit.task(workflow=cockpit.workflow, now=now - timedelta(minutes=2))
    bookkeeper.keep_books(now=now, seconds=60)
    cockpit.task(workflow=cockpit.workflow, now=now - timedelta(minutes=1))
    assert "Counted up to:" in read_note("answered")
    assert "Counted as things are." in read_note("waiting")


def test_the_panel_of_a_figure_is_a_file(cockpit: Cockpit) -> None:
    now = timezone.now()
    factories.accepted(cockpit.workspace, workflow=cockpit.workflow, now=now)
    cockpit.task(workflow=cockpit.workflow, now=now - timedelta(seconds=90))
    factories.queue(cockpit.workspace, friendly_name="=Risky")
    files = {}
    about = {"queue": cockpit.queue.sid, "worker": cockpit.ada.sid}
    for panel in (panel for panel in PANELS.values() if panel.write is not None):
        here = {} if panel.name in ("queues", "totals", "agents", "tasks") else about
        shown = cockpit.read(f"panels/{panel.name}", show=list(columns.COLUMNS), **here)
        assert f"panels/{panel.name}.csv?" in shown
        answer: Any = cockpit.get(f"panels/{panel.name}.csv", **here)
        text = answer.getvalue().decode()
        files[panel.name] = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    chats, risky = files["queues"]
    assert (chats["queue"], chats["waiting"], chats["in_work"]) == ("Chats", "1", "1")
    assert 90_000 <= int(chats["longest_wait_ms"]) < 600_000
    assert risky["queue"] == "'=Risky"
    assert [row["queue"] for row in files["queue"]] == ["Chats"]
    assert (files["totals"][0]["waiting"], files["totals"][0]["agents"]) == ("1", "2")
    assert [row["status"] for row in files["tasks"]] == ["pending", "assigned"]
    (waiting,) = files["waiting"]
    assert (waiting["queue"], waiting["priority"]) == ("Chats", "0")
    assert 90_000 <= int(waiting["age_ms"]) < 600_000
    (held,) = files["in_hand"]
    assert (held["agents"], held["agent_sids"]) == ("Ada", cockpit.ada.sid)
    (lane,) = files["asked"]
    assert (lane["waiting"], lane["meet_it"], lane["available"]) == ("1", "2", "1")
    assert [(row["agent"], row["state"]) for row in files["staff"]][1] == ("Ben", "away")
    assert [row["accepted"] for row in files["past"]] == ["1", *["0"] * 6]
    ada, ben = files["agents"]
    assert (ada["agent"], ada["in_hand"], ada["slots_busy"], ada["slots_free"]) == (
        *("Ada", "1", "1"),
        str(2 + 4),
    )
    assert (ben["agent"], ben["state"], ben["activity"]) == ("Ben", "away", "Offline")
    filtered: Any = cockpit.get("panels/agents.csv", q="ben")
    assert len(filtered.getvalue().decode().strip().splitlines()) == 2


def test_a_panel_without_a_file_is_not_found(cockpit: Cockpit) -> None:
    for name in ("floor", "nothing"):
        assert cockpit.get(f"panels/{name}.csv").status_code == 404
