"""Print the creation and the offers of each task as JSON.

`python -m tests.chaos.task_histories`, with the environment of the server.
"""

from __future__ import annotations

import json
import os

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django

django.setup()

from routing import models  # noqa: E402


def main() -> None:
    """Print the number, the time of creation and the offers of each task."""
    tasks = {
        sid: {"number": json.loads(attributes)["number"], "at": at.timestamp(), "offers": []}
        for sid, attributes, at in models.Task.objects.values_list(
            "sid", "attributes", "date_created"
        )
    }
    open_ = ("pending", "accepted")
    for sid, at, status in models.Reservation.objects.order_by("pk").values_list(
        "task__sid", "date_created", "reservation_status"
    ):
        tasks[sid]["offers"].append([at.timestamp(), status in open_])
    print(json.dumps(tasks))  # noqa: T201 - the report is the output


if __name__ == "__main__":
    main()
