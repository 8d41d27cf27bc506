#!/usr/bin/env python
"""Run a management command."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Hand the command line to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["serve"]:
        # A search for garbage among what is being loaded finds none, and takes a quarter of the
        # start. The parts switch it on again when they are ready.
        gc.disable()
        # The titles of the processes are ours: Celery's are the same for jobs and callbacks.
        os.environ.setdefault("NOSETPS", "1")
        # Django's checks of the code load every URL, in each part again. `make lint` runs them.
        os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from environs import EnvError

    try:
        if sys.argv[1:2] == ["serve"]:
            # Settings refuse to load without a key; the embedded mode makes its own before they do.
            from config.environment import data_dir, ensure_secret_key

            ensure_secret_key(data_dir())
        execute_from_command_line(sys.argv)
    except (EnvError, ImproperlyConfigured) as error:
        # What an operator set wrongly is told in words; a traceback would hide them.
        sys.exit(f"Cordboard cannot start: {error}")


if __name__ == "__main__":
    main()
