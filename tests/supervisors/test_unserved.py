"""A queue that no worker serves because of its own expression: who lacks what."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from routing.actions import task_queues, workers
from routing.actors import SYSTEM
from supervisors import demands, fragments, pictures, unserved
from tests import factories
from tests.supervisors.conftest import Cockpit

ASKS = "languages HAS 'es' AND level == 3 AND team IN ['blue', 'red']"


def ask(cockpit: Cockpit, expression: str) -> None:
    """Change what the queue asks for."""
    task_queues.update_task_queue(
        queue=cockpit.queue, target_workers=expression, actor=SYSTEM, now=factories.NOW
    )


def know(cockpit: Cockpit, name: str, attributes: str, **given: object) -> str:
    """Make an agent with these attributes, and return their sid."""
    made = factories.worker(cockpit.workspace, name, **given)  # type: ignore[arg-type]
    workers.update_worker(worker=made, attributes=attributes, actor=SYSTEM, now=factories.NOW)
    return made.sid


def read(cockpit: Cockpit) -> str:
    """Return the panel as it is now."""
    pictures.forget_pictures()
    fragments.forget_fragments()
    demands.forget_demands()
    unserved.forget_unserved()
    return html.unescape(cockpit.read("panels/ways_out", queue=cockpit.queue.sid))


def list_acts(text: str) -> dict[str, dict[str, list[str]]]:
    """Return the arguments of each button that edits attributes, by its label."""
    found = re.findall(r'href="([^"]*workers.set_attributes[^"]*)"[^>]*>([^<]*)<', text)
    return {label: parse_qs(urlsplit(address).query) for address, label in found}


def test_each_condition_says_how_many_meet_it_and_who_lacks_only_it(cockpit: Cockpit) -> None:
    ask(cockpit, ASKS)
    sue = know(cockpit, "Sue", '{"level": 3, "team": "red"}')
    tom = know(cockpit, "Tom", '{"languages": ["de"], "level": 3, "team": "blue"}', available=False)
    know(cockpit, "Zoe", '{"languages": ["es"], "team": "red"}')
    cockpit.task(workflow=cockpit.workflow)
    cockpit.task(workflow=cockpit.workflow)
    text = read(cockpit)
    assert "No agent meets what this queue asks for:" in text
    assert "<strong>languages includes “es”</strong>: 1 of 5 agents meet it." in text
    assert "<strong>level is 3</strong>: 2 of 5 agents meet it." in text
    assert "<strong>team is one of “blue” or “red”</strong>: 3 of 5 agents meet it." in text
    assert "Only this is missing for 2 agents: Sue and Tom." in text
    assert "Only this is missing for 1 agent: Zoe." in text
    # A way out is for those who would be asked at once; the condition's own button is for all.
    acts = list_acts(text)
    assert "Give 1 free agent the one thing that this queue asks for: level is 3." in text
    assert acts["Give it…"]["path"] == ["level"]
    spanish = set(re.findall(r'subjects=([^&"]*)[^"]*languages', text))
    assert {sue + "+" + tom, sue} == spanish


def test_an_agent_who_would_not_be_asked_for_what_waits_is_no_way_out(cockpit: Cockpit) -> None:
    ask(cockpit, "languages HAS 'es'")
    target = factories.target(cockpit.queue, expression="worker.calm == true")
    strict = factories.workflow(cockpit.workspace, default=target)
    cockpit.task(workflow=strict)
    assert "one thing that this queue asks for" not in read(cockpit)
    know(cockpit, "Sue", '{"calm": true}')
    assert "Give 1 free agent the one thing that this queue asks for" in read(cockpit)


def test_a_queue_that_is_served_or_that_none_can_serve_says_nothing(cockpit: Cockpit) -> None:
    cockpit.task(workflow=cockpit.workflow)
    for expression in ("", "1 == 2", "friendly_name == 'Ada'"):
        ask(cockpit, expression)
        assert "No agent meets" not in read(cockpit), expression
    ask(cockpit, "team == 'x'")
    assert "No agent meets" in read(cockpit)


def test_no_more_than_a_thousand_agents_are_compared(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unserved, "MOST_WORKERS", 1)
    ask(cockpit, "team == 'x'")
    cockpit.task(workflow=cockpit.workflow)
    text = read(cockpit)
    assert "0 of 1 agent meets it." in text
    assert "Only this is missing for 1 agent: Ada." in text, "those with free slots come first"
