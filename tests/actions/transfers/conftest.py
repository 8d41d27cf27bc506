"""Fixtures of transfer tests: an accepted task, the steps of a transfer, and the invariants."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from routing import diagnosis, models
from routing.actions import reservations, transfers
from routing.actors import SYSTEM
from routing.core.vocabulary import TransferMode
from tests import factories
from tests.factories import NOW

Happened = Callable[[], list[str]]
COLD, WARM = TransferMode.COLD, TransferMode.WARM


@pytest.fixture
def alice_reservation(workspace: models.Workspace) -> models.Reservation:
    """Return a task that Alice has accepted."""
    factories.worker(workspace, "Alice")
    return factories.accepted(workspace, attributes={"subject": "refund"})


def begin(
    alice_reservation: models.Reservation, to: str, mode: TransferMode = COLD, **given: object
) -> models.Transfer:
    return transfers.begin_transfer(
        reservation=alice_reservation,
        to=to,
        mode=mode,
        actor=SYSTEM,
        now=NOW,
        **given,  # type: ignore[arg-type]
    )


def offer_of(worker: models.Worker) -> models.Reservation:
    return worker.reservations.filter(reservation_status="pending").get()


def accept(worker: models.Worker) -> models.Reservation:
    return reservations.accept_reservation(reservation=offer_of(worker), actor=SYSTEM, now=NOW)


def reject(worker: models.Worker) -> None:
    reservations.reject_reservation(reservation=offer_of(worker), actor=SYSTEM, now=NOW)


def consumed(worker: models.Worker) -> int:
    return factories.worker_channel(worker).consumed


def outcome(transfer: models.Transfer) -> tuple[str, str | None]:
    transfer.refresh_from_db()
    return transfer.transfer_status, transfer.transfer_failed_reason


@pytest.fixture(autouse=True)
def _nothing_disagrees(db: None) -> object:
    """After every test the rows agree with each other."""
    yield
    assert list(diagnosis.find_problems()) == []
