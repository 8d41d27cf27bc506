"""The settings of sound and notifications: kept per user, checked, applied to all desks."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from routing import models
from routing.actions import desk_settings
from tests import factories
from tests.agents.conftest import BACKEND, Desk, Floor, desk, make_floor
from tests.agents.sockets import connection, do, event, heard, opened

DEFAULTS = {"sound": True, "tone": "bell", "volume": 60, "notifications": False, "silent": []}


def channels_of(one: Desk) -> list[str]:
    """Return the sids of the channels of a desk's workspace."""
    rows = one.worker.workspace.task_channels.order_by("pk")
    return list(rows.values_list("sid", flat=True))


def save(one: Desk, **given: Any) -> tuple[int, Any]:
    """Save settings as the dialog does; return status and reply."""
    fields = {"sound": "true", "tone": "bell", "volume": "60", "calling": channels_of(one)} | given
    fields = {name: value for name, value in fields.items() if value is not None}
    answer = one.client.post(
        f"/agent/calling{one.here}", fields, headers={"X-Requested-With": "desk"}
    )
    return answer.status_code, answer.json()


def shown(one: Desk) -> Any:
    """Return the settings that a page of the desk begins with."""
    found = re.search(r'data-settings="([^"]*)"', one.get())
    assert found is not None
    return json.loads(html.unescape(found[1]))


def test_sound_is_on_and_notifications_are_off_until_the_user_chooses(floor: Floor) -> None:
    assert shown(floor.alice) == DEFAULTS
    chat = factories.channel(floor.workspace).sid
    calling = [sid for sid in channels_of(floor.alice) if sid != chat]
    given = {"sound": None, "tone": "chime", "volume": "5", "notifications": "true"}
    status, reply = save(floor.alice, calling=calling, **given)
    chosen = {
        "sound": False,
        "tone": "chime",
        "volume": 5,
        "notifications": True,
        "silent": [chat],
    }
    assert (status, reply) == (200, {"ok": True, "settings": chosen})
    assert shown(floor.alice) == chosen
    assert shown(floor.bob) == DEFAULTS


def test_a_user_has_one_choice_for_all_their_workspaces(floor: Floor) -> None:
    elsewhere = factories.workspace(account=floor.workspace.account)
    second = desk(elsewhere, "Alice")
    save(floor.alice, tone="pulse", calling=channels_of(floor.alice)[1:])
    save(second, tone="pulse", calling=channels_of(second)[1:])
    assert shown(floor.alice)["tone"] == shown(second)["tone"] == "pulse"
    silent = [channels_of(floor.alice)[0], channels_of(second)[0]]
    assert shown(second)["silent"] == silent
    # Each page changes the channels of its own workspace.
    save(second)
    assert shown(second)["silent"] == silent[:1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("volume", "101"),
        ("volume", "-1"),
        ("volume", "loud"),
        ("volume", None),
        ("tone", "trumpet"),
        ("tone", None),
        ("calling", ["TC" + "0" * 32]),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(floor: Floor, field: str, value: Any) -> None:
    status, reply = save(floor.alice, **{field: value})
    assert status == 400
    assert reply["error"]["message"].startswith(f"{field}: ")
    assert not models.DeskSettings.objects.exists()


def test_the_number_of_silent_channels_is_bounded(floor: Floor) -> None:
    many = [f"TC{number:032x}" for number in range(300)]
    models.DeskSettings.objects.create(user=floor.alice.user, silent_channels=many)
    save(floor.alice)
    assert len(shown(floor.alice)["silent"]) == desk_settings.MOST_SILENT_CHANNELS


def test_settings_are_not_saved_without_the_csrf_token_or_a_login(floor: Floor) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(floor.alice.user, backend=BACKEND)
    fields = {"tone": "chime", "volume": "10"}
    assert client.post(f"/agent/calling{floor.alice.here}", fields).status_code == 403
    script = {"X-Requested-With": "desk"}
    answer = Client().post(f"/agent/calling{floor.alice.here}", fields, headers=script)
    assert answer.status_code == 401
    assert floor.alice.client.get(f"/agent/calling{floor.alice.here}").status_code == 405
    assert not models.DeskSettings.objects.exists()


def test_an_offer_names_its_channel_so_that_it_can_be_silent(floor: Floor) -> None:
    floor.offered()
    channel = factories.channel(floor.workspace)
    assert f'data-channel="{channel.sid}"' in floor.alice.get("panels/offers")


@pytest.mark.django_db(transaction=True)
async def test_a_change_reaches_every_tab_of_the_user_and_those_that_come_back(
    transactional_db: None,
) -> None:
    floor = await do(make_floor)
    async with opened(floor.alice) as one, opened(floor.alice) as two, opened(floor.bob) as bob:
        await do(save, floor.alice, volume="35")
        for tab in (one, two):
            frame = await event(tab, "desk.settings")
            assert frame["settings"] == DEFAULTS | {"volume": 35}
        assert await bob.receive_nothing(timeout=0.05)
    socket = connection(floor.alice.client, floor.alice.here)
    await socket.connect(timeout=30)
    assert (await heard(socket))["settings"] == DEFAULTS | {"volume": 35}
    await socket.disconnect()
