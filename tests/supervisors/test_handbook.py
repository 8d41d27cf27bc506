"""Each figure's menu leads to a paragraph of the handbook, in which its formula stands."""

from __future__ import annotations

import re

from supervisors.figure_notes import NOTES
from tests.server import ROOT
from tests.supervisors.conftest import Cockpit

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
    for page in ("", f"queues/{cockpit.queue.sid}", f"agents/{cockpit.ada.sid}"):
        text = cockpit.read(page)
        here = re.findall(r'help\?workspace=\w+#figure-([a-z-]+)"', text)
        assert len(here) == len(set(here))
        found |= set(here)
    assert found == set(NOTES)


def test_the_tasks_of_a_figure_are_those_of_its_queue(cockpit: Cockpit) -> None:
    text = cockpit.read(f"queues/{cockpit.queue.sid}")
    assert f"tasks?queue={cockpit.queue.sid}&amp;status=pending&amp;workspace=" in text
