"""Activities by request."""

from __future__ import annotations

import pytest

from routing import models
from tests import factories
from tests.api.conftest import Api


@pytest.mark.parametrize(
    ("given", "available"),
    [
        ({}, False),
        ({"Available": "true"}, True),
        ({"Available": "YES"}, True),
        ({"Available": "1"}, True),
        ({"Available": "on"}, False),
        ({"Available": ""}, False),
    ],
)
def test_a_new_activity_is_available_only_on_request(
    api: Api, root: str, given: dict[str, str], available: bool
) -> None:
    made = api.post(f"{root}/Activities", FriendlyName="Lunch", **given)
    assert (made.status, made["available"]) == (201, available)


def test_availability_is_fixed_at_creation_and_later_values_are_ignored(
    api: Api, root: str
) -> None:
    made = api.post(f"{root}/Activities", FriendlyName="Lunch")
    after = api.post(f"{root}/Activities/{made['sid']}", FriendlyName="Pause", Available="true")
    assert (after.status, after["friendly_name"], after["available"]) == (200, "Pause", False)
    assert api.post(f"{root}/Activities/{made['sid']}", Available="true").status == 200


def test_names_are_unique_ignoring_case(api: Api, root: str) -> None:
    answer = api.post(f"{root}/Activities", FriendlyName="AVAILABLE")
    assert (answer.status, answer["code"]) == (400, 20001)
    assert "FriendlyName" in answer.message


def test_the_101st_is_refused(api: Api, root: str) -> None:
    for number in range(97):
        assert api.post(f"{root}/Activities", FriendlyName=f"a{number}").status == 201
    answer = api.post(f"{root}/Activities", FriendlyName="one too many")
    assert (answer.status, answer["code"]) == (400, 20001)


def test_the_list_is_filtered_by_name_and_availability(api: Api, root: str) -> None:
    def names(**query: str) -> list[str]:
        return [
            row["friendly_name"] for row in api.get(f"{root}/Activities", **query)["activities"]
        ]

    assert names(Available="true") == ["Available"]
    assert names(Available="no") == ["Offline", "Unavailable"]
    assert names(FriendlyName="Offline", Available="false") == ["Offline"]
    assert names(FriendlyName="Offline", Available="true") == []


def test_an_activity_in_use_is_not_deleted_and_another_is(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.worker(workspace)
    names = {row["friendly_name"]: row for row in api.get(f"{root}/Activities")["activities"]}
    for used in ("Offline", "Available"):
        answer = api.delete(f"{root}/Activities/{names[used]['sid']}")
        assert (answer.status, answer["code"]) == (400, 20001)
    assert api.delete(f"{root}/Activities/{names['Unavailable']['sid']}").status == 204
    assert api.get(f"{root}/Activities/{names['Unavailable']['sid']}").status == 404
