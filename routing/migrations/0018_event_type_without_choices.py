"""No choices on event_type, so that a new type needs no migration."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("routing", "0017_secondary_token"),
    ]

    operations = [
        migrations.AlterField(
            model_name="event",
            name="event_type",
            field=models.CharField(max_length=40),
        ),
    ]
