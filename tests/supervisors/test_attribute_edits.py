"""The dialog for attributes of agents: what it proposes, and the queues gained and lost."""

from __future__ import annotations

from typing import Any

import pytest

from routing import models
from supervisors.queues_gained import find_gains
from supervisors.read_attributes import find_read_attributes
from tests import factories
from tests.supervisors.conftest import Cockpit
from tests.supervisors.test_acting import JSON, SCRIPT, post

SPANISH = {"operation": "add", "path": "languages", "value": "es"}


@pytest.fixture
def floor(cockpit: Cockpit) -> Cockpit:
    """Return the floor with queues that ask for Spanish, for no Spanish, and for a team."""
    for name, expression in (
        ("Spanish", 'languages HAS "es"'),
        ("Quiet", 'team.name == "night" OR "es" NOT IN languages'),
    ):
        factories.queue(cockpit.workspace, friendly_name=name, target_workers=expression)
    models.Worker.objects.update(attributes='{"languages": ["de"], "desk": 4}')
    return cockpit


def test_attributes_that_expressions_read_are_proposed_with_values_that_occur(
    floor: Cockpit,
) -> None:
    target = factories.target(floor.queue, expression="worker.level >= 3 AND worker.sid != 'a'")
    factories.workflow(floor.workspace, default=target)
    assert find_read_attributes(floor.workspace) == {
        "languages": ("de", "es"),
        "level": (3,),
        "team.name": ("night",),
    }


def test_other_workspaces_propose_nothing_here(floor: Cockpit) -> None:
    assert find_read_attributes(factories.workspace()) == {}


def test_the_dialog_proposes_paths_and_values(floor: Cockpit) -> None:
    text = floor.read("do/workers.set_attributes", subjects=floor.ada.sid)
    assert '<option value="languages">de, es</option>' in text
    assert '<option value="night"></option>' in text
    assert 'list="act-paths"' in text


def test_queues_gained_and_lost_are_counted(floor: Cockpit) -> None:
    edits = [{"kind": "add", "path": "languages", "value": "es"}]
    sids = [floor.ada.sid, floor.ben.sid]
    gains = find_gains(floor.workspace, edits, sids)
    assert (gains.gained, gains.lost) == ([("Spanish", 2)], [("Quiet", 2)])
    assert find_gains(factories.workspace(), edits, sids).looked_at == 0


def test_the_confirmation_of_several_agents_names_the_queues(floor: Cockpit) -> None:
    rows = (floor.ada, floor.ben)
    asked = post(floor, "workers.set_attributes", *rows, headers=SCRIPT, **SPANISH)
    text = asked.content.decode()
    assert "2 agents then serve Spanish." in text
    assert "2 agents no longer serve Quiet." in text


def test_the_answer_for_one_agent_names_the_queues(floor: Cockpit) -> None:
    answer: Any = post(floor, "workers.set_attributes", floor.ada, headers=JSON, **SPANISH)
    words = answer.json()["words"]
    assert words == "Done. 1 agent then serves Spanish. 1 agent no longer serves Quiet."
    again: Any = post(floor, "workers.set_attributes", floor.ada, headers=JSON, **SPANISH)
    assert again.json()["words"] == "It was so already."


def test_an_edit_that_is_refused_gains_nothing(floor: Cockpit) -> None:
    edits = [{"kind": "add", "path": "desk", "value": "es"}]
    assert find_gains(floor.workspace, edits, [floor.ada.sid]).gained == []
