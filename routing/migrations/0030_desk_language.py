from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("routing", "0029_task_layouts")]

    operations = [
        migrations.AddField(
            model_name="desksettings",
            name="language",
            field=models.CharField(
                blank=True,
                choices=[("en", "English"), ("de", "Deutsch"), ("ar", "العربية")],
                db_default="",
                default="",
                max_length=5,
            ),
        ),
    ]
