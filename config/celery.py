"""The job runner's application, and what beat wakes when."""

from __future__ import annotations

import logging
import os
from functools import cached_property
from typing import Any

from celery import Celery, signals

from config import broker, pauses

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

logger = logging.getLogger(__name__)


_RUNNER: Any = "config.runners:Worker"
_BEAT: Any = "config.runners:Beat"


class Cordboard(Celery):
    """Celery with programs of ours, which are loaded where they run only."""

    @cached_property
    def Worker(self) -> Any:
        """Return the class of job runners."""
        return self.subclass_with_self(_RUNNER)

    @cached_property
    def Beat(self) -> Any:
        """Return the class of beat."""
        return self.subclass_with_self(_BEAT)


broker.install()
app = Cordboard("cordboard", task_cls="config.job:Job")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="jobs")

app.conf.beat_schedule = {
    # Whatever wake was lost: every workspace with a deadline passed or with work pending. One that
    # comes late says nothing that the next does not, so it expires rather than piling up.
    "run_due_cycles": {
        "task": "routing.jobs.run_due_cycles",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    # Events committed by a process that died before it told anybody: at least once.
    "redeliver_events": {
        "task": "routing.jobs.redeliver_events",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    # Callbacks that are to be tried again, and those whose call was lost.
    "sweep_receivers": {
        "task": "routing.jobs.sweep_receivers",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    # Workers whose last session of the SDK died with its process: nobody else puts them offline.
    "sweep_sessions": {
        "task": "routing.jobs.sweep_sessions",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    # On PostgreSQL, what the tasks' triggers have counted since: real-time figures add it all up.
    "merge_task_counts": {
        "task": "routing.jobs.merge_task_counts",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    # What has been kept for as long as the settings say.
    "prune": {
        "task": "routing.jobs.prune",
        "schedule": 3600.0,
        "options": {"expires": 3600.0},
    },
}


@signals.setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Keep the settings' logging; without a listener the runner would lay its own over it."""


@signals.celeryd_init.connect
def prepare_runner(**_: object) -> None:
    """Put what a runner prints by itself into the form of the log."""
    from config import runners

    runners.install()


@signals.beat_init.connect
def log_beat(**_: object) -> None:
    """Log that beat begins to send what is due."""
    logger.info("beat ready")


@signals.worker_init.connect
def watch_database(**_: object) -> None:
    """Notice a database that falls silent, as jobs would wait for it without end."""
    from django.db import connection  # settings can be read only now

    if connection.vendor == "postgresql":
        connection.watch()  # type: ignore[attr-defined]


@signals.worker_ready.connect
def take_wakes(**_: object) -> None:
    """Have this runner take wakes beside its jobs, until it ends; one for callbacks takes none."""
    queues = app.amqp.queues.consume_from
    logger.info("job runner ready queues=%s", ",".join(sorted(queues)))
    # Models can be imported only now.
    from routing.callbacks import calls
    from routing.receivers.standby import Standby
    from routing.router import Router

    if calls.QUEUE in queues:
        standby = Standby()
        standby.start()
        signals.worker_shutting_down.connect(lambda **_: standby.stop(), weak=False)
    if app.conf.task_default_queue not in queues:
        return

    pauses.shorten()
    router = Router()
    router.start()

    @signals.worker_shutting_down.connect(weak=False)
    def take_no_more(**_: object) -> None:
        router.stop(timeout=2)
