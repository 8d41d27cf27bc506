"""A table of the events that are not published yet, instead of a column of each event."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

MOVE_IN = """
    INSERT INTO unpublished_events (event_id) SELECT id FROM events WHERE NOT delivered
"""
MOVE_OUT = """
    UPDATE events SET delivered = FALSE WHERE id IN (SELECT event_id FROM unpublished_events)
"""


def vacuum_by_number(apps: Any, schema_editor: Any) -> None:
    """Let PostgreSQL vacuum the table by its number of dead rows, as it has hardly any others."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE unpublished_events SET"
            " (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)"
        )


class Migration(migrations.Migration):
    """The release before this one goes on with its column, which stays true in new rows."""

    dependencies = [("routing", "0043_lists_of_workers_and_queues")]

    operations = [
        migrations.CreateModel(
            name="UnpublishedEvent",
            fields=[("event_id", models.BigIntegerField(primary_key=True, serialize=False))],
            options={"db_table": "unpublished_events"},
        ),
        migrations.RunSQL(MOVE_IN, MOVE_OUT),
        migrations.RunPython(vacuum_by_number, migrations.RunPython.noop),
    ]
