"""Create the first account, API key and administrator where `serve` does not run."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.serve import credentials
from routing.actions.support.errors import ActionError


class Command(BaseCommand):
    """Write DATA_DIR/credentials.env, unless the installation has accounts already."""

    help = "Create the first account, API key and administrator, and write them to a file."

    def handle(self, *_: Any, **__: Any) -> None:
        """Create what is missing, and print the path of the file."""
        path = settings.DATA_DIR / credentials.FILE
        try:
            made = credentials.ensure_credentials(settings.DATA_DIR, demo=False)
        except ActionError as error:
            raise CommandError(str(error)) from None
        if made:
            self.stdout.write(f"The credentials are in {path}")
        else:
            self.stdout.write(f"There are accounts already, and no {path}; nothing was changed.")
