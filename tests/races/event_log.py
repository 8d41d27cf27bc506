"""Read the event log, and merge task counts, on PostgreSQL while other threads write.

`python -m tests.races.event_log SCENARIO` prints a report as JSON; see `runner`.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.races.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from django.utils import timezone  # noqa: E402

from routing import diagnosis, models  # noqa: E402
from routing.actions import activities  # noqa: E402
from routing.actors import SYSTEM  # noqa: E402
from routing.statistics import counting  # noqa: E402
from tests import factories  # noqa: E402
from tests.api.conftest import TOKEN, Api, api_of  # noqa: E402

WRITERS = 8
EVENTS_PER_WRITER = 12


def make_workspace() -> tuple[models.Workspace, Api]:
    """Make a workspace, and a REST client of its account."""
    made = factories.workspace(account=factories.account(auth_token=TOKEN), now=timezone.now())
    return made, api_of(made.account)


def read_log(api: Api, workspace: models.Workspace, after: str) -> list[str]:
    """Return the sids of the events after an event, read page by page."""
    pages = api.pages(f"Workspaces/{workspace.sid}/Events", After=after, PageSize=5)
    return [event["sid"] for page in pages for event in page]


def write_events(workspace: models.Workspace, number: int) -> None:
    """Write events, each in a transaction that stays open for up to 20 ms."""
    dice = random.Random(number)
    for turn in range(EVENTS_PER_WRITER):
        with transaction.atomic():
            activities.create_activity(
                workspace=workspace,
                friendly_name=f"{number} {turn}",
                available=True,
                actor=SYSTEM,
                now=timezone.now(),
            )
            time.sleep(dice.random() / 50)
    connection.close()


def consume_while_writing() -> dict[str, Any]:
    """Read the log repeatedly while other threads write."""
    workspace, api = make_workspace()
    read = read_log(api, workspace, "")
    writers = [threading.Thread(target=write_events, args=(workspace, n)) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    rounds = 0
    while any(writer.is_alive() for writer in writers):
        read.extend(read_log(api, workspace, read[-1]))
        rounds += 1
    read.extend(read_log(api, workspace, read[-1]))
    there = models.Event.objects.filter(workspace_sid=workspace.sid)
    return {
        "read": len(read),
        "twice": len(read) - len(set(read)),
        "missed": len(set(there.values_list("sid", flat=True)) - set(read)),
        "rounds": rounds,
        "by_id": read == list(there.order_by("pk").values_list("sid", flat=True)),
    }


def read_after_restore() -> dict[str, Any]:
    """Continue reading after a restore into a server whose transaction ids start again."""
    workspace, api = make_workspace()
    factories.activity(workspace, "Lunch")
    read = read_log(api, workspace, "")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE events SET transaction_id = transaction_id + 1000000")
    hidden = read_log(api, workspace, "")
    factories.activity(workspace, "Tea")
    call_command("migrate", verbosity=0)
    return {
        "hidden": len(hidden),
        "same": read_log(api, workspace, "")[: len(read)] == read,
        "more": len(read_log(api, workspace, read[-1])),
    }


def merge_counts_while_changing() -> dict[str, Any]:
    """Change tasks in every way while threads merge their counts, then compare the counts."""
    workspace, _ = make_workspace()
    counting.MERGE_ABOVE = 5  # type: ignore[misc]  # so that a few rows are enough
    factories.worker(workspace, capacity={"chat": 3})
    done = threading.Event()

    def merge() -> None:
        while not done.wait(0.02):
            counting.merge_counts()
        connection.close()

    mergers = [threading.Thread(target=merge) for _ in range(2)]
    for merger in mergers:
        merger.start()
    for number in range(30):
        factories.task(workspace, priority=number % 3)
        factories.run(workspace)
        models.Task.objects.filter(assignment_status="pending").update(priority=number % 5)
    done.set()
    for merger in mergers:
        merger.join()
    before = models.TaskCount.objects.count()
    counting.merge_counts()
    problems = list(diagnosis.find_problems())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tasks SET workflow_id = NULL")
    different = counting.find_differences()
    models.Reservation.objects.all().delete()
    models.Task.objects.all().delete()
    counting.merge_counts()
    return {
        "differences": len(different + counting.find_differences()),
        "problems": problems,
        "rows": before,
        "left": models.TaskCount.objects.count(),
    }


if __name__ == "__main__":
    setup_test_environment()
    call_command("migrate", verbosity=0)
    scenario = {
        "consumer": consume_while_writing,
        "restored": read_after_restore,
        "counts": merge_counts_while_changing,
    }[sys.argv[1]]
    print(json.dumps(scenario()))  # noqa: T201 - the report is the output
