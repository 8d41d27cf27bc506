"""Limits of a queue, and the moments from which they count."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the limits of queues, and when a worker accepted a task and began to wrap up."""

    dependencies = [
        ("routing", "0019_help_texts"),
    ]

    operations = [
        migrations.AddField(
            model_name="reservation",
            name="date_accepted",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="reservation",
            name="date_wrapping",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="taskqueue",
            name="expected_handling_time",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Seconds from acceptance to completion. The desk shows when a task takes longer. Empty: no limit.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="taskqueue",
            name="wrap_up_limit",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Seconds for wrapping up. Empty: no limit.",
                null=True,
            ),
        ),
    ]
