"""The agent's own page: colours, time zone and shortcuts, kept per user and checked."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest

from agents import shortcuts
from tests.agents.conftest import Desk, Floor

USUAL = {name: key for name, (key, _) in shortcuts.ACTIONS.items()}


def save(one: Desk, **given: Any) -> Any:
    """Save the page as a browser does."""
    fields = {"theme": "auto", "time_zone": "", "single_keys": "true"} | given
    fields = {name: value for name, value in fields.items() if value is not None}
    return one.client.post(f"/agent/me{one.here}", fields)


def keys(one: Desk) -> Any:
    """Return the keys that the desk's script uses."""
    found = re.search(r'data-keys="([^"]*)"', one.get())
    assert found is not None
    return json.loads(html.unescape(found[1]))


def test_colours_apply_to_the_desk_once_they_are_chosen(floor: Floor) -> None:
    assert "data-colours" not in floor.alice.get(), "until then the browser decides"
    assert save(floor.alice, theme="dark").status_code == 302
    assert '<html lang="en" data-colours="dark">' in floor.alice.get()
    assert re.search(r'value="dark" checked', floor.alice.get("me"))
    assert "data-colours" not in floor.bob.get()


def test_the_time_zone_is_the_user_s_own_or_the_workspace_s(floor: Floor) -> None:
    assert "(UTC)" in floor.alice.get("day")
    save(floor.alice, time_zone="Asia/Tokyo")
    assert "00:00 (Asia/Tokyo)" in floor.alice.get("day")
    assert "(UTC)" in floor.bob.get("day")


def test_shortcuts_are_the_usual_ones_until_they_are_changed(floor: Floor) -> None:
    assert keys(floor.alice) == USUAL
    save(floor.alice, key_accept="Y", key_search="ü")
    assert keys(floor.alice) == USUAL | {"accept": "y", "search": "ü"}
    assert "<kbd>Y</kbd>" in floor.alice.get()
    save(floor.alice, key_accept="")
    assert keys(floor.alice) == USUAL


def test_keys_can_be_swapped(floor: Floor) -> None:
    assert save(floor.alice, key_accept="r", key_reject="a").status_code == 302
    assert keys(floor.alice) == USUAL | {"accept": "r", "reject": "a"}


def test_single_keys_can_be_switched_off_but_for_the_help(floor: Floor) -> None:
    save(floor.alice, single_keys=None)
    assert keys(floor.alice) == {"help": "?"}
    assert "You have switched single keys off." in floor.alice.get()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"key_accept": "c"}, "“C” is used twice, also for: Complete the task in focus."),
        ({"key_accept": "1"}, "1 to 4 lead to the parts of the desk."),
        ({"key_accept": "\x07"}, "Type one letter, digit or sign."),
        ({"key_accept": "ab"}, "at most 1 character"),
        ({"theme": "pink"}, "Please correct what is marked"),
        ({"time_zone": "Mars/Olympus"}, "Please correct what is marked"),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_a_reason_and_nothing_is_saved(
    floor: Floor, given: dict[str, str], words: str
) -> None:
    save(floor.alice, theme="light")
    answer = save(floor.alice, **{"theme": "dark"} | given)
    assert answer.status_code == 400
    assert words in html.unescape(answer.content.decode())
    assert 'data-colours="light"' in floor.alice.get()
    assert keys(floor.alice) == USUAL


def test_settings_of_sound_stay_when_others_are_saved(floor: Floor) -> None:
    fields = {"tone": "pulse", "volume": "7"}
    path = f"/agent/calling{floor.alice.here}"
    answer = floor.alice.client.post(path, fields, headers={"X-Requested-With": "desk"})
    assert answer.status_code == 200
    save(floor.alice, theme="dark")
    page = html.unescape(floor.alice.get())
    assert '"tone": "pulse", "volume": 7' in page
    floor.alice.client.post(path, {"tone": "bell", "volume": "7"})
    assert 'data-colours="dark"' in floor.alice.get()


def test_the_page_needs_a_desk(floor: Floor, client: Any) -> None:
    assert client.get("/agent/me").status_code == 302
