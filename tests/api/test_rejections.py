"""Reasons to reject by request, and the pause after a rejection."""

from __future__ import annotations

import pytest
from django.utils import timezone

from routing import models
from tests import factories
from tests.api.conftest import Api


def test_a_workspace_has_a_pause_and_reasons(api: Api) -> None:
    made = api.post(
        "/v1/Workspaces", FriendlyName="New", RejectionPause=60, RejectionReasons="Conflict\nOther"
    )
    assert (made["rejection_pause"], made["rejection_reasons"]) == (60, "Conflict\nOther")
    changed = api.post(f"/v1/Workspaces/{made['sid']}", RejectionPause=0, RejectionReasons="")
    assert (changed["rejection_pause"], changed["rejection_reasons"]) == (0, "")


def test_by_default_there_is_neither_as_in_taskrouter(api: Api) -> None:
    made = api.post("/v1/Workspaces", FriendlyName="New")
    assert (made["rejection_pause"], made["rejection_reasons"]) == (0, "")


@pytest.mark.parametrize(
    ("field", "value"),
    [("RejectionPause", "-1"), ("RejectionPause", "3601"), ("RejectionReasons", "x" * 65)],
)
def test_an_invalid_value_is_refused_by_name(api: Api, root: str, field: str, value: str) -> None:
    answer = api.post(root, **{field: value})
    assert (answer.status, answer["code"]) == (400, 20001)
    assert field in answer.message


def test_a_reservation_is_rejected_with_a_reason(
    api: Api, workspace: models.Workspace, root: str
) -> None:
    api.post(root, RejectionReasons="Conflict")
    factories.worker(workspace)
    offer = factories.offered(workspace, now=timezone.now())
    url = f"{root}/Tasks/{offer.task.sid}/Reservations/{offer.sid}"
    wrong = api.post(url, ReservationStatus="rejected", RejectionReason="Boring")
    assert (wrong.status, wrong["code"]) == (400, 20001)
    assert "RejectionReason" in wrong.message
    done = api.post(url, ReservationStatus="rejected", RejectionReason="Conflict")
    assert (done["reservation_status"], done["rejection_reason"]) == ("rejected", "Conflict")
