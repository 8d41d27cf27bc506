"""Encrypt stored secrets with the current SECRET_KEY."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from routing.actions import resealing


class Command(BaseCommand):
    """Make stored secrets independent of the keys in SECRET_KEY_FALLBACKS."""

    help = (
        "Seal auth tokens, secrets of API keys and stored answers with the current SECRET_KEY."
        " Afterwards they no longer need the keys in SECRET_KEY_FALLBACKS."
    )

    def handle(self, **_: Any) -> None:
        """Seal them; raise `CommandError` that names those that no key can decrypt."""
        done = resealing.reseal_secrets()
        self.stdout.write(
            f"{done.sealed} of {done.found} secrets were sealed with the current key."
        )
        if done.unreadable:
            raise CommandError(
                f"None of the keys can read {', '.join(done.unreadable)}. Add the key that sealed"
                " them to SECRET_KEY_FALLBACKS, or renew them: account renew-token, account"
                " delete-secondary, api_key create. Stored answers are deleted after a day."
            )
