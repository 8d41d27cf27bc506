"""Which kinds of work are due: in one workspace, and in which workspaces at all."""

from __future__ import annotations

from typing import Final

_OFFERS: Final = """(
    SELECT id FROM reservations WHERE workspace_id = {workspace}
    AND reservation_status = 'pending' AND deadline_us <= {now} ORDER BY deadline_us LIMIT 1
) IS NOT NULL"""

_TASKS: Final = """((
    SELECT id FROM tasks {tasks_expiring} WHERE workspace_id = {workspace}
    AND assignment_status IN ('pending', 'reserved') AND expires_us <= {now}
    ORDER BY expires_us LIMIT 1
) IS NOT NULL OR (
    SELECT id FROM tasks {tasks_step_due} WHERE workspace_id = {workspace}
    AND assignment_status = 'pending' AND step_deadline_us <= {now}
    ORDER BY step_deadline_us LIMIT 1
) IS NOT NULL)"""

_SKIPS: Final = """(
    SELECT id FROM tasks {tasks_skip_unasked} WHERE workspace_id = {workspace}
    AND assignment_status = 'pending' AND skip_unasked ORDER BY id LIMIT 1
) IS NOT NULL"""

_WRAP_UPS: Final = """(
    SELECT id FROM reservations WHERE workspace_id = {workspace}
    AND reservation_status = 'wrapping' AND wrap_up_completes
    AND wrap_up_deadline_us <= {now} ORDER BY wrap_up_deadline_us LIMIT 1
) IS NOT NULL"""

_FREE_WORKERS: Final = """EXISTS (
    SELECT 1 FROM task_channels AS channel WHERE channel.workspace_id = {workspace} AND (
        SELECT id FROM tasks {tasks_oldest_of_channel} WHERE task_channel_id = channel.id
        AND assignment_status = 'pending' ORDER BY date_created, id LIMIT 1
    ) IS NOT NULL AND ({free_slot} IS NOT NULL OR (
        SELECT id FROM lanes WHERE task_channel_id = channel.id AND seek_path = '*'
        ORDER BY seek_value LIMIT 1
    ) IS NOT NULL)
)"""

_TRANSFERS: Final = """(
    SELECT id FROM transfers {transfers_seeking} WHERE workspace_id = {workspace} AND seeking
    ORDER BY id LIMIT 1
) IS NOT NULL"""

FREE_SLOT: Final = """(
    SELECT id FROM worker_channels AS slot WHERE task_channel_id = channel.id
    AND worker_available {capacity} ORDER BY worker_id LIMIT 1
)"""
"""A slot on the channel of `_FREE_WORKERS`.

Slots:
    capacity: `workers.WITHIN_CAPACITY`, or nothing without multitasking.
"""

_KINDS: Final = (_OFFERS, _TASKS, _SKIPS, _WRAP_UPS, _FREE_WORKERS, _TRANSFERS)

DUE_WORK: Final = f"""
    SELECT {", ".join(_KINDS)} FROM workspaces AS workspace WHERE workspace.sid = %s
"""  # noqa: S608 - made of the constants above
"""Return which kinds of work are due in a workspace, in the order of `snapshots.due_work.DueWork`.

Each subquery reads the head of one index: `reservations_due`, `reservations_wrap_up_due`, those in
the slots, `worker_channels_free` and `lanes_sought`. EXISTS would be shorter, but a planner might
then scan all waiting tasks.

Slots:
    workspace: `workspace.id`.
    now: the moment in microseconds.
    free_slot: `FREE_SLOT`.
"""

_ANY_KIND: Final = " OR ".join(_KINDS)

DUE_WORKSPACES: Final = f"""
    SELECT workspace.sid FROM workspaces AS workspace WHERE {_ANY_KIND} ORDER BY workspace.id
"""  # noqa: S608 - made of the constants above
"""Return the sids of the workspaces in which any kind of work is due.

Slots: as those of `DUE_WORK`.
"""
