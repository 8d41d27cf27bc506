"""Fill the database of a soak, delete what is old, and read what grows; a helper process.

It has the settings of the server. Commands and answers are lines of JSON, see `processes.Helper`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, Final

import django

django.setup()

from django.conf import settings  # noqa: E402 - they need the settings above
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from routing import housekeeping, models  # noqa: E402
from routing.actions import accounts, workspaces  # noqa: E402
from routing.actors import SYSTEM  # noqa: E402
from tests import factories  # noqa: E402
from tests.benchmarks import latency_data  # noqa: E402

KEPT_DAYS: Final = 5 / 24 / 60
"""Days for which finished tasks and events are kept here: five minutes."""
LEAST_ROWS: Final = 1_000
"""Rows below which a table's share of dead rows says nothing."""

_TABLES: Final = """
    SELECT relname, n_live_tup, n_dead_tup, pg_relation_size(relid) FROM pg_stat_user_tables
"""


def fill(desks: int, capacity: int) -> dict[str, Any]:
    """Make a workspace with agents who are available, each with a login; return how to reach it."""
    now = timezone.now()
    account, token = accounts.create_account(friendly_name="Soak", now=now)
    floor = workspaces.create_workspace(
        account=account, friendly_name="Soak", actor=SYSTEM, now=now
    )
    # An event of the past would let the bookkeeper write slot figures for all quarters since.
    queue = factories.queue(floor, now=now)
    workflow = factories.workflow(floor, default=queue, now=now)
    cookies = [latency_data.add_agent(floor, "here") for _ in range(desks)]
    models.WorkerChannel.objects.filter(worker__workspace=floor).update(
        configured_capacity=capacity, worker_available=True
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {
        "username": account.sid,
        "password": token,
        "base": f"/Workspaces/{floor.sid}",
        "workflow": workflow.sid,
        "cookies": cookies,
    }


def delete_old_rows() -> dict[str, Any]:
    """Delete what is past the retention of a soak."""
    settings.TASK_RETENTION_DAYS = KEPT_DAYS
    housekeeping.delete_old_rows(now=timezone.now())
    return {}


def read() -> dict[str, Any]:
    """Return the largest share of dead rows, the sizes in bytes, and the unpublished events."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = cursor.fetchall()
    dead = {name: gone / (live + gone) for name, live, gone, _ in tables if live >= LEAST_ROWS}
    worst = max(dead, key=dead.__getitem__, default="")
    return {
        "dead": dead.get(worst, 0.0),
        "dead_in": worst,
        "bytes": {name: size for name, _, _, size in tables},
        "unpublished": models.UnpublishedEvent.objects.count(),
        "open": models.Task.objects.filter(date_finished=None).count(),
    }


COMMANDS: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    "fill": fill,
    "delete_old_rows": delete_old_rows,
    "read": read,
}


if __name__ == "__main__":
    for line in sys.stdin:
        given = json.loads(line)
        print(json.dumps(COMMANDS[given.pop("do")](**given)), flush=True)  # noqa: T201 - its answer
