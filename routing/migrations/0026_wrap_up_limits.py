"""Deadlines of wrap-ups."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Add what happens at the end of a wrap-up, and its deadline on reservations."""

    dependencies = [
        ("routing", "0025_outcomes"),
    ]

    operations = [
        migrations.AddField(
            model_name="reservation",
            name="wrap_up_completes",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="reservation",
            name="wrap_up_deadline_us",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="reservation",
            name="wrap_up_extended",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="taskqueue",
            name="wrap_up_end",
            field=models.CharField(
                choices=[("complete", "complete"), ("stay", "stay")],
                db_default="complete",
                default="complete",
                help_text="What happens to a task when the time for wrapping it up is over.",
                max_length=8,
            ),
        ),
        migrations.AddIndex(
            model_name="reservation",
            index=models.Index(
                condition=models.Q(("reservation_status", "wrapping"), ("wrap_up_completes", True)),
                fields=["workspace", "wrap_up_deadline_us"],
                name="reservations_wrap_up_due",
            ),
        ),
    ]
