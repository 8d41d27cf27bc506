"""Number the revisions of workflows, and name their authors; older ones have none."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

BATCH = 500


def number_revisions(apps: Any, schema_editor: Any) -> None:
    """Number the revisions of each workflow from 1, in the order in which they were written."""
    revisions = apps.get_model("routing", "WorkflowRevision").objects
    numbered: dict[int, int] = {}
    rows = revisions.order_by("date_created", "pk").only("pk", "workflow_id")
    batch = []
    for row in rows.iterator(chunk_size=BATCH):
        row.number = numbered[row.workflow_id] = numbered.get(row.workflow_id, 0) + 1
        batch.append(row)
        if len(batch) == BATCH:
            revisions.bulk_update(batch, ["number"])
            batch = []
    revisions.bulk_update(batch, ["number"])


class Migration(migrations.Migration):
    dependencies = [("routing", "0039_boards")]

    operations = [
        migrations.AddField(
            model_name="workflowrevision",
            name="number",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="workflowrevision",
            name="actor_type",
            field=models.CharField(db_default="", default="", max_length=32),
        ),
        migrations.AddField(
            model_name="workflowrevision",
            name="actor_sid",
            field=models.CharField(max_length=64, null=True),
        ),
        migrations.AddField(
            model_name="workflowrevision",
            name="actor_name",
            field=models.CharField(db_default="", default="", max_length=150),
        ),
        migrations.AddField(
            model_name="workflowrevision",
            name="source",
            field=models.CharField(db_default="", default="", max_length=32),
        ),
        migrations.AddField(
            model_name="workflowrevision",
            name="message",
            field=models.CharField(db_default="", default="", max_length=255),
        ),
        migrations.AddField(
            model_name="workflowrevision",
            name="restored_from",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.RunPython(number_revisions, migrations.RunPython.noop),
    ]
