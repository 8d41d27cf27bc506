"""Run the whole of Cordboard: what `make run` starts."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from environs import EnvValidationError

from config import guards
from config.embedded_redis import NoServer
from config.environment import serve_options
from config.serving import Server, say
from config.supervisor import PartEnded, Stopped, TooSlow
from routing.actions.errors import ActionError

EXPECTED = (ActionError, EnvValidationError, NoServer, TooSlow, guards.Refused)
"""What an operator can mend: told in words, without a traceback."""


class Command(BaseCommand):
    """Start what is needed, then web, jobs and beat, and end them all together."""

    help = "Run Cordboard: a private Redis if none is configured, web, jobs and beat."
    # The parts check the same when they load; twice would only delay the start.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--with-parent",
            action="store_true",
            help="end when the process that started this one ends, however it ends",
        )

    def handle(self, *_: Any, with_parent: bool, **__: Any) -> None:
        """Run until told to stop; exit 0 then, and 1 when a part ends by itself."""
        # Whatever the parts write, the logs too, is for this user alone.
        os.umask(0o077)
        try:
            host, port, demo = serve_options()
            server = Server(host=host, port=port, demo=demo, data_dir=settings.DATA_DIR)
            with guards.only_server_in(settings.DATA_DIR, server.url):
                guards.port_is_free(server.host, server.port)
                server.run(with_parent=with_parent)
        except Stopped:
            say("Cordboard has ended.")
        except PartEnded as ended:
            say(ended.part.obituary(), level="error")
            sys.exit(1)
        except EXPECTED as error:
            say(f"Cordboard cannot start: {error}", level="error")
            sys.exit(1)
