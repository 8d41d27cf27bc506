"""Refuse two revisions of a workflow with one number, once all have one."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("routing", "0040_workflow_revisions")]

    operations = [
        migrations.AddConstraint(
            model_name="workflowrevision",
            constraint=models.UniqueConstraint(
                fields=["workflow", "number"], name="workflow_revisions_number"
            ),
        ),
    ]
