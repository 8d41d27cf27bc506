"""The queues that agents gain and lose by an edit of their attributes, before it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from routing import models
from routing.actions.supervision.worker_commands import parse_edits
from routing.core.attribute_edits import EditRefused, apply_edits
from routing.snapshots.workers import load_workers
from supervisors.serving import Serving

MOST_WORKERS: Final = 500
"""The number of agents that are looked at."""
MOST_QUEUES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Gains:
    """How many agents gain and lose each queue, by its name, the most first.

    Arguments:
        looked_at: the number of agents that were looked at.
    """

    gained: Sequence[tuple[str, int]] = field(default_factory=tuple)
    lost: Sequence[tuple[str, int]] = field(default_factory=tuple)
    looked_at: int = 0


def find_gains(
    workspace: models.Workspace, edits: Iterable[Mapping[str, Any]], sids: Sequence[str]
) -> Gains:
    """Return what these agents serve after an edit and do not serve now, and the reverse.

    Arguments:
        edits: as in the arguments of `workers.set_attributes`.
    """
    rows = models.Worker.objects.filter(workspace=workspace, sid__in=sids[:MOST_WORKERS])
    before, after, parsed = load_workers(rows), [], parse_edits(edits)
    for worker in before:
        try:
            edited = apply_edits(worker.attributes, parsed)
        except EditRefused:
            edited = dict(worker.attributes)
        after.append(replace(worker, attributes=edited))
    queues = list(workspace.task_queues.order_by("friendly_name", "pk"))
    serving = Serving(queues)
    now, then = serving.find_queues(before), serving.find_queues(after)
    names = {queue.pk: queue.friendly_name for queue in queues}
    gained: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for pk, served in now.items():
        gained.update(names[each] for each in then[pk] - served)
        lost.update(names[each] for each in served - then[pk])
    return Gains(
        gained=gained.most_common(MOST_QUEUES),
        lost=lost.most_common(MOST_QUEUES),
        looked_at=len(before),
    )
