"""Run all of Cordboard; `make run` starts this command."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from environs import EnvValidationError

from config.environment import serve_options
from config.serve import preflight
from config.serve.embedded_redis import NoRedisServer
from config.serve.server import Server, say
from config.serve.supervisor import PartEnded, Stopped, TooSlow
from routing.actions.support.errors import ActionError

EXPECTED = (ActionError, EnvValidationError, NoRedisServer, TooSlow, preflight.StartRefused)
"""Errors that an operator can fix, shown without a traceback."""


class Command(BaseCommand):
    """Start Redis if needed, then web, jobs, callbacks and beat, and end them together."""

    help = "Run Cordboard: a private Redis if none is configured, web, jobs and beat."
    # The parts run the same checks when they load; twice would only delay the start.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--with-parent",
            action="store_true",
            help="end when the process that started this one ends, however it ends",
        )

    def handle(self, *_: Any, with_parent: bool, **__: Any) -> None:
        """Run until a signal, then exit with 0; exit with 1 if a part ends by itself."""
        # All files of the parts, including logs, are for this user only.
        os.umask(0o077)
        try:
            host, port, demo = serve_options()
            server = Server(host=host, port=port, demo=demo, data_dir=settings.DATA_DIR)
            with preflight.hold_directory(settings.DATA_DIR, server.url):
                preflight.check_port(server.host, server.port)
                preflight.check_web_processes(settings.WEB_PROCESSES, server.host)
                preflight.check_database()
                server.run(with_parent=with_parent)
        except Stopped:
            say("Cordboard has ended.")
        except PartEnded as ended:
            say(ended.part.exit_report(), level="error")
            sys.exit(1)
        except EXPECTED as error:
            say(f"Cordboard cannot start: {error}", level="error")
            sys.exit(1)
