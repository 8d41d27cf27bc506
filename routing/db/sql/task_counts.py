"""Counts of live tasks: the triggers that maintain them, and what repairs, merges and checks them.

The triggers find a row to change by the index `task_counts_kind`. The statements read all rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TRIGGERS: Final = ("tasks_counted_in", "tasks_counted_out", "tasks_counted_over")
"""Names of the triggers, in the order of creation."""

_SQLITE: Final = (
    # With one writer at a time there is one row for each kind of task, updated row by row.
    *(f"DROP TRIGGER IF EXISTS {name}" for name in TRIGGERS),
    """
    CREATE TRIGGER tasks_counted_in AFTER INSERT ON tasks
    WHEN NEW.assignment_status IN ('pending', 'reserved', 'assigned', 'wrapping')
    BEGIN
        UPDATE task_counts SET tasks = tasks + 1
        WHERE workspace_id = NEW.workspace_id
            AND task_queue_id = coalesce(NEW.task_queue_id, 0)
            AND workflow_id = coalesce(NEW.workflow_id, 0)
            AND task_channel_id = NEW.task_channel_id
            AND assignment_status = NEW.assignment_status
            AND priority = NEW.priority;
        INSERT INTO task_counts (workspace_id, task_queue_id, workflow_id, task_channel_id,
            assignment_status, priority, tasks)
        SELECT NEW.workspace_id, coalesce(NEW.task_queue_id, 0), coalesce(NEW.workflow_id, 0),
            NEW.task_channel_id, NEW.assignment_status, NEW.priority, 1
        WHERE changes() = 0;
    END
    """,
    """
    CREATE TRIGGER tasks_counted_out AFTER DELETE ON tasks
    BEGIN
        UPDATE task_counts SET tasks = tasks - 1
        WHERE workspace_id = OLD.workspace_id
            AND task_queue_id = coalesce(OLD.task_queue_id, 0)
            AND workflow_id = coalesce(OLD.workflow_id, 0)
            AND task_channel_id = OLD.task_channel_id
            AND assignment_status = OLD.assignment_status
            AND priority = OLD.priority;
    END
    """,
    """
    CREATE TRIGGER tasks_counted_over
    AFTER UPDATE OF workspace_id, task_queue_id, workflow_id, task_channel_id, priority,
        assignment_status ON tasks
    WHEN OLD.assignment_status IS NOT NEW.assignment_status
        OR OLD.task_queue_id IS NOT NEW.task_queue_id
        OR OLD.priority IS NOT NEW.priority
        OR OLD.task_channel_id IS NOT NEW.task_channel_id
        OR OLD.workflow_id IS NOT NEW.workflow_id
        OR OLD.workspace_id IS NOT NEW.workspace_id
    BEGIN
        UPDATE task_counts SET tasks = tasks - 1
        WHERE workspace_id = OLD.workspace_id
            AND task_queue_id = coalesce(OLD.task_queue_id, 0)
            AND workflow_id = coalesce(OLD.workflow_id, 0)
            AND task_channel_id = OLD.task_channel_id
            AND assignment_status = OLD.assignment_status
            AND priority = OLD.priority;
        UPDATE task_counts SET tasks = tasks + 1
        WHERE workspace_id = NEW.workspace_id
            AND task_queue_id = coalesce(NEW.task_queue_id, 0)
            AND workflow_id = coalesce(NEW.workflow_id, 0)
            AND task_channel_id = NEW.task_channel_id
            AND assignment_status = NEW.assignment_status
            AND priority = NEW.priority;
        INSERT INTO task_counts (workspace_id, task_queue_id, workflow_id, task_channel_id,
            assignment_status, priority, tasks)
        SELECT NEW.workspace_id, coalesce(NEW.task_queue_id, 0), coalesce(NEW.workflow_id, 0),
            NEW.task_channel_id, NEW.assignment_status, NEW.priority, 1
        WHERE changes() = 0
            AND NEW.assignment_status IN ('pending', 'reserved', 'assigned', 'wrapping');
    END
    """,
)

_POSTGRESQL: Final = (
    # Once per statement, and only by inserting rows: a row that all transactions update would be
    # a row that they all wait for.
    """
    CREATE OR REPLACE FUNCTION count_tasks() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO task_counts (workspace_id, task_queue_id, workflow_id, task_channel_id,
                assignment_status, priority, tasks)
            SELECT workspace_id, coalesce(task_queue_id, 0), coalesce(workflow_id, 0),
                task_channel_id, assignment_status, priority, count(*)
            FROM came
            WHERE assignment_status IN ('pending', 'reserved', 'assigned', 'wrapping')
            GROUP BY 1, 2, 3, 4, 5, 6;
        ELSIF TG_OP = 'DELETE' THEN
            INSERT INTO task_counts (workspace_id, task_queue_id, workflow_id, task_channel_id,
                assignment_status, priority, tasks)
            SELECT workspace_id, coalesce(task_queue_id, 0), coalesce(workflow_id, 0),
                task_channel_id, assignment_status, priority, -count(*)
            FROM went
            WHERE assignment_status IN ('pending', 'reserved', 'assigned', 'wrapping')
            GROUP BY 1, 2, 3, 4, 5, 6;
        ELSE
            INSERT INTO task_counts (workspace_id, task_queue_id, workflow_id, task_channel_id,
                assignment_status, priority, tasks)
            SELECT workspace_id, coalesce(task_queue_id, 0), coalesce(workflow_id, 0),
                task_channel_id, assignment_status, priority, sum(change)
            FROM (
                SELECT workspace_id, task_queue_id, workflow_id, task_channel_id,
                    assignment_status, priority, 1 AS change
                FROM came
                UNION ALL
                SELECT workspace_id, task_queue_id, workflow_id, task_channel_id,
                    assignment_status, priority, -1
                FROM went
            ) AS changed
            WHERE assignment_status IN ('pending', 'reserved', 'assigned', 'wrapping')
            GROUP BY 1, 2, 3, 4, 5, 6
            HAVING sum(change) <> 0;
        END IF;
        RETURN NULL;
    END
    $$
    """,
    *(f"DROP TRIGGER IF EXISTS {name} ON tasks" for name in TRIGGERS),
    """
    CREATE TRIGGER tasks_counted_in AFTER INSERT ON tasks REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION count_tasks()
    """,
    """
    CREATE TRIGGER tasks_counted_out AFTER DELETE ON tasks REFERENCING OLD TABLE AS went
    FOR EACH STATEMENT EXECUTE FUNCTION count_tasks()
    """,
    """
    CREATE TRIGGER tasks_counted_over AFTER UPDATE ON tasks
    REFERENCING NEW TABLE AS came OLD TABLE AS went
    FOR EACH STATEMENT EXECUTE FUNCTION count_tasks()
    """,
)

CREATE_TRIGGERS: Final[Mapping[str, tuple[str, ...]]] = {
    "sqlite": _SQLITE,
    "postgresql": _POSTGRESQL,
}
"""Create the triggers, or replace them."""

INSTALLED_TRIGGERS: Final[Mapping[str, str]] = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE name IN (%s, %s, %s)",
    "postgresql": "SELECT count(*) FROM pg_trigger WHERE tgname IN (%s, %s, %s)",
}
"""Return how many of the triggers there are; their names are unique to us."""

LOCK_TASKS: Final = "LOCK TABLE tasks IN SHARE ROW EXCLUSIVE MODE"
"""Keep others from changing tasks until the transaction ends. PostgreSQL only."""

DELETE_COUNTS: Final = "DELETE FROM task_counts"
"""Delete all counts."""

COUNT_TASKS: Final = """
    INSERT INTO task_counts (workspace_id, task_queue_id, workflow_id, task_channel_id,
        assignment_status, priority, tasks)
    SELECT workspace_id, coalesce(task_queue_id, 0), coalesce(workflow_id, 0), task_channel_id,
        assignment_status, priority, count(*)
    FROM tasks
    WHERE assignment_status IN ('pending', 'reserved', 'assigned', 'wrapping')
    GROUP BY 1, 2, 3, 4, 5, 6
"""
"""Insert a count for each kind of live task. It reads all tasks."""

LOCK_MERGE: Final = "SELECT pg_try_advisory_xact_lock(hashtext('task_counts'))"
"""Return whether this transaction may merge: two at once would wait for each other's rows."""

MERGE_COUNTS: Final = """
    WITH gone AS (DELETE FROM task_counts RETURNING *)
    INSERT INTO task_counts (workspace_id, task_queue_id, workflow_id, task_channel_id,
        assignment_status, priority, tasks)
    SELECT workspace_id, task_queue_id, workflow_id, task_channel_id, assignment_status, priority,
        sum(tasks)
    FROM gone
    GROUP BY 1, 2, 3, 4, 5, 6
    HAVING sum(tasks) <> 0
"""
"""Replace the rows of each kind by their sum. PostgreSQL only.

It is one statement, so readers see one or the other. Rows that others add at the same time stay for
the next merge.
"""

DIFFERENCES: Final = """
    SELECT workspace_id, task_queue_id, workflow_id, task_channel_id, assignment_status, priority,
        CAST(sum(counted) AS bigint), CAST(sum(there) AS bigint)
    FROM (
        SELECT workspace_id, task_queue_id, workflow_id, task_channel_id, assignment_status,
            priority, tasks AS counted, 0 AS there
        FROM task_counts
        UNION ALL
        SELECT workspace_id, coalesce(task_queue_id, 0), coalesce(workflow_id, 0), task_channel_id,
            assignment_status, priority, 0, 1
        FROM tasks
        WHERE assignment_status IN ('pending', 'reserved', 'assigned', 'wrapping')
    ) AS counted_and_there
    GROUP BY 1, 2, 3, 4, 5, 6
    HAVING sum(counted) <> sum(there)
    ORDER BY 1, 2, 3, 4, 5, 6
"""
"""Return the kinds of tasks whose count is wrong, with the count and the number of tasks.

It is one statement, so both sides come from the same snapshot while tasks change.
"""
