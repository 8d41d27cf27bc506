"""Several bookkeepers on PostgreSQL, while other threads write and a doctor looks on.

`python -m tests.races.bookkeepers SCENARIO` prints a report as JSON; see `runner`.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.races.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import Sum  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from django.utils import timezone  # noqa: E402

from routing import models  # noqa: E402
from routing.actions import task_transitions  # noqa: E402
from routing.actors import Actor  # noqa: E402
from routing.db.consistent import consistent_snapshot  # noqa: E402
from routing.statistics import audits, bookkeeper  # noqa: E402
from tests import factories  # noqa: E402

WRITERS, BOOKKEEPERS, TURNS = 6, 3, 25
CUSTOMER = Actor(type="account", sid="AC0", source="api")


def write_tasks(workspace: models.Workspace, number: int) -> None:
    """Create and cancel tasks, in transactions that stay open for up to 20 ms."""
    dice = random.Random(number)
    for _ in range(TURNS):
        with transaction.atomic():
            task = factories.task(workspace, actor=CUSTOMER, now=timezone.now())
            time.sleep(dice.random() / 50)
        if dice.random() < 0.7:
            task_transitions.cancel_task(task=task, actor=CUSTOMER, now=timezone.now())
    connection.close()


def repeat(act: Callable[[], object], done: threading.Event) -> threading.Thread:
    """Start a thread that acts until all is done."""

    def run() -> None:
        while not done.is_set():
            act()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def count_by_several() -> dict[str, Any]:
    """Count while others write; each event counts once, and the books always balance."""
    workspace = factories.workspace(now=timezone.now())
    factories.workflow(workspace)
    batches: list[int] = []
    problems: list[str] = []
    done = threading.Event()

    def count() -> None:
        batches.append(bookkeeper.count_batch(workspace, now=timezone.now(), limit=7))

    def examine() -> None:
        with consistent_snapshot():
            problems.extend(audits.find_problems())

    watchers = [repeat(count, done) for _ in range(BOOKKEEPERS)] + [repeat(examine, done)]
    writers = [threading.Thread(target=write_tasks, args=(workspace, n)) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    done.set()
    for watcher in watchers:
        watcher.join()
    while bookkeeper.keep_books(now=timezone.now()):
        pass
    problems.extend(audits.find_problems())
    events = models.Event.objects.filter(workspace_sid=workspace.sid)
    rows = models.Figure.objects.aggregate(Sum("entered"), Sum("abandoned"))
    return {
        "problems": problems,
        "dropped": batches.count(0),
        "entered": rows["entered__sum"] - events.filter(event_type="task-queue.entered").count(),
        "abandoned": rows["abandoned__sum"] - events.filter(event_type="task.canceled").count(),
        "tasks": events.filter(event_type="task.created").count(),
    }


def count_after_restore() -> dict[str, Any]:
    """Go on counting after a restore into a server whose transaction ids start again."""
    workspace = factories.workspace(now=timezone.now())
    factories.task(workspace, now=timezone.now())
    bookkeeper.keep_books(now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE events SET transaction_id = transaction_id + 1000000")
        cursor.execute("UPDATE bookmarks SET transaction_id = transaction_id + 1000000")
    call_command("migrate", verbosity=0)
    factories.task(workspace, now=timezone.now())
    bookkeeper.keep_books(now=timezone.now())
    rows = models.Figure.objects.aggregate(Sum("entered"))
    return {"entered": rows["entered__sum"], "problems": list(audits.find_problems())}


if __name__ == "__main__":
    setup_test_environment()
    call_command("migrate", verbosity=0)
    scenario = {"several": count_by_several, "restored": count_after_restore}[sys.argv[1]]
    print(json.dumps(scenario()))  # noqa: T201 - the report is the output
