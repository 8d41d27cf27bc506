"""Check the database of a server, and print violations and numbers of rows as JSON.

`python -m tests.system.database_audit`, with the environment of the server.
"""

from __future__ import annotations

import json
import os
import traceback
from collections import Counter

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

from django.core.management import CommandError, call_command  # noqa: E402

from routing import models  # noqa: E402
from tests.properties.router_laws import Histories, check_rows  # noqa: E402


def find_violations() -> list[str]:
    """Return the violations of the rules of routing, by the rows and by the events."""
    found = []
    for floor in models.Workspace.objects.all():
        tasks, reservations = list(floor.tasks.all()), list(floor.reservations.all())
        histories = Histories(floor)
        try:
            check_rows(tasks, reservations)
            histories.check_reservations(reservations)
            histories.check_tasks(tasks)
        except AssertionError:
            found.append(traceback.format_exc())
    try:
        call_command("doctor", stdout=open(os.devnull, "w"))  # noqa: SIM115
    except CommandError as error:
        found.append(f"the doctor: {error}")
    return found


def main() -> None:
    """Print the violations, and the numbers of rows."""
    numbers = Counter(
        (floor, json.loads(text)["number"])
        for floor, text in models.Task.objects.values_list("workspace_id", "attributes")
    )
    completed = models.Reservation.objects.filter(reservation_status="completed")
    owners = Counter(completed.values_list("task__sid", flat=True))
    report = {
        "wrong": find_violations(),
        "doubled": [which for which, count in numbers.items() if count > 1],
        "two owners": [sid for sid, count in owners.items() if count > 1],
        "statuses": Counter(models.Task.objects.values_list("assignment_status", flat=True)),
        "completed": list(
            models.Task.objects.filter(assignment_status="completed").values_list("sid", flat=True)
        ),
        "events": models.Event.objects.count(),
        "undelivered": models.UnpublishedEvent.objects.count(),
    }
    print(json.dumps(report))  # noqa: T201 - the report is the output


if __name__ == "__main__":
    main()
