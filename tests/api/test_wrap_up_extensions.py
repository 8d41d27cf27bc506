"""More time for wrapping up, by request."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from routing import models
from routing.actions import task_transitions
from routing.actors import SYSTEM
from tests import factories
from tests.api.conftest import Api


@pytest.fixture
def held(workspace: models.Workspace) -> models.Reservation:
    """Return a reservation in a wrap-up of at most 60 seconds."""
    queue = factories.queue(workspace, wrap_up_limit=60)
    factories.workflow(workspace, default=queue)
    factories.worker(workspace)
    row = factories.accepted(workspace, now=timezone.now())
    task_transitions.wrap_up_task(task=row.task, actor=SYSTEM, now=timezone.now())
    row.refresh_from_db()
    return row


def extend(api: Api, root: str, held: models.Reservation, **given: Any) -> Any:
    url = f"{root}/Workers/{held.worker_sid}/Reservations/{held.sid}"
    return api.post(url, **{"ExtendWrapUp": "true"} | given)


def test_a_wrap_up_is_extended_once(api: Api, root: str, held: models.Reservation) -> None:
    before = held.wrap_up_deadline_us
    assert before is not None
    assert extend(api, root, held, ExtendWrapUp="false").status == 200
    held.refresh_from_db()
    assert held.wrap_up_deadline_us == before
    assert extend(api, root, held)["reservation_status"] == "wrapping"
    held.refresh_from_db()
    assert held.wrap_up_deadline_us == before + 60_000_000
    again = extend(api, root, held)
    assert (again.status, "extended already" in again.message) == (400, True)


def test_an_extension_changes_no_status_and_keeps_to_the_version(
    api: Api, root: str, held: models.Reservation
) -> None:
    both = extend(api, root, held, ReservationStatus="completed")
    assert (both.status, "ExtendWrapUp" in both.message) == (400, True)
    url = f"{root}/Workers/{held.worker_sid}/Reservations/{held.sid}"
    stale = api.post(url, if_match="99", ExtendWrapUp="true")
    assert stale.status == 412
    held.refresh_from_db()
    assert (held.reservation_status, held.wrap_up_extended) == ("wrapping", False)


def test_only_a_wrap_up_is_extended(api: Api, root: str, workspace: models.Workspace) -> None:
    factories.worker(workspace)
    row = factories.accepted(workspace, now=timezone.now())
    answer = extend(api, root, row)
    assert (answer.status, "not in wrap-up" in answer.message) == (400, True)
