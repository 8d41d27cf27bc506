"""Make workspaces of any size by copying rows in bulk."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

from django.db import connection, transaction

from routing import models, sids
from tests import factories
from tests.factories import NOW

LANGUAGES = ["en", "de", "fr", "es", "it"]
ASKED = (
    "worker.languages HAS task.lang AND worker.level >= task.level"
    " AND worker.channel.chat.available_capacity_percentage > task.room"
    " AND (worker.region == task.here OR worker.region == task.there)"
)
CHUNK = 20_000


def make_workspace(*, workers: int, lanes: int) -> models.Workspace:
    """Make a workspace: so many workers, half of them there, and one task on each lane."""
    floor = factories.workspace()
    queue = factories.queue(floor)
    factories.workflow(floor, default={"queue": queue.sid, "expression": ASKED})
    add_workers(floor, workers)
    with transaction.atomic():
        for number in range(lanes):
            factories.task(
                floor,
                attributes={
                    "lang": LANGUAGES[number % 5],
                    "level": number // 5 % 5,
                    "room": number // 25 % 4 * 25,
                    "here": number // 100,
                    "there": (number + 3) // 10 % 10,
                },
            )
    return floor


def add_workers(floor: models.Workspace, count: int, **attributes: object) -> list[models.Worker]:
    """Add workers with room for four chats, half of them there; skills by chance unless given."""
    dice = random.Random(count)
    there, away = factories.activity(floor), factories.activity(floor, "Offline")
    made = models.Worker.objects.bulk_create(
        (
            models.Worker(
                sid=sids.new_sid("WK"),
                workspace=floor,
                friendly_name=f"worker {sids.new_sid('WK')}",
                activity=away if number % 2 else there,
                attributes=json.dumps(attributes or draw_skills(dice)),
                date_status_changed=NOW,
                date_created=NOW,
                date_updated=NOW,
                last_reserved_us=number,
            )
            for number in range(count)
        ),
        batch_size=1_000,
    )
    channels = list(floor.task_channels.all())
    models.WorkerChannel.objects.bulk_create(
        (
            models.WorkerChannel(
                sid=sids.new_sid("WC"),
                worker=worker,
                task_channel=channel,
                configured_capacity=4 if channel.unique_name == "chat" else 1,
                worker_available=worker.activity.available,
                date_created=NOW,
                date_updated=NOW,
            )
            for worker in made
            for channel in channels
        ),
        batch_size=1_000,
    )
    return made


def draw_skills(dice: random.Random) -> dict[str, object]:
    """Draw the skills of one worker at random."""
    return {
        "languages": dice.sample(LANGUAGES, 2),
        "level": dice.randrange(5),
        "region": dice.randrange(10),
    }


def add_waiting_tasks(floor: models.Workspace, size: int) -> None:
    """Add waiting tasks up to this number, spread over the lanes."""
    missing = size - models.Task.objects.pending().filter(workspace=floor).count()
    if missing <= 0:
        return
    alive = models.Task.objects.filter(workspace=floor, date_finished=None)
    made = alive.order_by("pk").values_list("pk", flat=True)
    there = list(made[:1_000])
    first = random.Random(size).sample(there, min(missing, len(there)))
    columns = [
        field.column
        for field in models.Task._meta.concrete_fields
        if field.column not in ("id", "sid", "virtual_start_us", "assignment_status")
    ]
    for part in _parts(missing, CHUNK):
        with connection.cursor() as cursor:
            cursor.execute(_copies(columns, len(first)), [part // len(first), *first])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _parts(total: int, most: int) -> Iterator[int]:
    while total > 0:
        yield min(total, most)
        total -= most


def _copies(columns: list[str], models_: int) -> str:
    """Return the statement that copies tasks so many times, each copy a little later."""
    if connection.vendor == "postgresql":
        sid = "'WT' || md5(random()::text || tasks.id || copy.n)"
        series = "generate_series(1, %s) AS copy (n)"
        head = ""
    else:
        sid = "'WT' || lower(hex(randomblob(16)))"
        series = "copy"
        head = (
            "WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < %s) "
        )
    names = ", ".join(columns)
    marks = ", ".join(["%s"] * models_)
    return (
        f"INSERT INTO tasks (sid, virtual_start_us, assignment_status, {names}) {head}"
        f"SELECT {sid}, virtual_start_us + copy.n, 'pending', {names} FROM tasks, {series}"
        f" WHERE tasks.id IN ({marks})"
    )
