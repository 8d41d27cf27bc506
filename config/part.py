"""Run one part of `make run` in a process of its own: `python -m config.part NAME`.

The names are web, jobs, callbacks and beat.

A part loads everything, then waits on its standard input for a line: the supervisor sends it once
the database is ready. The input stays open from then on; when it closes, the supervisor is gone.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
import warnings

# Before Autobahn is imported, which reads it then.
os.environ.setdefault("AUTOBAHN_USE_NVX", "0")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def web(host: str, port: str) -> None:
    """Serve HTTP and websockets until told to stop."""
    # Daphne falls back to files that whitenoise reads synchronously; they are small.
    warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")
    from daphne.cli import CommandLineInterface

    from config import asgi  # noqa: F401 - loaded here, before the wait

    wait_for_the_word()
    CommandLineInterface().run(["-b", host, "-p", port, "-v", "0", "config.asgi:application"])


def jobs() -> None:
    """Do jobs until told to stop."""
    _work("--concurrency=4")


def callbacks() -> None:
    """Post callbacks until told to stop: in threads that mostly wait, far from the router's."""
    _work("--concurrency=32", "--queues=callbacks")


def _work(*options: str) -> None:
    import django
    from celery.exceptions import CPendingDeprecationWarning, SecurityWarning

    from config.celery import app

    django.setup()
    app.finalize()
    wait_for_the_word()
    # Root in a container of its own is the usual case, and the messages are plain JSON.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    # Of a setting that is as we want it: jobs go on through a loss of Redis.
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)
    app.start(
        [
            "--quiet",
            "worker",
            "--pool=threads",
            *options,
            "--loglevel=WARNING",
            # What several runners tell each other by; the start need not wait for it.
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )


def beat() -> None:
    """Send what is due until told to stop."""
    import django

    from config.celery import app

    django.setup()
    app.finalize()
    wait_for_the_word()
    app.start(["--quiet", "beat", "--loglevel=WARNING", "--pidfile="])


def wait_for_the_word() -> None:
    """Wait for the supervisor's line, then watch for its end."""
    # What is loaded stays: Python's search for garbage, for which everything stands still, need not
    # go through all of it again and again.
    gc.collect()
    gc.freeze()
    if not sys.stdin.buffer.readline():
        os._exit(1)
    threading.Thread(target=_end_with_the_supervisor, daemon=True, name="supervisor").start()


def _end_with_the_supervisor() -> None:
    while os.read(0, 1024):
        continue
    # As if killed: whatever was being done is done again by the next start.
    os._exit(1)


def main(name: str, *arguments: str) -> None:
    """Run the part of this name."""
    if name == "web":
        web(*arguments)
    else:
        {"jobs": jobs, "callbacks": callbacks, "beat": beat}[name]()


if __name__ == "__main__":
    main(*sys.argv[1:])
