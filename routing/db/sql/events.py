"""Events that are unpublished, and those that were restored from another database."""

from __future__ import annotations

from typing import Final

PLACE_RESTORED_EVENTS: Final = """
    WITH foreign_log AS (
        SELECT workspace_sid, max(transaction_id) AS last_transaction, max(id) AS last_id
        FROM (SELECT sid FROM workspaces) AS here
        CROSS JOIN LATERAL (
            SELECT workspace_sid, transaction_id, id
            FROM events
            WHERE workspace_sid = here.sid
                AND transaction_id >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
        ) AS beyond
        GROUP BY workspace_sid
    )
    UPDATE events
    SET transaction_id = transaction_id - last_transaction - 1
    FROM foreign_log
    WHERE events.workspace_sid = foreign_log.workspace_sid AND events.id <= foreign_log.last_id
"""
"""Move events with transaction ids of another PostgreSQL before all that this one will write.

It finds them by the index `events_log`. PostgreSQL only.
"""

FIRST_UNPUBLISHED: Final = """
    SELECT event.*
    FROM (SELECT event_id FROM unpublished_events ORDER BY event_id LIMIT %s) AS one
    CROSS JOIN events AS event
    WHERE event.id = one.event_id AND event.event_date <= %s
    ORDER BY event.id
"""
"""The first unpublished events that are older than a moment.

It finds them by the primary key. The CROSS JOIN lets SQLite read the few ids first, whatever its
statistics say of the log.
"""
