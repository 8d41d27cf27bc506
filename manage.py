#!/usr/bin/env python
"""Run a management command."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Hand the command line to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    serves = sys.argv[1:2] == ["serve"]
    if serves:
        # A search for garbage among what is being loaded finds none, and takes a quarter of the
        # start. The parts switch it on again when they are ready.
        gc.disable()
        # The titles of the processes are ours: Celery's are the same for jobs and callbacks.
        os.environ.setdefault("NOSETPS", "1")
        # Django's checks of the code load every URL, in each part again. `make lint` runs them.
        os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
        from environs import EnvError

        from config import environment
        from config.serve import preflight
    except ModuleNotFoundError as error:
        sys.exit(
            f"Cordboard cannot start: this Python has no package {error.name}. Use `make run`, or"
            " `.venv/bin/python manage.py …`."
        )

    try:
        if serves and not {"-h", "--help"} & {*sys.argv}:
            host, port, _ = environment.serve_options()
            preflight.check_start(environment.data_dir_path(), host, port)
            # Settings refuse to load without a key; the embedded mode makes its own before they do.
            environment.ensure_secret_key(environment.data_dir())
        execute_from_command_line(sys.argv)
    except (EnvError, ImproperlyConfigured, preflight.StartRefused) as error:
        # What an operator set wrongly is told in words; a traceback would hide them.
        subject = "Cordboard cannot start" if serves else f"{sys.argv[1]} cannot run"
        sys.exit(f"{subject}: {error}")


if __name__ == "__main__":
    main()
