import time

from django.db import migrations


def add_bookmarks(apps, schema_editor):
    """Let the books of workspaces that exist begin with the tasks that wait once all is counted.

    Figures of slots begin with the next quarter, as events so far do not say enough for them.
    """
    minute = int(time.time()) // 60
    bookmarks = apps.get_model("routing", "Bookmark").objects
    workspaces = apps.get_model("routing", "Workspace").objects.filter(bookmark=None)
    bookmarks.bulk_create(
        bookmarks.model(
            workspace=each,
            transaction_id=-(2**62),
            event_id=0,
            slots_minute=minute - minute % 15 + 15,
        )
        for each in workspaces
    )


class Migration(migrations.Migration):
    dependencies = [("routing", "0031_figures")]

    operations = [migrations.RunPython(add_bookmarks, migrations.RunPython.noop)]
