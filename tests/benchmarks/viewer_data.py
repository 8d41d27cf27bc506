"""Make supervisors for `test_viewers` in a server's database, each with a session and a page.

This is a separate process with the settings of the server; it prints JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django

django.setup()

from django.contrib.auth.hashers import make_password  # noqa: E402 - they need the above
from django.contrib.auth.models import User  # noqa: E402
from django.utils import timezone  # noqa: E402

from routing import models  # noqa: E402
from supervisors.panels import PAGES  # noqa: E402
from supervisors.query import View  # noqa: E402
from tests.benchmarks.push_data import open_sessions  # noqa: E402

VIEWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("now", {}),
    ("now", {"channel": ("chat",)}),
    ("now", {"tz": "Europe/Berlin"}),
    ("queues", {}),
    ("queues", {"sort": "-wait"}),
    ("queue", {}),
    ("agents", {"size": 25}),
    ("agents", {"state": ("idle",), "size": 25}),
    ("tasks", {"size": 25}),
    ("tasks", {"sort": "newest", "size": 25}),
)
"""Ten pages, which viewers have in turns."""


def main(workspace_sid: str, viewers: int) -> None:
    """Make viewers, and print their pages."""
    floor = models.Workspace.objects.get(sid=workspace_sid)
    queue = floor.task_queues.all()[0]
    password = make_password(None)
    users = User.objects.bulk_create(
        User(username=f"viewer {number}", password=password) for number in range(viewers)
    )
    models.Membership.objects.bulk_create(
        models.Membership(user=user, workspace=floor) for user in users
    )
    pages = []
    for number, cookie in enumerate(open_sessions(users, timezone.now())):
        name, given = VIEWS[number % len(VIEWS)]
        more = {"queue": (queue.sid,)} if name == "queue" else given
        view = View(workspace=floor.sid, **more).canonical
        panels = ("bell", *PAGES[name].panels)
        pages.append(
            {
                "socket": f"/supervisor/socket?workspace={floor.sid}",
                "view": view,
                "panels": panels,
                "cookie": cookie,
            }
        )
    print(json.dumps(pages))  # noqa: T201 - what it is run for


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
