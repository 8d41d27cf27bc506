"""Seal stored secrets by the present SECRET_KEY."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from routing.actions import resealing


class Command(BaseCommand):
    """Make stored secrets independent of the keys in SECRET_KEY_FALLBACKS."""

    help = (
        "Seal auth tokens, secrets of API keys and kept answers by the present SECRET_KEY."
        " Keys in SECRET_KEY_FALLBACKS are not needed for them any more."
    )

    def handle(self, **_: Any) -> None:
        """Seal them; end with an error that names those that none of the keys can read."""
        done = resealing.reseal_secrets()
        self.stdout.write(f"{done.sealed} of {done.found} secrets were sealed by the present key.")
        if done.unreadable:
            raise CommandError(
                f"None of the keys can read {', '.join(done.unreadable)}. Add the key that sealed"
                " them to SECRET_KEY_FALLBACKS, or renew them: account renew-token, account"
                " delete-secondary, api_key create. Kept answers are deleted after a day."
            )
