"""Find the workers who serve a queue, within a limit."""

from __future__ import annotations

from typing import Final

from routing import models
from routing.core import eligibility
from routing.core.snapshot import Worker
from routing.snapshots import lanes as lane_snapshots
from routing.snapshots import workers as worker_snapshots

MAX_CHECKED_WORKERS: Final = 2000
"""The maximum number of workers that a page checks."""


def find_eligible_workers(queue: models.TaskQueue) -> tuple[list[Worker], int]:
    """Return the workers who serve a queue, available or not, and the number checked."""
    rows = models.Worker.objects.filter(workspace_id=queue.workspace_id).order_by("pk")
    asked = worker_snapshots.load_workers(
        models.Worker.objects.filter(pk__in=rows.values("pk")[:MAX_CHECKED_WORKERS])
    )
    seen = lane_snapshots.build_queue(queue)
    found = [
        w for w in asked if eligibility.membership_refusal(eligibility.Candidate(w), seen) is None
    ]
    return found, len(asked)
