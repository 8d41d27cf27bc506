"""Task channels by request."""

from __future__ import annotations

import pytest

from routing import models
from tests import factories
from tests.api.conftest import Api


def test_every_worker_gets_a_new_channel_with_a_capacity_of_one(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    worker = factories.worker(workspace)
    made = api.post(
        f"{root}/TaskChannels",
        FriendlyName="E-mail",
        UniqueName="EMail",
        ChannelOptimizedRouting="true",
    )
    assert (made.status, made["unique_name"]) == (201, "email")
    assert made["channel_optimized_routing"] is True
    channel = api.get(f"{root}/Workers/{worker.sid}/Channels/email")
    assert (channel["configured_capacity"], channel["available"]) == (1, True)


@pytest.mark.parametrize("name", ["e-mail", "e mail", "2nd", "", "é", "a" * 65])
def test_a_name_that_no_expression_could_read_is_refused(api: Api, root: str, name: str) -> None:
    answer = api.post(f"{root}/TaskChannels", FriendlyName="E-mail", UniqueName=name)
    assert (answer.status, answer["code"]) == (400, 20001)
    assert "UniqueName" in answer.message


def test_a_channel_is_found_by_its_sid_and_its_name(api: Api, root: str) -> None:
    by_name = api.get(f"{root}/TaskChannels/chat")
    assert api.get(f"{root}/TaskChannels/Chat").json == by_name.json
    assert api.get(f"{root}/TaskChannels/{by_name['sid']}").json == by_name.json


def test_renaming_a_channel_keeps_its_unique_name(api: Api, root: str) -> None:
    after = api.post(f"{root}/TaskChannels/chat", FriendlyName="Web chat", UniqueName="webchat")
    assert (after["friendly_name"], after["unique_name"]) == ("Web chat", "chat")


def test_two_of_one_unique_name_are_refused(api: Api, root: str) -> None:
    answer = api.post(f"{root}/TaskChannels", FriendlyName="Chat too", UniqueName="CHAT")
    assert (answer.status, answer["code"]) == (400, 20001)


def test_a_channel_in_use_is_not_deleted_nor_is_default(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    factories.task(workspace, channel="chat")
    for kept in ("default", "chat"):
        answer = api.delete(f"{root}/TaskChannels/{kept}")
        assert (answer.status, answer["code"]) == (400, 20001)
    assert api.delete(f"{root}/TaskChannels/sms").status == 204
    assert api.get(f"{root}/TaskChannels/sms").status == 404
