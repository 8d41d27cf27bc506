from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("routing", "0006_tasks_alive"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="callbackdelivery",
            name="callback_deliveries_pending",
        ),
        migrations.AddIndex(
            model_name="callbackdelivery",
            index=models.Index(
                condition=models.Q(("status", "pending")),
                fields=["workspace_sid", "date_due", "id"],
                name="callback_deliveries_due",
            ),
        ),
    ]
