"""The Celery application and beat's schedule."""

from __future__ import annotations

import logging
import os
from functools import cached_property
from typing import Any

from celery import Celery, signals

from config import interpreter
from config.patches import kombu_channel

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

logger = logging.getLogger(__name__)


_RUNNER: Any = "config.patches.celery_programs:Worker"
_BEAT: Any = "config.patches.celery_programs:Beat"


class Cordboard(Celery):
    """Celery with our own programs, which are imported only where they run."""

    @cached_property
    def Worker(self) -> Any:
        """Return the class of job runners."""
        return self.subclass_with_self(_RUNNER)

    @cached_property
    def Beat(self) -> Any:
        """Return the class of beat."""
        return self.subclass_with_self(_BEAT)


kombu_channel.install()
app = Cordboard("cordboard", task_cls="config.job:Job")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="jobs")

app.conf.beat_schedule = {
    # Sweeps for lost wake-ups: all workspaces with a passed deadline or pending work. A late sweep
    # is made redundant by the next one, so it expires rather than piling up.
    "run_due_cycles": {
        "task": "routing.jobs.run_due_cycles",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    # Events of a process that died after the commit and before publishing: delivered at least once.
    "redeliver_events": {
        "task": "routing.jobs.redeliver_events",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    # Callbacks that are due for a retry, and those whose job was lost.
    "sweep_receivers": {
        "task": "routing.jobs.sweep_receivers",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    # Workers whose last SDK session died with its process: no other code puts them offline.
    "sweep_sessions": {
        "task": "routing.jobs.sweep_sessions",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    # On PostgreSQL, merge the rows of the tasks' triggers, which real-time figures add up.
    "merge_task_counts": {
        "task": "routing.jobs.merge_task_counts",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    # New events, which figures of the past count.
    "keep_books": {
        "task": "routing.jobs.keep_books",
        "schedule": 0.5,
        "options": {"expires": 0.5},
    },
    # Supervisors' batches whose process has died, or whose job was lost.
    "sweep_batches": {
        "task": "routing.jobs.sweep_batches",
        "schedule": 2.0,
        "options": {"expires": 2.0},
    },
    # Limits of figures, at which alerts are raised.
    "sweep_thresholds": {
        "task": "supervisors.jobs.sweep_thresholds",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    # Rows that are older than the retention settings.
    "prune": {
        "task": "routing.jobs.prune",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
}


@signals.setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Keep the settings' logging; without a listener Celery would configure its own."""


@signals.celeryd_init.connect
def prepare_runner(**_: object) -> None:
    """Make a runner's own output use the log's form."""
    from config.patches import celery_programs

    celery_programs.install()


@signals.beat_init.connect
def log_beat(**_: object) -> None:
    """Log that beat starts to send due jobs."""
    logger.info("beat ready")


@signals.worker_init.connect
def watch_database(**_: object) -> None:
    """Watch for a database that stops answering, as jobs would wait for it forever."""
    from django.db import connection  # settings can be read only now

    if connection.vendor == "postgresql":
        connection.watch()  # type: ignore[attr-defined]


@signals.worker_ready.connect
def take_wakes(**_: object) -> None:
    """Start a runner's router, or its standby for callbacks, until the runner ends."""
    queues = app.amqp.queues.consume_from
    logger.info("job runner ready queues=%s", ",".join(sorted(queues)))
    # Models can be imported only now.
    from routing.router.threads import Router
    from routing.webhook_delivery.standby import Standby
    from routing.webhooks import queue

    if queue.QUEUE in queues:
        standby = Standby()
        standby.start()
        signals.worker_shutting_down.connect(lambda **_: standby.stop(), weak=False)
    if app.conf.task_default_queue not in queues:
        return

    interpreter.shorten_switch_interval()
    router = Router()
    router.start()

    @signals.worker_shutting_down.connect(weak=False)
    def take_no_more(**_: object) -> None:
        router.stop(timeout=2)
