"""Workers and their channels by request."""

from __future__ import annotations

import pytest

from routing import models
from tests import factories
from tests.api.conftest import Api


@pytest.fixture
def path(workspace: models.Workspace, root: str) -> str:
    """Return the path of a list of three workers."""
    factories.worker(workspace, "Alice", attributes={"team": "billing", "skills": ["en"]})
    factories.worker(workspace, "Bob", attributes={"team": "sales"})
    factories.worker(workspace, "Carol", available=False, attributes={"team": "billing"})
    return f"{root}/Workers"


def names(api: Api, path: str, **query: str) -> list[str]:
    answer = api.get(path, **query)
    assert answer.status == 200, answer.json
    return [row["friendly_name"] for row in answer["workers"]]


def sid_of(name: str) -> str:
    return models.Worker.objects.get(friendly_name=name).sid


def test_a_new_worker_is_offline_and_has_every_channel(api: Api, root: str) -> None:
    made = api.post(f"{root}/Workers", FriendlyName="Alice")
    assert made.status == 201
    assert made.response.headers["ETag"] == '"0"'
    assert (made["activity_name"], made["available"], made["attributes"]) == (
        "Offline",
        False,
        "{}",
    )
    assert made["date_status_changed"] == made["date_created"]
    channels = api.send("GET", made["links"]["channels"])["channels"]
    assert [row["configured_capacity"] for row in channels] == [1] * 5


def test_names_are_compared_ignoring_case(api: Api, path: str) -> None:
    answer = api.post(path, FriendlyName="ALICE")
    assert (answer.status, answer["code"]) == (400, 20001)
    assert "FriendlyName" in answer.message
    assert "ALICE" in answer.message


@pytest.mark.parametrize(
    "attributes",
    [
        "[]",
        "1",
        "{",
        '{"a":1,"a":2}',
        '{"a":NaN}',
        '{"a":"\\u0000"}',
        '{"a":"\\ud800"}',
        '{"a":"' + "x" * 4_090 + '"}',
        "[" * 4_000,
        '{"a":' * 800,
    ],
)
def test_ambiguous_json_attributes_are_refused(api: Api, path: str, attributes: str) -> None:
    answer = api.post(path, FriendlyName="Dave", Attributes=attributes)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert answer.message.startswith("Attributes")
    assert len(names(api, path)) == 3


def test_an_update_makes_all_its_changes_in_one_request(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    alice = f"{path}/{sid_of('Alice')}"
    offline = factories.activity(workspace, "Offline")
    after = api.post(alice, FriendlyName="Alicia", Attributes='{"a":1}', ActivitySid=offline.sid)
    assert (after["friendly_name"], after["attributes"]) == ("Alicia", '{"a":1}')
    assert (after["activity_sid"], after["available"]) == (offline.sid, False)
    assert after.response.headers["ETag"] == api.get(alice).response.headers["ETag"]


def test_a_worker_with_an_offer_leaves_only_by_rejecting_it(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    worker = factories.worker(workspace)
    reservation = factories.offered(workspace)
    offline = factories.activity(workspace, "Offline").sid
    path = f"{root}/Workers/{worker.sid}"
    answer = api.post(path, ActivitySid=offline)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert factories.status(reservation) == "pending"
    left = api.post(path, ActivitySid=offline, RejectPendingReservations="true")
    assert (left.status, left["available"]) == (200, False)
    assert factories.status(reservation) == "rejected"


def test_rejecting_and_staying_available_is_a_contradiction(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    available = factories.activity(workspace).sid
    answer = api.post(
        f"{path}/{sid_of('Alice')}", ActivitySid=available, RejectPendingReservations="true"
    )
    assert (answer.status, answer["code"]) == (400, 20001)
    assert answer.message.startswith("RejectPendingReservations")


def test_attributes_and_activity_of_one_request_are_one_version(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    zoe = f"{path}/{factories.worker(workspace, 'Zoe').sid}"
    version = int(api.get(zoe).response.headers["ETag"].strip('"'))
    offline = factories.activity(workspace, "Offline").sid
    for change in ({"ActivitySid": offline, "Attributes": '{"a":1}'}, {"FriendlyName": "Ada"}):
        version += 1
        after = api.post(zoe, **change)
        assert after.response.headers["ETag"] == f'"{version}"'
        assert api.get(zoe).json == after.json


@pytest.mark.parametrize("spelling", ['"{}"', "{}", 'W/"{}"', "W/{}", '"7", "{}"', "*"])
def test_a_change_goes_through_if_the_version_matches(api: Api, path: str, spelling: str) -> None:
    alice = f"{path}/{sid_of('Alice')}"
    version = api.get(alice).response.headers["ETag"].strip('"')
    answer = api.post(alice, if_match=spelling.format(version), Attributes='{"a":1}')
    assert answer.status == 200
    assert answer.response.headers["ETag"] == f'"{int(version) + 1}"'


@pytest.mark.parametrize("stale", ['"9"', "9", 'W/"9"', "nonsense", "9" * 5_000, '"1, 2"'])
def test_a_change_is_refused_if_it_does_not(api: Api, path: str, stale: str) -> None:
    alice = f"{path}/{sid_of('Alice')}"
    before = factories.last_event()
    for answer in (
        api.post(alice, if_match=stale, Attributes='{"a":1}'),
        api.post(alice, if_match=stale),
        api.delete(alice, if_match=stale),
    ):
        assert (answer.status, answer["code"]) == (412, 20412)
    assert factories.event_types(before) == []
    assert api.delete(alice, if_match="*").status == 204


def test_a_worker_in_work_is_not_deleted_and_an_idle_one_is(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    busy = factories.worker(workspace)
    factories.accepted(workspace)
    idle = factories.worker(workspace)
    answer = api.delete(f"{root}/Workers/{busy.sid}")
    assert (answer.status, answer["code"]) == (400, 20001)
    assert api.delete(f"{root}/Workers/{idle.sid}").status == 204
    assert api.get(f"{root}/Workers/{idle.sid}").status == 404


def test_the_list_is_filtered_by_a_worker_s_properties(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    assert names(api, path) == ["Alice", "Bob", "Carol"]
    assert names(api, path, FriendlyName="Bob") == ["Bob"]
    assert names(api, path, ActivityName="Offline") == ["Carol"]
    available = factories.activity(workspace).sid
    assert names(api, path, ActivitySid=available) == ["Alice", "Bob"]
    assert names(api, path, Available="true") == ["Alice", "Bob"]
    assert names(api, path, Available="0") == ["Carol"]
    assert names(api, path, Available="true", FriendlyName="Carol") == []
    assert names(api, path, ActivitySid="WA" + "0" * 32) == []
    assert api.get(path, ActivitySid="WA1").status == 400


def test_the_list_is_filtered_by_an_expression(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    def matching(expression: str) -> list[str]:
        return names(api, path, TargetWorkersExpression=expression)

    assert matching('team == "billing"') == ["Alice", "Carol"]
    assert matching('skills HAS "en"') == ["Alice"]
    assert matching('friendly_name == "Bob" OR activity_name == "Offline"') == ["Bob", "Carol"]
    factories.set_capacity(models.Worker.objects.get(friendly_name="Bob"), configured_capacity=5)
    assert matching("channel.chat.configured_capacity == 5") == ["Bob"]
    answer = api.get(path, TargetWorkersExpression="team ==")
    assert (answer.status, answer.message[:23]) == (400, "TargetWorkersExpression")


def test_the_list_is_filtered_by_the_queues_a_worker_serves(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    queue = factories.queue(workspace, friendly_name="Billing", target_workers='team == "billing"')
    unserved = factories.queue(workspace, friendly_name="Parked", target_workers="")
    assert names(api, path, TaskQueueSid=queue.sid) == ["Alice", "Carol"]
    assert names(api, path, TaskQueueName="Billing", Available="yes") == ["Alice"]
    assert names(api, path, TaskQueueSid=unserved.sid) == []
    assert names(api, path, TaskQueueSid=queue.sid, TaskQueueName="Parked") == []
    assert names(api, path, TaskQueueName="none of that name") == []


def test_the_list_is_ordered_by_when_a_worker_last_moved(
    api: Api, workspace: models.Workspace, path: str
) -> None:
    api.post(f"{path}/{sid_of('Alice')}", ActivitySid=factories.activity(workspace, "Busy").sid)
    assert names(api, path, Ordering="DateStatusChanged:asc") == ["Bob", "Carol", "Alice"]
    assert names(api, path, Ordering="DateStatusChanged:desc") == ["Alice", "Carol", "Bob"]


def test_a_worker_channel_is_found_by_three_names(api: Api, path: str, root: str) -> None:
    channels = f"{path}/{sid_of('Alice')}/Channels"
    channel = api.get(f"{channels}/chat")
    assert api.get(f"{channels}/{channel['sid']}").json == channel.json
    assert api.get(f"{channels}/{channel['task_channel_sid']}").json == channel.json
    others = f"{path}/{sid_of('Bob')}/Channels"
    assert api.get(f"{others}/{channel['sid']}").status == 404
    assert "ETag" not in channel.response.headers


def test_capacity_and_availability_are_set_independently(api: Api, path: str) -> None:
    chat = f"{path}/{sid_of('Alice')}/Channels/chat"
    assert api.post(chat, Capacity=4)["configured_capacity"] == 4
    off = api.post(chat, Available="false")
    assert (off["available"], off["configured_capacity"]) == (False, 4)
    assert off["available_capacity_percentage"] == 100
    kept = api.post(chat, ReservedForManual=1, Available="true", Capacity=3)
    assert (kept["reserved_for_manual"], kept["available"]) == (1, True)
    assert kept["configured_capacity"] == 3


def test_a_capacity_of_zero_is_zero_percent(api: Api, path: str) -> None:
    chat = f"{path}/{sid_of('Alice')}/Channels/chat"
    assert api.post(chat, Capacity=0)["available_capacity_percentage"] == 0


@pytest.mark.parametrize("capacity", ["-1", "51", "x", "", "1.5", "9" * 20, "9" * 5_000])
def test_a_capacity_out_of_range_is_refused(api: Api, path: str, capacity: str) -> None:
    answer = api.post(f"{path}/{sid_of('Alice')}/Channels/chat", Capacity=capacity)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert answer.message.startswith("Capacity is ")
    assert len(answer.message) < 200


def test_percentages_count_offers_and_accepted_tasks(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    worker = factories.worker(workspace, capacity={"chat": 3})
    chat = f"{root}/Workers/{worker.sid}/Channels/chat"
    factories.offered(workspace)
    after = api.get(chat)
    assert (after["available_capacity_percentage"], after["assigned_tasks"]) == (66, 0)
    factories.accepted(workspace)
    after = api.get(chat)
    assert (after["available_capacity_percentage"], after["assigned_tasks"]) == (33, 1)
    assert after["busy_capacity_percentage"] == 66
