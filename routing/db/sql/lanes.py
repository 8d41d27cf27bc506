"""Lanes with waiting tasks, found by the keys of workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KEY_PATHS: Final = """
    WITH RECURSIVE kinds (channel, path) AS (
        SELECT id, (SELECT MIN(seek_path) FROM lanes WHERE task_channel_id = task_channels.id)
        FROM task_channels WHERE workspace_id = %s AND (
            SELECT id FROM tasks {tasks_oldest_of_channel}
            WHERE task_channel_id = task_channels.id AND assignment_status = 'pending'
            ORDER BY date_created, id LIMIT 1
        ) IS NOT NULL
        UNION ALL
        SELECT channel, (
            SELECT MIN(seek_path) FROM lanes WHERE task_channel_id = channel AND seek_path > path
        )
        FROM kinds WHERE path IS NOT NULL
    )
    SELECT channel, path FROM kinds WHERE path IS NOT NULL
"""
"""Return the distinct key paths of a workspace's lanes, for channels with waiting tasks.

It takes one step in `lanes_sought` for each path, however many lanes there are.
"""

LANES_WITH_TASKS: Final = """
    WITH sought AS ({keys})
    SELECT
        lanes.id, lanes.digest, queue.id, queue.sid, queue.target_workers, queue.task_order,
        queue.max_reserved_workers, channel.channel_optimized_routing, sought.path, sought.value
    FROM sought
    JOIN lanes ON lanes.task_channel_id = sought.channel AND lanes.seek_path = sought.path
        AND lanes.seek_value = sought.value
    JOIN task_channels AS channel ON channel.id = lanes.task_channel_id
    LEFT JOIN task_queues AS queue ON queue.id = lanes.task_queue_id
    WHERE (
        SELECT id FROM tasks {tasks_lane_fifo}
        WHERE lane_id = lanes.id AND assignment_status = 'pending'
        ORDER BY priority DESC, virtual_start_us, id LIMIT 1
    ) IS NOT NULL
"""
"""Return the lanes with these keys that have waiting tasks, each with its queue and its key.

It reads `lanes_sought`, and the head of each lane in `tasks_lane_fifo`.

Slots:
    keys: `KEYS`.
"""

KEYS: Final[Mapping[str, str]] = {
    "sqlite": (
        "SELECT json_extract(value, '$[0]') AS channel, json_extract(value, '$[1]') AS path,"
        " json_extract(value, '$[2]') AS value FROM json_each(%s)"
    ),
    "postgresql": (
        "SELECT DISTINCT (each ->> 0)::bigint AS channel, each ->> 1 AS path, each ->> 2 AS value"
        " FROM jsonb_array_elements(%s::jsonb) AS each"
    ),
}
"""Return the rows of a JSON list of keys, each a list of channel, path and value."""
