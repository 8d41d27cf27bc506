"""Outcome codes, and the outcomes of completed reservations."""

import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    """Add outcome codes, the policy of queues, and the outcomes of reservations."""

    dependencies = [
        ("routing", "0024_desk_settings"),
    ]

    operations = [
        migrations.AddField(
            model_name="reservation",
            name="outcome_code",
            field=models.CharField(editable=False, max_length=64, null=True),
        ),
        migrations.AddField(
            model_name="reservation",
            name="outcome_note",
            field=models.TextField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="taskqueue",
            name="outcome_policy",
            field=models.CharField(
                choices=[("off", "off"), ("asked", "asked"), ("required", "required")],
                db_default="off",
                default="off",
                help_text="Whether the desk asks for an outcome when an agent completes a task.",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="resource_type",
            field=models.CharField(
                choices=[
                    ("workspace", "workspace"),
                    ("activity", "activity"),
                    ("task-channel", "task-channel"),
                    ("task-queue", "task-queue"),
                    ("workflow", "workflow"),
                    ("worker", "worker"),
                    ("outcome-code", "outcome-code"),
                    ("task", "task"),
                    ("reservation", "reservation"),
                ],
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="OutcomeCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("date_created", models.DateTimeField(editable=False)),
                ("date_updated", models.DateTimeField(editable=False)),
                ("sid", models.CharField(editable=False, max_length=34, verbose_name="SID")),
                (
                    "unique_name",
                    models.CharField(
                        help_text="The name in the API and in statistics. Lower-case letters, digits, _ and $, no digit first. It cannot be changed later.",
                        max_length=64,
                    ),
                ),
                (
                    "friendly_name",
                    models.CharField(help_text="The name that agents read.", max_length=64),
                ),
                (
                    "active",
                    models.BooleanField(
                        default=True,
                        help_text="Whether agents may choose it. Old outcomes keep it either way.",
                    ),
                ),
                (
                    "position",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="The place in the list that agents see: the smallest first.",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="outcome_codes",
                        to="routing.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "outcome_codes",
                "constraints": [
                    models.UniqueConstraint(fields=("sid",), name="outcome_codes_sid"),
                    models.UniqueConstraint(
                        fields=("workspace", "unique_name"), name="outcome_codes_name"
                    ),
                    models.UniqueConstraint(
                        models.F("workspace"),
                        django.db.models.functions.text.Lower("friendly_name"),
                        name="outcome_codes_friendly_name",
                    ),
                ],
            },
        ),
    ]
