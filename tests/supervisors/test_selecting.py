"""All rows that match a page's filters are selected, and frozen when the dialog opens."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.utils import timezone

from routing import models
from routing.actions import offers, task_transitions
from routing.actors import SYSTEM
from supervisors import scanning, selecting
from tests import factories
from tests.supervisors.conftest import Cockpit
from tests.supervisors.test_acting import SCRIPT, capacity, error, post

CAPACITY: dict[str, Any] = {"channel": "chat", "to": 2}


def offered_match(text: str) -> str:
    """Return the query that the box *All that match* of a page sends."""
    found = re.search(r'name="match" value="([^"]*)"', text)
    assert found is not None
    return html.unescape(found[1])


def frozen(answer: Any) -> list[str]:
    """Return the sids in the form of a dialog."""
    found = re.search(r'name="subjects" value="([^"]*)"', answer.content.decode())
    assert found is not None
    return [each.partition("@")[0] for each in found[1].split()]


def test_all_agents_that_match_are_selected_on_all_pages(cockpit: Cockpit) -> None:
    wanted = [factories.worker(cockpit.workspace, f"Night {n}").sid for n in range(30)]
    match = offered_match(cockpit.read("agents", q="night", size="25", after="25"))
    asked = post(cockpit, "workers.set_capacity", headers=SCRIPT, match=match, ask=1, **CAPACITY)
    assert set(frozen(asked)) == set(wanted)
    text = asked.content.decode()
    assert "This concerns 30 agents." in text
    assert "Type 30 to confirm" in text
    assert 'name="all" value="1"' in text


def test_those_who_come_later_are_not_changed(cockpit: Cockpit) -> None:
    match = offered_match(cockpit.read("agents"))
    command = "workers.set_capacity"
    given: dict[str, Any] = {"headers": SCRIPT, **CAPACITY}
    rows = frozen(post(cockpit, command, match=match, ask=1, **given))
    late = factories.worker(cockpit.workspace, "Late", capacity={"chat": 7})
    done: Any = post(cockpit, command, *rows, all=1, typed=2, **CAPACITY)
    assert done.json()["counts"]["done"] == 2
    assert (capacity(cockpit.ada), capacity(late)) == (2, 7)


@pytest.mark.parametrize("page", ["tasks", "queue"])
def test_all_tasks_that_match_are_selected_with_their_versions(cockpit: Cockpit, page: str) -> None:
    other = factories.queue(cockpit.workspace, friendly_name="Mails")
    mails = factories.workflow(cockpit.workspace, default=other)
    wanted = [cockpit.task(workflow=cockpit.workflow).sid for _ in range(3)]
    cockpit.task(workflow=mails)
    if page == "tasks":
        text = cockpit.read("tasks", queue=cockpit.queue.sid)
    else:
        text = cockpit.read(f"queues/{cockpit.queue.sid}")
    given: dict[str, Any] = {"to": 5, "headers": SCRIPT, "match": offered_match(text), "ask": 1}
    asked = post(cockpit, "tasks.set_priority", **given)
    assert set(frozen(asked)) == set(wanted)
    assert re.search(rf"{wanted[0]}@\d+", asked.content.decode())


def test_more_than_a_batch_takes_is_refused(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selecting, "MOST_ROWS", 2)
    for _ in range(3):
        cockpit.task()
        factories.worker(cockpit.workspace)
    found = error(post(cockpit, "tasks.set_priority", match="status=pending", to=5), 400)
    assert found["message"].startswith("More than 2 tasks match.")
    found = error(post(cockpit, "workers.set_capacity", match="size=25", **CAPACITY), 400)
    assert found["message"] == "5 rows are selected; at most 2 can be changed at once."


def test_a_search_that_ended_early_says_so(
    cockpit: Cockpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "MOST_ROWS", 2)
    for number in range(4):
        cockpit.task(attributes={"n": number})
    given: dict[str, Any] = {"to": 5, "headers": SCRIPT, "ask": 1}
    asked = post(cockpit, "tasks.set_priority", match="where=task.n >= 1", **given)
    assert "Searched the first 2 tasks." in asked.content.decode()


@pytest.mark.parametrize("match", ["where=nonsense(", "queue=WQ1", "state=busy&q=absent-name"])
def test_a_filter_that_would_be_ignored_selects_nothing(cockpit: Cockpit, match: str) -> None:
    error(post(cockpit, "workers.set_capacity", match=match, **CAPACITY), 400)
    assert models.Batch.objects.count() == 0


def test_tasks_of_a_selection_that_wait_no_longer_are_counted(cockpit: Cockpit) -> None:
    tasks = [cockpit.task() for _ in range(5)]
    text = cockpit.read("tasks")
    assert text.count(" data-waits") == 5
    offers.grab_task(task=tasks[0], worker=cockpit.ada, actor=SYSTEM, now=timezone.now())
    task_transitions.cancel_task(task=tasks[1], actor=SYSTEM, now=timezone.now())
    sids = [task.sid for task in tasks]

    def check(*sids: str, who: str = "member", **given: Any) -> Any:
        return cockpit.people[who].post(
            f"/supervisor/do/selection.check?workspace={cockpit.workspace.sid}",
            {"subjects": " ".join(sids), "size": 50, **given},
            headers=SCRIPT,
        )

    assert check(*sids).json()["words"] == "2 of your 50 are no longer waiting."
    assert check(*sids[2:]).json()["words"] == ""
    assert check(sids[0]).json()["count"] == 1
    assert check("WKx").status_code == 400
    assert check(*sids, who="agent").status_code == 403

    # The dialogs of what only waiting tasks allow say so, too, before anything is filled in.
    sentence = "2 of your 5 are no longer waiting."
    for command, is_said in (("tasks.move", True), ("tasks.set_priority", False)):
        asked = post(cockpit, command, *sids, headers=SCRIPT, ask=1).content.decode()
        assert (sentence in asked) is is_said
