"""How the process is put together: settings, entry points, and the supervisor of `make run`."""

from __future__ import annotations

# Loaded with the package, so that `shared_task` finds this app whichever door a process came in by.
from config.celery import app as celery_app

__all__ = ["celery_app"]
