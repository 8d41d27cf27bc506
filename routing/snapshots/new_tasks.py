"""Load what decides whether a task that is being created can be offered at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from routing import models
from routing.core import snapshot
from routing.core.matching import lane_keys
from routing.db.compiled import CompiledQuery
from routing.db.pipeline import pipeline
from routing.snapshots import due_work, free_workers, lane_heads, skill_index
from routing.snapshots import lanes as lane_snapshots
from routing.snapshots import workers as worker_snapshots
from routing.snapshots.lanes import KeyPath

MOST_WORKERS: Final = skill_index.MIN_FREE_WORKERS
"""Most free workers to compare for one task; with more, the router compares them."""


@dataclass(frozen=True, slots=True)
class Floor:
    """Who might take a new task, and where other tasks wait.

    Arguments:
        workers: the workers with a free slot who might take it; none while another task of its
            lane waits.
        key_paths: see `lanes.load_key_paths`.
        is_full: whether no worker at all has a free slot on the channel, as far as is known.
    """

    workers: Sequence[snapshot.Worker]
    key_paths: Collection[KeyPath]
    is_full: bool


def load_floor(lane: models.Lane, workspace: models.Workspace, *, now: datetime) -> Floor | None:
    """Return the floor for a new task of a lane, with one round trip if its workers are cached.

    Returns None if the workers are too many, or if any other work is due in the workspace: a cycle
    would do that first, and might then choose another worker.
    """
    among = None
    if lane.seek_path != lane_keys.ANYONE:
        index = skill_index.load_skill_index(workspace)
        if index is not None:
            found = index.find_workers([(lane.seek_path, lane.seek_value)])
            among = free_workers.Among(found, of=index.size)
    with pipeline():
        sent_due = due_work.send_due_work(workspace.sid, now)
        sent_paths = lane_snapshots.send_key_paths(workspace)
        sent_same = lane_heads.send_has_tasks(lane.pk)
        sent_workers = free_workers.send_free_workers(
            workspace,
            [(lane.task_channel_id, lane_keys.ANYONE)],
            among=among,
            most=MOST_WORKERS + 1,
        )
    due = sent_due.result()
    has_same, key_paths, versions = sent_same.result(), sent_paths.result(), sent_workers.result()
    if among is None and lane.seek_path != lane_keys.ANYONE:
        skill_index.record_free_workers(workspace, len(versions))
    is_other_due = not due or due[0].beside_matching
    is_full = among is None and not versions
    if not (has_same or is_full) and (is_other_due or len(versions) > MOST_WORKERS):
        return None
    workers = [] if has_same else worker_snapshots.load_known(versions)
    return Floor(workers, key_paths, is_full)


def load_slot(
    worker: snapshot.Worker, task_channel_id: int, key_paths: Collection[KeyPath]
) -> tuple[models.WorkerChannel | None, lane_snapshots.Lanes]:
    """Return a worker's slots on a channel, and the lanes with waiting tasks they might serve.

    It takes one round trip if the lanes are cached.
    """
    keys, _ = lane_snapshots.list_keys(key_paths, [worker])
    with pipeline():
        sent_slots = _SLOT.send(worker.id, task_channel_id)
        sent_lanes = lane_snapshots.send_lanes(keys)
    (lanes, _), slots = sent_lanes.result(), sent_slots.result()
    return (slots[0] if slots else None), lanes


_SLOT: Final = CompiledQuery(
    lambda worker, channel: models.WorkerChannel.objects.filter(
        worker_id=worker, task_channel_id=channel
    ).select_related("worker__activity", "worker__workspace")
)
