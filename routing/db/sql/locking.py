"""Row locks that Django's queries cannot take with one statement. PostgreSQL only."""

from __future__ import annotations

from typing import Final

LOCK_WORKERS_OF_TASK: Final = """
    SELECT id FROM workers
    WHERE id = ANY(ARRAY(
        SELECT worker_id FROM reservations
        WHERE task_id = %s AND reservation_status IN ('pending', 'accepted', 'wrapping')
        UNION ALL SELECT unnest(%s::bigint[])
    ))
    ORDER BY id FOR NO KEY UPDATE
"""
"""Lock the workers with an open reservation of a task, and the named ones, in the order of ids.

It reads `reservations_one_open_offer`, and the primary key of workers.
"""
