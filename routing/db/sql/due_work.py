"""Which kinds of work are due in a workspace."""

from __future__ import annotations

from typing import Final

DUE_WORK: Final = """
    SELECT
        (
            SELECT id FROM reservations WHERE workspace_id = %s
            AND reservation_status = 'pending' AND deadline_us <= %s ORDER BY deadline_us LIMIT 1
        ) IS NOT NULL,
        (
            SELECT id FROM tasks {tasks_expiring} WHERE workspace_id = %s
            AND assignment_status IN ('pending', 'reserved') AND expires_us <= %s
            ORDER BY expires_us LIMIT 1
        ) IS NOT NULL OR (
            SELECT id FROM tasks {tasks_step_due} WHERE workspace_id = %s
            AND assignment_status = 'pending' AND step_deadline_us <= %s
            ORDER BY step_deadline_us LIMIT 1
        ) IS NOT NULL,
        (
            SELECT id FROM tasks {tasks_skip_unasked} WHERE workspace_id = %s
            AND assignment_status = 'pending' AND skip_unasked ORDER BY id LIMIT 1
        ) IS NOT NULL,
        (
            SELECT id FROM reservations WHERE workspace_id = %s
            AND reservation_status = 'wrapping' AND wrap_up_completes
            AND wrap_up_deadline_us <= %s ORDER BY wrap_up_deadline_us LIMIT 1
        ) IS NOT NULL,
        EXISTS (
            SELECT 1 FROM task_channels AS channel WHERE channel.workspace_id = %s AND (
                SELECT id FROM tasks {tasks_oldest_of_channel} WHERE task_channel_id = channel.id
                AND assignment_status = 'pending' ORDER BY date_created, id LIMIT 1
            ) IS NOT NULL AND ((
                SELECT id FROM worker_channels AS slot WHERE task_channel_id = channel.id
                AND worker_available {capacity} ORDER BY worker_id LIMIT 1
            ) IS NOT NULL OR (
                SELECT id FROM lanes WHERE task_channel_id = channel.id AND seek_path = '*'
                ORDER BY seek_value LIMIT 1
            ) IS NOT NULL)
        ),
        (
            SELECT id FROM transfers {transfers_seeking} WHERE workspace_id = %s AND seeking
            ORDER BY id LIMIT 1
        ) IS NOT NULL
"""
"""Return which kinds of work are due: offers, tasks, skips, wrap-ups, matching,
transfers.

Each subquery reads the head of one index: `reservations_due`, `reservations_wrap_up_due`, those in
the slots, `worker_channels_free` and `lanes_sought`. EXISTS would be shorter, but a planner might
then scan all waiting tasks.

Slots:
    capacity: `workers.WITHIN_CAPACITY`, or nothing without multitasking.
"""
