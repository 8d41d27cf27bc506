"""A second auth token of an account, for a rotation without a break."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("routing", "0016_seconds_and_lane_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="sealed_secondary_token",
            field=models.TextField(blank=True, db_default="", default="", editable=False),
        ),
    ]
