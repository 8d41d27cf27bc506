"""Rejecting an offer with a reason, at the desk and by REST."""

from __future__ import annotations

import pytest

from routing.actions import workspaces
from routing.actors import SYSTEM
from tests import factories
from tests.agents.conftest import Floor


@pytest.fixture
def reasons(floor: Floor) -> None:
    workspaces.update_workspace(
        workspace=floor.workspace,
        rejection_reasons="Wrong language\n<Conflict>",
        rejection_pause=60,
        actor=SYSTEM,
        now=factories.NOW,
    )


def test_without_reasons_an_offer_has_no_link_to_choose_one(floor: Floor) -> None:
    offer = floor.offered()
    assert "data-asks" not in floor.alice.get("panels/offers")
    answer = floor.alice.client.get(f"/agent/reject/{offer.sid}{floor.alice.here}")
    assert answer.status_code == 404


@pytest.mark.usefixtures("reasons")
def test_reasons_are_offered_on_a_page_and_the_chosen_one_is_stored(floor: Floor) -> None:
    offer = floor.offered(attributes={"subject": "Broken router"})
    assert f'href="/agent/reject/{offer.sid}' in floor.alice.get("panels/offers")
    page = floor.alice.get(f"reject/{offer.sid}")
    for words in ("Broken router", "Wrong language", "&lt;Conflict&gt;", "60 seconds"):
        assert words in page
    status, _ = floor.alice.press(
        "reservation.reject", reservation=offer.sid, reason="Wrong language"
    )
    offer.refresh_from_db()
    assert (status, offer.reservation_status) == (200, "rejected")
    assert offer.rejection_reason == "Wrong language"


@pytest.mark.usefixtures("reasons")
def test_a_reason_may_be_left_out(floor: Floor) -> None:
    offer = floor.offered()
    assert floor.alice.press("reservation.reject", reservation=offer.sid)[0] == 200
    offer.refresh_from_db()
    assert offer.rejection_reason is None


@pytest.mark.usefixtures("reasons")
@pytest.mark.parametrize(("reason", "status"), [("Boring", 409), ("x" * 65, 400)])
def test_an_unknown_reason_rejects_nothing(floor: Floor, reason: str, status: int) -> None:
    offer = floor.offered()
    answer = floor.alice.press("reservation.reject", reservation=offer.sid, reason=reason)
    assert answer[0] == status
    offer.refresh_from_db()
    assert offer.reservation_status == "pending"


@pytest.mark.usefixtures("reasons")
def test_the_offer_of_another_agent_cannot_be_asked_about(floor: Floor) -> None:
    offer = floor.offered()
    answer = floor.bob.client.get(f"/agent/reject/{offer.sid}{floor.bob.here}")
    assert answer.status_code == 404
