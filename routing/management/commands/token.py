"""Create an access token for the worker SDK."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone

from routing import keys, models, secretbox, tokens
from routing.tokens import DEFAULT_TTL, MAX_TTL, Role


class Command(BaseCommand):
    """Print a token and nothing else, for use in scripts."""

    help = "Create an access token for the worker SDK, for a worker or a workspace."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the subject, the role and the lifetime."""
        parser.add_argument(
            "named",
            metavar="WK…|WS…|login",
            help="the sid of a worker or a workspace, or the name that a worker logs in with",
        )
        parser.add_argument("--role", choices=[*Role], default=Role.WORKER.value)
        parser.add_argument(
            "--ttl", type=int, default=DEFAULT_TTL, help=f"lifetime in seconds ({DEFAULT_TTL})"
        )
        parser.add_argument("--identity", default="", help="a name that is stored in it")
        parser.add_argument(
            "--key",
            metavar="SK…",
            default="",
            help="the API key that signs it (default: the account's auth token)",
        )

    def handle(self, **options: Any) -> None:
        """Print the token; raise `CommandError` if there is no such worker or workspace."""
        workspace, worker = self._named(options["named"])
        if not 1 <= options["ttl"] <= MAX_TTL:
            raise CommandError(
                f"--ttl is {options['ttl']}; it must be a number of seconds from 1 to {MAX_TTL}."
            )
        account = workspace.account
        key = keys.find_key(options["key"] or account.sid)
        if key is None or key.account != account:
            raise CommandError("There is no such key of the account, or it was revoked.")
        self.stdout.write(
            tokens.mint_token(
                account=account,
                key_sid=options["key"] or account.sid,
                secret=secretbox.unseal(key.sealed),
                workspace_sid=workspace.sid,
                worker_sid=None if worker is None else worker.sid,
                role=Role(options["role"]),
                identity=options["identity"] or None,
                ttl=options["ttl"],
                now=timezone.now(),
            )
        )

    def _named(self, named: str) -> tuple[models.Workspace, models.Worker | None]:
        rows = models.Worker.objects.select_related("workspace__account").order_by("pk")
        for worker in rows.filter(Q(sid=named) | Q(user__username=named)):
            return worker.workspace, worker
        for workspace in models.Workspace.objects.select_related("account").filter(sid=named):
            return workspace, None
        raise CommandError(f"There is no worker, no workspace and no worker's login {named}.")
