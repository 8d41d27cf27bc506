"""Completing a task with an outcome at the desk."""

from __future__ import annotations

import re

import pytest
import time_machine
from django.utils import timezone

from routing import models
from routing.actions import task_queues
from routing.actors import SYSTEM
from routing.core.vocabulary import OutcomePolicy, WrapUpEnd
from tests import factories
from tests.agents.conftest import Floor


def set_policy(floor: Floor, policy: OutcomePolicy) -> None:
    task_queues.update_task_queue(
        queue=floor.queue, outcome_policy=policy, actor=SYSTEM, now=factories.NOW
    )


@pytest.fixture
def codes(floor: Floor) -> None:
    for position, name in enumerate(("resolved", "spam")):
        factories.outcome_code(
            floor.workspace, unique_name=name, friendly_name=name.upper(), position=position
        )


def asks(floor: Floor) -> bool:
    return "/agent/complete/" in floor.alice.get("panels/tasks")


def test_nothing_is_asked_where_there_are_no_codes(floor: Floor) -> None:
    set_policy(floor, OutcomePolicy.REQUIRED)
    held = floor.accepted()
    assert not asks(floor)
    assert floor.alice.press("task.complete", task=held.task.sid)[0] == 200


@pytest.mark.usefixtures("codes")
@pytest.mark.parametrize(
    ("policy", "expected"),
    [(OutcomePolicy.OFF, False), (OutcomePolicy.ASKED, True), (OutcomePolicy.REQUIRED, True)],
)
def test_the_queue_decides_whether_an_outcome_is_asked_for(
    floor: Floor, policy: OutcomePolicy, expected: bool
) -> None:
    set_policy(floor, policy)
    floor.accepted()
    assert asks(floor) == expected


@pytest.mark.usefixtures("codes")
def test_the_page_shows_the_active_codes_in_order_and_a_note(floor: Floor) -> None:
    set_policy(floor, OutcomePolicy.ASKED)
    factories.outcome_code(floor.workspace, friendly_name="OLD", active=False)
    held = floor.accepted(attributes={"subject": "Broken router"})
    page = floor.alice.get(f"complete/{held.task.sid}")
    assert page.index("RESOLVED") < page.index("SPAM") < page.index("outcome_note")
    assert "Broken router" in page
    assert "OLD" not in page
    assert "required" not in page
    set_policy(floor, OutcomePolicy.REQUIRED)
    assert "required" in floor.alice.get(f"complete/{held.task.sid}")


@pytest.mark.usefixtures("codes")
def test_the_chosen_code_and_the_note_are_stored(floor: Floor) -> None:
    set_policy(floor, OutcomePolicy.REQUIRED)
    held = floor.accepted()
    status, _ = floor.alice.press(
        "task.complete", task=held.task.sid, outcome_code="spam", outcome_note="Again"
    )
    held.refresh_from_db()
    assert (status, held.reservation_status) == (200, "completed")
    assert (held.outcome_code, held.outcome_note) == ("spam", "Again")


@pytest.mark.usefixtures("codes")
@pytest.mark.parametrize(
    ("given", "status", "reason"),
    [
        ({}, 409, "outcome_required"),
        ({"outcome_note": "Only a note"}, 409, "outcome_required"),
        ({"outcome_code": "unknown"}, 404, "not_found"),
        ({"outcome_code": "spam", "outcome_note": "x" * 1_001}, 400, "invalid"),
    ],
)
def test_a_completion_without_a_valid_outcome_changes_nothing(
    floor: Floor, given: dict[str, str], status: int, reason: str
) -> None:
    set_policy(floor, OutcomePolicy.REQUIRED)
    held = floor.accepted()
    code, reply = floor.alice.press("task.complete", task=held.task.sid, **given)
    assert (code, reply["error"]["reason"]) == (status, reason)
    assert factories.status(held) == "accepted"


@pytest.mark.usefixtures("codes")
def test_an_outcome_that_is_only_asked_for_may_be_left_out(floor: Floor) -> None:
    set_policy(floor, OutcomePolicy.ASKED)
    held = floor.accepted()
    assert floor.alice.press("task.complete", task=held.task.sid)[0] == 200
    held.refresh_from_db()
    assert (held.reservation_status, held.outcome_code) == ("completed", None)


def limit_wrap_up(floor: Floor, end: WrapUpEnd) -> None:
    task_queues.update_task_queue(
        queue=floor.queue, wrap_up_limit=60, wrap_up_end=end, actor=SYSTEM, now=factories.NOW
    )


def test_the_card_counts_down_to_the_end_of_the_wrap_up_and_offers_more_time_once(
    floor: Floor,
) -> None:
    limit_wrap_up(floor, WrapUpEnd.COMPLETE)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        held = floor.accepted()
        assert "by itself" not in floor.alice.get("panels/tasks")
        floor.alice.press("task.wrap_up", task=held.task.sid)
        clock.shift(20)
        panel = floor.alice.get("panels/tasks")
        assert "0:20</time> wrapping up of 1:00" in panel
        assert re.search(r"completed by itself in <span[^>]*>0:40<", panel)
        assert floor.alice.press("task.extend_wrap_up", task=held.task.sid)[0] == 200
        panel = floor.alice.get("panels/tasks")
        assert "0:20</time> wrapping up of 2:00" in panel
        assert re.search(r"completed by itself in <span[^>]*>1:40<", panel)
        assert "More time" not in panel
        status, reply = floor.alice.press("task.extend_wrap_up", task=held.task.sid)
        assert (status, reply["error"]["reason"]) == (409, "not_now")


def test_a_wrap_up_that_stays_has_a_limit_and_no_countdown(floor: Floor) -> None:
    limit_wrap_up(floor, WrapUpEnd.STAY)
    held = floor.accepted()
    floor.alice.press("task.wrap_up", task=held.task.sid)
    panel = floor.alice.get("panels/tasks")
    assert "wrapping up of 1:00" in panel
    assert "by itself" not in panel
    assert "More time" in panel


def test_the_wrap_up_of_another_agent_is_not_extended(floor: Floor) -> None:
    limit_wrap_up(floor, WrapUpEnd.COMPLETE)
    held = floor.accepted()
    floor.alice.press("task.wrap_up", task=held.task.sid)
    assert floor.bob.press("task.extend_wrap_up", task=held.task.sid)[0] == 404


@pytest.mark.usefixtures("codes")
def test_a_task_in_wrap_up_is_asked_about_and_the_task_of_another_agent_is_not(
    floor: Floor,
) -> None:
    set_policy(floor, OutcomePolicy.ASKED)
    held = floor.accepted()
    floor.alice.press("task.wrap_up", task=held.task.sid)
    assert "RESOLVED" in floor.alice.get(f"complete/{held.task.sid}")
    answer = floor.bob.client.get(f"/agent/complete/{held.task.sid}{floor.bob.here}")
    assert answer.status_code == 404


@pytest.mark.usefixtures("codes")
def test_an_outcome_that_was_not_sent_is_stored_when_the_wrap_up_ends_by_itself(
    floor: Floor,
) -> None:
    limit_wrap_up(floor, WrapUpEnd.COMPLETE)
    set_policy(floor, OutcomePolicy.REQUIRED)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        held = floor.accepted()
        task = held.task.sid
        floor.alice.press("task.wrap_up", task=task)
        draft = {"outcome_code": "spam", "outcome_note": "Call <again>"}
        assert floor.bob.press("task.draft_outcome", task=task, **draft)[0] == 404
        assert floor.alice.press("task.draft_outcome", task=task, **draft)[0] == 200
        page = floor.alice.get(f"complete/{task}")
        assert re.search(r'value="spam" checked', page)
        assert "Call &lt;again&gt;</textarea>" in page
        clock.shift(61)
        floor.run()
        held.refresh_from_db()
        assert held.reservation_status == "completed"
        assert (held.outcome_code, held.outcome_note) == ("spam", "Call <again>")
        event = models.Event.objects.get(event_type="reservation.completed")
        assert event.event_data["reservation_outcome_code"] == "spam"
        late = floor.alice.press("task.draft_outcome", task=task, outcome_code="resolved")
        assert late[0] == 409
        held.refresh_from_db()
        assert held.outcome_code == "spam"


@pytest.mark.usefixtures("codes")
@pytest.mark.parametrize(
    ("draft", "status"), [({"outcome_code": "other"}, 404), ({"outcome_note": "x" * 1001}, 400)]
)
def test_a_wrong_draft_is_refused(floor: Floor, draft: dict[str, str], status: int) -> None:
    held = floor.accepted()
    assert floor.alice.press("task.draft_outcome", task=held.task.sid, **draft)[0] == status


@pytest.mark.usefixtures("codes")
def test_no_event_before_the_completion_has_a_draft(floor: Floor) -> None:
    held = floor.accepted()
    floor.alice.press("task.draft_outcome", task=held.task.sid, outcome_code="spam")
    floor.alice.press("task.wrap_up", task=held.task.sid)
    event = models.Event.objects.get(event_type="reservation.wrapup")
    assert "reservation_outcome_code" not in event.event_data
