"""Let PostgreSQL vacuum the tables with many updates earlier than at a fifth of dead rows."""

from __future__ import annotations

from typing import Any

from django.db import migrations

BUSY_TABLES = ("events", "tasks", "reservations", "workers", "worker_channels")


def vacuum_early(apps: Any, schema_editor: Any) -> None:
    """Lower the share of dead rows at which autovacuum comes."""
    _set(schema_editor, "SET (autovacuum_vacuum_scale_factor = 0.05)")


def vacuum_as_usual(apps: Any, schema_editor: Any) -> None:
    """Return to the server's settings."""
    _set(schema_editor, "RESET (autovacuum_vacuum_scale_factor)")


def _set(schema_editor: Any, change: str) -> None:
    if schema_editor.connection.vendor == "postgresql":
        for table in BUSY_TABLES:
            schema_editor.execute(f"ALTER TABLE {table} {change}")


class Migration(migrations.Migration):
    """Autovacuum at a twentieth of dead rows, for the tables that every task updates."""

    dependencies = [("routing", "0041_workflow_revision_numbers")]

    operations = [migrations.RunPython(vacuum_early, vacuum_as_usual)]
