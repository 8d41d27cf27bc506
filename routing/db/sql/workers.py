"""Workers with free slots, and workers that lanes name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WITHIN_CAPACITY: Final = "AND slot.available AND slot.consumed < slot.configured_capacity"
"""Condition for a free slot, as the index `worker_channels_free` has it."""

FREE_WORKERS: Final = """
    SELECT {distinct} workers.id, workers.version, workers.workload_version
    FROM worker_channels AS slot JOIN workers ON workers.id = slot.worker_id
    WHERE slot.task_channel_id IN ({channels}) AND slot.worker_available {capacity} {among}
"""
"""Return the available workers with a slot on some channels, and their versions.

It reads `worker_channels_free`.

Slots:
    distinct: `DISTINCT` for several channels; with one channel each worker appears once.
    channels: one `%s` for each channel.
    capacity: `WITHIN_CAPACITY`, or nothing without multitasking.
    among: `AMONG_WORKERS`, or nothing for all workers.
"""

AMONG_WORKERS: Final[Mapping[str, str]] = {
    "postgresql": "AND slot.worker_id = ANY(%s::bigint[])",
    "sqlite": "AND slot.worker_id IN (SELECT value FROM json_each(%s))",
}
"""Condition for workers with these ids; it reads `worker_channels_once`."""

FREE_WORKERS_AMONG: Final = """
    SELECT {distinct} worker.id, worker.version, worker.workload_version
    FROM unnest(%s::bigint[]) AS among (id)
    CROSS JOIN LATERAL (
        SELECT slot.worker_id AS id FROM worker_channels AS slot
        WHERE slot.worker_id = among.id AND slot.task_channel_id IN ({channels})
            AND slot.worker_available {capacity}
        OFFSET 0
    ) AS free
    CROSS JOIN LATERAL (
        SELECT id, version, workload_version FROM workers WHERE id = free.id OFFSET 0
    ) AS worker
"""
"""Return which of some workers are among those of `FREE_WORKERS`; PostgreSQL only.

It looks each of them up in `worker_channels_once`, and so is faster for a few of many. `OFFSET 0`
keeps the planner from reading all free workers of the channels. Slots as in `FREE_WORKERS`.
"""

NAMED_WORKERS: Final = """
    UNION SELECT workers.id, workers.version, workers.workload_version
    FROM lanes JOIN workers ON workers.sid = lanes.known_worker_sid
    WHERE lanes.task_channel_id IN ({channels}) AND lanes.seek_path = '*'
"""
"""Add the workers that lanes name regardless of capacity.

It reads `lanes_sought`, and the unique index of workers on `sid`.

Slots:
    channels: one `%s` for each channel.
"""
