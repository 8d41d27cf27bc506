#!/usr/bin/env python
"""Run a management command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Hand the command line to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["serve"]:
        # Settings refuse to load without a key; the embedded mode makes its own before they do.
        from config.environment import data_dir, ensure_secret_key

        ensure_secret_key(data_dir())
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from environs import EnvError

    try:
        execute_from_command_line(sys.argv)
    except (EnvError, ImproperlyConfigured) as error:
        # What an operator set wrongly is told in words; a traceback would hide them.
        sys.exit(f"Cordboard cannot start: {error}")


if __name__ == "__main__":
    main()
