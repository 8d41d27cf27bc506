"""Show moments in the time zone of a workspace."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add `Workspace.time_zone`."""

    dependencies = [("routing", "0013_desk_grace")]

    operations = [
        migrations.AddField(
            "workspace",
            "time_zone",
            models.CharField(
                max_length=64,
                default="UTC",
                help_text="The time zone in which the admin shows moments, such as Europe/Berlin.",
            ),
        ),
    ]
