"""Move workers whose last desk has gone after a time that the workspace sets."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add `Workspace.desk_grace`."""

    dependencies = [("routing", "0012_idempotency")]

    operations = [
        migrations.AddField(
            "workspace",
            "desk_grace",
            models.PositiveIntegerField(
                "seconds without a desk",
                default=30,
                help_text=(
                    "Workers whose last open desk has been gone for so many seconds are moved to the "
                    "timeout activity, and their offers go to others. 0: they stay as they are."
                ),
            ),
        ),
    ]
