"""The Django project: settings, entry points, and the supervisor of `make run`."""

from __future__ import annotations

# Imported with the package, so that `shared_task` finds this app in every process.
from config.celery import app as celery_app

__all__ = ["celery_app"]
