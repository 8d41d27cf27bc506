"""Waiting tasks that a grab passes over."""

from __future__ import annotations

from typing import Final

COUNT_OLDER: Final = """
    SELECT count(*) FROM (
        SELECT 1 FROM (
            SELECT priority FROM tasks
            WHERE task_queue_id = %s AND assignment_status = 'pending'
                AND (date_created, id) < (%s, %s)
            ORDER BY date_created, id LIMIT %s
        ) AS oldest
        WHERE priority >= %s LIMIT %s
    ) AS older
"""
"""Count the older tasks of a queue with at least a priority, among its oldest.

It reads the index `tasks_queue_pending` from its beginning, up to a limit.
"""
