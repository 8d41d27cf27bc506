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
    own_pages = (f"queues/{cockpit.queue.sid}", f"agents/{cockpit.ada.sid}")
    cockpit.task(workflow=cockpit.workflow)
    for page in ("", *own_pages, *show):
        text = cockpit.read(page, show=show.get(page, ()))
        here = re.findall(r'help\?workspace=\w+#figure-([a-z-]+)"', text)
        assert len(here) == len(set(here))
        found |= set(here)
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
    for panel in (panel for panel in PANELS.values() if panel.write is not None):
        here = {"queue": cockpit.queue.sid} if panel.name == "queue" else {}
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
