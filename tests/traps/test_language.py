"""Traps of the expression language, played through the router."""

from __future__ import annotations

from typing import Any

import pytest

from routing import models
from tests import factories
from tests.api.conftest import Api
from tests.factories import filter_
from tests.worlds.world import World


def admits(office: World, expression: str, **attributes: Any) -> bool:
    """Return whether a queue with this expression is served by a worker with these attributes."""
    office.workflow(default=office.queue("support", target_workers=expression))
    office.worker("alice", **attributes)
    office.task("a")
    office.run()
    return office.offers("alice") == ["a"]


@pytest.mark.parametrize("skills", [7, "billing", None, {"billing": True}])
def test_has_on_anything_but_an_array_is_false_and_no_error(office: World, skills: object) -> None:
    assert not admits(office, 'skills HAS "billing"', skills=skills)


def test_has_on_an_array_is_membership(office: World) -> None:
    assert admits(office, 'skills HAS "billing"', skills=["billing"])


@pytest.mark.parametrize("literal", ['7 HAS "billing"', '"billing" HAS "billing"'])
def test_has_on_a_literal_is_false_and_can_be_saved(office: World, literal: str) -> None:
    assert not admits(office, literal)


@pytest.mark.parametrize("skills", [7, "sales", None])
def test_not_in_is_false_when_the_right_side_is_no_array(office: World, skills: object) -> None:
    assert not admits(office, '"billing" NOT IN skills', skills=skills)


def test_not_in_a_missing_attribute_is_false(office: World) -> None:
    assert not admits(office, '"billing" NOT IN skills')


def test_not_in_an_array_is_the_absence(office: World) -> None:
    assert admits(office, '"billing" NOT IN skills', skills=["sales"])


def test_a_hyphen_in_an_expression_is_refused_though_the_attribute_is_stored(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    queue = factories.queue(workspace)
    configuration = factories.configuration(
        filter_("skill-level > 3", factories.target(queue)), default=queue
    )
    for path, form in (
        ("TaskQueues", {"TargetWorkers": "skill-level > 3"}),
        ("Workflows", {"Configuration": configuration}),
    ):
        answer = api.post(f"{root}/{path}", FriendlyName="hyphen", **form)
        assert (answer.status, answer["code"]) == (400, 20001)
    stored = api.post(f"{root}/Workers", FriendlyName="alice", Attributes='{"skill-level": 4}')
    assert (stored.status, stored["attributes"]) == (201, '{"skill-level": 4}')


@pytest.mark.parametrize(
    ("hour", "open_"),
    [(7.9, False), (8, False), (8.1, True), (20, True)],
)
def test_the_time_0800_is_the_decimal_number_800(office: World, hour: float, open_: bool) -> None:
    day, night = office.queue("day"), office.queue("night")
    office.workflow(filter_("taskrouter.currentTime > 0800", {"queue": day}), default=night)
    office.seconds = (hour + 12) * 3600  # from noon
    office.task("a")
    assert office.queue_of("a") == (day if open_ else night)


def test_the_hour_is_a_string_and_compares_as_a_number(office: World) -> None:
    day, night = office.queue("day"), office.queue("night")
    # As texts, "12" would come before "9".
    office.workflow(filter_("taskrouter.currentHour >= 9", {"queue": day}), default=night)
    office.task("noon")
    assert office.queue_of("noon") == day
    office.seconds = 20 * 3600
    office.task("eight")
    assert office.queue_of("eight") == night


def test_a_single_equals_sign_is_equality(office: World) -> None:
    assert admits(office, 'language = "en"', language="en")


def test_a_single_equals_sign_is_not_always_true(office: World) -> None:
    assert not admits(office, 'language = "en"', language="de")


def test_in_may_be_written_small(office: World) -> None:
    assert admits(office, 'language in ["en", "de"]', language="de")
