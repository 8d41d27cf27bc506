"""Logging out: available agents must confirm, and all tabs end together."""

from __future__ import annotations

import pytest

from agents import consumers
from routing.actions import logins
from routing.core.vocabulary import ReservationStatus
from routing.sdk import lease_renewal
from tests.agents.conftest import Desk, Floor, make_floor
from tests.agents.sockets import closed, do, opened


def log_out(desk: Desk, **given: str) -> tuple[int, str]:
    """Send the form of the desk's header."""
    answer = desk.client.post(f"/agent/log-out{desk.here}", given)
    return answer.status_code, answer.content.decode()


def is_logged_in(desk: Desk) -> bool:
    return "_auth_user_id" in desk.client.session


def activity(desk: Desk) -> str:
    desk.worker.refresh_from_db()
    return desk.worker.activity.friendly_name


def test_an_available_agent_must_confirm_the_logout(floor: Floor) -> None:
    floor.accepted()
    status, page = log_out(floor.alice)
    assert status == 200
    assert "<strong>Available</strong> with 1 task in hand" in page
    assert "moved to “Offline” after 30 seconds" in page
    for choice in ("Stay", "Only log out", "Go to Offline and log out"):
        assert choice in page
    assert is_logged_in(floor.alice)
    assert activity(floor.alice) == "Available"


def test_going_offline_and_logging_out_gives_offers_to_others(floor: Floor) -> None:
    offer = floor.offered()
    held = floor.accepted()
    assert log_out(floor.alice, choice="offline")[0] == 302
    assert not is_logged_in(floor.alice)
    assert activity(floor.alice) == "Offline"
    offer.refresh_from_db()
    held.refresh_from_db()
    assert offer.reservation_status == ReservationStatus.RESCINDED
    assert held.reservation_status == ReservationStatus.ACCEPTED


def test_only_logging_out_keeps_the_agent_s_activity(floor: Floor) -> None:
    assert log_out(floor.alice, choice="only")[0] == 302
    assert not is_logged_in(floor.alice)
    assert activity(floor.alice) == "Available"


def test_an_unavailable_agent_need_not_confirm_the_logout(floor: Floor) -> None:
    assert log_out(floor.bob)[0] == 302
    assert not is_logged_in(floor.bob)


def test_a_script_gets_the_question_without_the_page(floor: Floor) -> None:
    answer = floor.alice.client.post(
        f"/agent/log-out{floor.alice.here}", headers={"X-Requested-With": "desk"}
    )
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
async def test_logging_out_in_one_tab_closes_every_tab_at_once() -> None:
    floor = await do(make_floor)
    async with opened(floor.alice) as first, opened(floor.alice) as second:
        assert (await do(log_out, floor.alice, choice="offline"))[0] == 302
        assert await closed(first) == consumers.LOGGED_OUT
        assert await closed(second) == consumers.LOGGED_OUT


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["page", "password"])
async def test_an_open_desk_closes_at_once_when_its_session_ends(way: str) -> None:
    floor = await do(make_floor)
    alice = floor.alice
    async with opened(alice) as desk:
        if way == "page":
            await do(alice.client.post, "/accounts/logout/")
        else:
            await do(logins.reset_password, user=alice.user, password="quite another secret")
            await do(lease_renewal.recheck_desks, [alice.worker.sid])
        assert await closed(desk) == consumers.LOGGED_OUT
