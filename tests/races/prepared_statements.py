"""Repeat the same queries on PostgreSQL, and report which statements it prepared; see `runner`."""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - they need the settings above
from django.db import connection  # noqa: E402

from routing import models  # noqa: E402
from routing.db.compiled import MAX_PREPARED_LENGTH  # noqa: E402
from tests import factories  # noqa: E402

MANY = 2 * MAX_PREPARED_LENGTH
_PREPARED = "SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements"


def main(prepare: str) -> None:
    """Offer some tasks, with or without prepared statements."""
    connection.settings_dict["PREPARE"] = prepare == "on"
    call_command("migrate", verbosity=0)
    floor = factories.workspace()
    factories.workflow(floor)
    alice = factories.worker(floor, "Alice", capacity={"chat": 9})
    offers = [factories.offered(floor) for _ in range(4)]
    with connection.cursor() as cursor:
        cursor.execute(_PREPARED)
        prepared = dict(cursor.fetchall())
    report = {
        "offered": [offer.current_worker.sid == alice.sid for offer in offers],
        "inserts": [
            n for text, n in prepared.items() if text.startswith("INSERT INTO reservations")
        ],
        "claims": [
            n for text, n in prepared.items() if text.startswith('UPDATE "worker_channels"')
        ],
        "statements": len(prepared),
        "many": make_many_offers(floor),
    }
    print(json.dumps(report))  # noqa: T201 - what it is run for


def make_many_offers(floor: models.Workspace) -> dict[str, Any]:
    """Make more offers at once than cached statements serve; return the statements."""
    before = models.Reservation.objects.count()
    for number in range(MANY):
        factories.worker(floor, f"Worker {number}", capacity={"chat": 1})
    for _ in range(MANY):
        factories.task(floor)
    logged = io.StringIO()
    logging.getLogger("routing").addHandler(logging.StreamHandler(logged))
    factories.run(floor)
    return {"offers": models.Reservation.objects.count() - before, "said": logged.getvalue()}


if __name__ == "__main__":
    main(sys.argv[1])
