"""The step of a task in its workflow, and its deadlines."""

from __future__ import annotations

import json
from typing import Any

from routing.core import workflow_position
from routing.core.clock import SECOND
from workflows.configuration import Configuration, parse_configuration
from workflows.expressions import View

QUEUE = "WQ" + "1" * 32
OTHER = "WQ" + "2" * 32


def configuration(*filters: dict[str, Any], default: bool = False) -> Configuration:
    routing: dict[str, Any] = {"filters": list(filters)}
    if default:
        routing["default_filter"] = {"queue": OTHER}
    return parse_configuration(json.dumps({"task_routing": routing}))


def filter_(expression: str, *timeouts: int | None, **keys: Any) -> dict[str, Any]:
    targets = [{"queue": QUEUE} | ({} if t is None else {"timeout": t}) | keys for t in timeouts]
    return {"expression": expression, "targets": targets}


def task(**attributes: Any) -> View:
    return View(attributes, {})


def test_the_first_filter_that_matches_is_taken() -> None:
    found = workflow_position.find_first_step(
        configuration(filter_("a == 1", None), filter_("b == 1", None), filter_("1==1", None)),
        task(b=1),
        base=0,
        now=0,
    )
    assert found is not None
    assert found.filter_index == 1


def test_the_default_filter_takes_what_nothing_else_takes_and_has_no_deadline() -> None:
    found = workflow_position.find_first_step(
        configuration(filter_("a == 1", 5), default=True), task(), base=0, now=0
    )
    assert found is not None
    assert found.filter_index == workflow_position.DEFAULT_FILTER
    assert found.deadline_us is None


def test_without_a_default_filter_an_unmatched_task_has_no_place() -> None:
    assert (
        workflow_position.find_first_step(
            configuration(filter_("a == 1", None)), task(), base=0, now=0
        )
        is None
    )


def test_filters_see_the_time_of_day() -> None:
    evening = configuration(filter_("taskrouter.currentTime >= 1800", None))
    assert (
        workflow_position.find_first_step(evening, task(), base=0, now=17 * 3600 * SECOND) is None
    )
    assert (
        workflow_position.find_first_step(evening, task(), base=0, now=19 * 3600 * SECOND)
        is not None
    )


def test_timeouts_of_one_filter_add_up() -> None:
    plan = configuration(filter_("1==1", 10, 10, 10))
    first = workflow_position.find_first_step(plan, task(), base=0, now=0)
    assert first is not None
    second = workflow_position.advance_past_deadlines(plan, task(), first, now=15 * SECOND)
    assert second is not None
    assert (second.target_index, second.deadline_us) == (1, 20 * SECOND)


def test_deadlines_that_passed_together_are_passed_in_one_go() -> None:
    plan = configuration(filter_("1==1", 10, 10, 10))
    first = workflow_position.find_first_step(plan, task(), base=0, now=0)
    assert first is not None
    third = workflow_position.advance_past_deadlines(plan, task(), first, now=25 * SECOND)
    assert third is not None
    assert third.target_index == 2
    assert workflow_position.advance_past_deadlines(plan, task(), first, now=30 * SECOND) is None


def test_a_step_does_not_change_before_its_deadline() -> None:
    plan = configuration(filter_("1==1", 10))
    first = workflow_position.find_first_step(plan, task(), base=0, now=0)
    assert first is not None
    assert workflow_position.advance_past_deadlines(plan, task(), first, now=9 * SECOND) == first


def test_a_later_filter_counts_from_when_it_is_entered() -> None:
    plan = configuration(filter_("1==1", 10), filter_("a == 1", 10), default=True)
    first = workflow_position.find_first_step(plan, task(a=1), base=0, now=0)
    assert first is not None
    later = workflow_position.advance_past_deadlines(plan, task(a=1), first, now=14 * SECOND)
    assert later is not None
    assert (later.filter_index, later.deadline_us) == (1, 24 * SECOND)


def test_a_skipped_targets_timeout_does_not_count() -> None:
    plan = configuration(filter_("1==1", 10, 10, skip_if="1==1"))
    first = workflow_position.find_first_step(plan, task(), base=0, now=0)
    assert first is not None
    assert first.skip_unasked
    second = workflow_position.skip_step(plan, task(), first, now=1 * SECOND)
    assert second is not None
    assert second.deadline_us == 10 * SECOND


def test_skipping_everything_ends_at_the_default_filter_or_nowhere() -> None:
    with_default = configuration(filter_("1==1", 10, skip_if="1==1"), default=True)
    first = workflow_position.find_first_step(with_default, task(), base=0, now=0)
    assert first is not None
    last = workflow_position.skip_step(with_default, task(), first, now=0)
    assert last is not None
    assert last.filter_index == workflow_position.DEFAULT_FILTER
    without = configuration(filter_("1==1", 10, skip_if="1==1"))
    assert workflow_position.skip_step(without, task(), first, now=0) is None
