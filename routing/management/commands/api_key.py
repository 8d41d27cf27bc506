"""Create, list and revoke API keys."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from routing import models
from routing.actions import api_keys
from routing.actions.support.errors import ActionError


class Command(BaseCommand):
    """The admin's page of API keys, for a shell."""

    help = "Create, list and revoke API keys."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the subcommands and their arguments."""
        todo = parser.add_subparsers(dest="do", required=True)
        create = todo.add_parser("create", help="create a key; its secret is shown only once")
        create.add_argument("name", help="its display name")
        create.add_argument(
            "--account", metavar="AC…", help="its account; optional if there is only one"
        )
        listing = todo.add_parser("list", help="list keys, with their last use to the minute")
        listing.add_argument("--account", metavar="AC…", help="only the keys of this account")
        revoke = todo.add_parser("revoke", help="revoke a key at once")
        revoke.add_argument("sid", metavar="SK…")

    def handle(self, **options: Any) -> None:
        """Run the subcommand; raise `CommandError` if an action refuses."""
        try:
            {"create": self._create, "list": self._list, "revoke": self._revoke}[options["do"]](
                options
            )
        except ActionError as refusal:
            raise CommandError(refusal.message) from None

    def _create(self, options: dict[str, Any]) -> None:
        key, secret = api_keys.create_api_key(
            account=_load_account(options["account"]),
            friendly_name=options["name"],
            now=timezone.now(),
        )
        self.stdout.write(f"API_KEY_SID={key.sid}\nAPI_KEY_SECRET={secret}")
        self.stderr.write("Keep the secret now: it is not shown again.")

    def _list(self, options: dict[str, Any]) -> None:
        keys = models.ApiKey.objects.select_related("account").order_by("pk")
        if options["account"]:
            keys = keys.filter(account=_load_account(options["account"]))
        for key in keys:
            used = key.date_last_used
            state = "revoked" if key.date_revoked else "works"
            when = "never used" if used is None else f"last used {used:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(
                f"{key.sid}  {state:7}  {when}  {key.friendly_name}  ({key.account.friendly_name})"
            )

    def _revoke(self, options: dict[str, Any]) -> None:
        key = models.ApiKey.objects.filter(sid=options["sid"]).first()
        if key is None:
            raise CommandError(f"There is no API key {options['sid']}.")
        api_keys.revoke_api_key(key=key, now=timezone.now())
        self.stdout.write(f"{key.sid} was revoked.")


def _load_account(sid: str | None) -> models.Account:
    found = list(models.Account.objects.filter(**{} if sid is None else {"sid": sid})[:2])
    if not found:
        raise CommandError(f"There is no account {sid}." if sid else "There is no account yet.")
    if len(found) > 1:
        raise CommandError("There are several accounts: name one with --account AC….")
    return found[0]
