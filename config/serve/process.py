"""Run one part of `make run`: web, jobs, callbacks or beat.

A part loads everything, then waits for a line from the supervisor, which sends it once the database
is ready. `manage.py serve` forks its parts. `python -m config.serve.process NAME` runs one by hand;
it waits for the line on its standard input.
"""

from __future__ import annotations

import gc
import importlib
import os
import socket
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

from setproctitle import setproctitle

from config import draining
from config.serve import web_processes

# Set before Autobahn is imported, which reads it.
os.environ.setdefault("AUTOBAHN_USE_NVX", "0")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

PRELOADED = (
    *("celery.apps.beat", "celery.apps.worker", "celery.concurrency.thread"),
    *("celery.worker.components", "celery.worker.consumer", "kombu.transport.redis"),
    *("config.patches.celery_programs", "routing.jobs", "routing.router.threads"),
)


def preload() -> None:
    """Import the modules that all parts need, and exclude them from garbage collection.

    Modules loaded before a fork are shared by all parts. They open no file, no connection and no
    thread. The web part imports its own modules itself, on another core, while the supervisor
    prepares the database.
    """
    for name in PRELOADED:
        importlib.import_module(name)
    from config.celery import app

    app.finalize()
    gc.collect()
    # Permanent objects need not be scanned again. A scan would also write to their pages, which
    # would then no longer be shared.
    gc.freeze()


def web(control: int, host: str, port: str) -> None:
    """Serve HTTP and websockets until stopped, in as many processes as `WEB_PROCESSES` says."""
    from django.conf import settings

    if settings.WEB_PROCESSES == 1:
        _serve(control, "-b", host, "-p", port)
        return
    setproctitle("cordboard web (parent)")
    listener = web_processes.open_listener(host, int(port))
    web_processes.WebProcesses(settings.WEB_PROCESSES, listener, _serve_shared).serve(control)


def _serve_shared(control: int, listener: int) -> None:
    """Serve a socket that other processes serve too."""
    draining.state.shared_listener = listener
    _serve(control, "--fd", str(listener))


def _serve(control: int, *endpoint: str) -> None:
    setproctitle("cordboard web")
    # The access log is off by default: on a terminal it would drown out everything else.
    os.environ.setdefault("ACCESS_LOG", "0")
    # Daphne falls back to files that whitenoise reads synchronously; they are small.
    warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")
    from daphne.cli import CommandLineInterface
    from django.urls import get_resolver

    from config import asgi  # noqa: F401 - loaded here, before the wait

    _ = get_resolver().url_patterns
    wait_for_start_signal(control)
    CommandLineInterface().run([*endpoint, "-v", "0", "config.asgi:application"])


def jobs(control: int) -> None:
    """Run jobs until stopped."""
    setproctitle("cordboard jobs")
    _work(control, name="jobs", concurrency=4)


def callbacks(control: int) -> None:
    """Post callbacks until stopped, in threads that mostly wait, apart from the router's."""
    setproctitle("cordboard callbacks")
    _work(control, name="callbacks", concurrency=32, queues=["callbacks"])


def _work(control: int, *, name: str, **options: Any) -> None:
    import django
    from celery.exceptions import CPendingDeprecationWarning, SecurityWarning

    from config.celery import app

    django.setup()
    app.finalize()
    wait_for_start_signal(control)
    # Celery prints the end of each runner there, past all loggers; the supervisor logs it once.
    sys.__stdout__ = None  # type: ignore[misc]
    # Root in a container is the usual case, and the messages are plain JSON.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    # Warns about a setting that we want: jobs continue through a loss of Redis.
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    worker = app.Worker(
        pool="threads",
        hostname=f"{name}@{socket.gethostname()}",
        quiet=True,
        loglevel="WARNING",
        # Coordination between several runners; the start need not wait for it.
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        **options,
    )
    worker.start()
    sys.exit(worker.exitcode)


def beat(control: int) -> None:
    """Send due jobs until stopped."""
    setproctitle("cordboard beat")
    import django

    from config.celery import app

    django.setup()
    app.finalize()
    wait_for_start_signal(control)
    app.Beat(quiet=True, loglevel="WARNING").run()


PARTS: dict[str, Callable[..., None]] = {
    "web": web,
    "jobs": jobs,
    "callbacks": callbacks,
    "beat": beat,
}


def wait_for_start_signal(control: int) -> None:
    """Wait for the supervisor's line on a file descriptor, then end when the supervisor ends."""
    gc.collect()
    gc.freeze()
    gc.enable()
    if not os.read(control, 1024):
        os._exit(1)
    threading.Thread(
        target=_end_with_supervisor, args=(control,), daemon=True, name="supervisor"
    ).start()


def _end_with_supervisor(control: int) -> None:
    while os.read(control, 1024):
        continue
    # As if killed: interrupted work is done again after the next start.
    os._exit(1)


if __name__ == "__main__":
    PARTS[sys.argv[1]](0, *sys.argv[2:])
