"""A new router that makes its first offer in a workspace, and prints what that cost as JSON (P15).

`python -m tests.benchmarks.new_router WORKSPACE`, on the database of `RACES_DATABASE_URL`.
"""

from __future__ import annotations

import json
import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.races.settings")
django.setup()

from django.utils import timezone  # noqa: E402 - they need the settings above

from routing import models  # noqa: E402
from routing.router import rounds  # noqa: E402
from tests.benchmarks.processes import memory_kb  # noqa: E402


def main(workspace_sid: str) -> dict[str, float]:
    """Return the CPU seconds until the first offer, those of a second cycle, and the memory."""
    floor = models.Workspace.objects.get(sid=workspace_sid)
    moments = [time.process_time()]
    offers = []
    for _ in range(2):
        offers.append(rounds.run_cycle(workspace=floor, now=timezone.now()))
        moments.append(time.process_time())
    assert offers[0] > 0
    return {
        "router, CPU seconds of the first cycle": moments[1] - moments[0],
        "router, CPU seconds of the second cycle": moments[2] - moments[1],
        "router, MB": memory_kb(os.getpid()) / 1024,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))  # noqa: T201 - its result
