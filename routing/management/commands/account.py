"""Create, list and rename accounts, and renew or rotate their auth tokens."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from routing import models
from routing.actions import accounts
from routing.actions.errors import ActionError


class Command(BaseCommand):
    """Do for an operator at a shell what the admin's page of accounts does."""

    help = "Create, list and rename accounts, and renew or rotate their auth tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do, and to which account."""
        todo = parser.add_subparsers(dest="do", required=True)
        create = todo.add_parser("create", help="create an account; its token is shown this once")
        create.add_argument("name", help="what people call it")
        todo.add_parser("list", help="list accounts")
        rename = todo.add_parser("rename", help="call an account otherwise")
        rename.add_argument("sid", metavar="AC…")
        rename.add_argument("name")
        renew = todo.add_parser(
            "renew-token", help="give an account another auth token; the old one ends at once"
        )
        renew.add_argument("sid", metavar="AC…")
        for word, words in (
            ("create-secondary", "create a second auth token beside the primary one"),
            ("promote-secondary", "make the secondary auth token the primary one, which ends"),
            ("delete-secondary", "end the secondary auth token at once"),
        ):
            todo.add_parser(word, help=words).add_argument("sid", metavar="AC…")

    def handle(self, **options: Any) -> None:
        """Do it; end with an error, in words, where it is refused."""
        try:
            {
                "create": self._create,
                "list": self._list,
                "rename": self._rename,
                "renew-token": self._renew,
                "create-secondary": self._create_secondary,
                "promote-secondary": self._promote_secondary,
                "delete-secondary": self._delete_secondary,
            }[options["do"]](options)
        except ActionError as refusal:
            raise CommandError(refusal.message) from None

    def _create(self, options: dict[str, Any]) -> None:
        account, token = accounts.create_account(friendly_name=options["name"], now=timezone.now())
        self.stdout.write(f"ACCOUNT_SID={account.sid}\nAUTH_TOKEN={token}")
        self.stderr.write("Keep the token now: it is not shown again.")

    def _list(self, options: dict[str, Any]) -> None:
        for account in models.Account.objects.order_by("friendly_name", "pk"):
            second = "  (has a secondary token)" if account.sealed_secondary_token else ""
            self.stdout.write(f"{account.sid}  {account.friendly_name}{second}")

    def _rename(self, options: dict[str, Any]) -> None:
        account = of(options["sid"])
        accounts.rename_account(account=account, friendly_name=options["name"], now=timezone.now())
        self.stdout.write(f"{account.sid} is called {account.friendly_name!r} now.")

    def _renew(self, options: dict[str, Any]) -> None:
        token = accounts.renew_auth_token(account=of(options["sid"]), now=timezone.now())
        self.stdout.write(f"AUTH_TOKEN={token}")
        self.stderr.write("The old token has ended. Keep the new one now: it is not shown again.")

    def _create_secondary(self, options: dict[str, Any]) -> None:
        token = accounts.create_secondary_token(account=of(options["sid"]), now=timezone.now())
        self.stdout.write(f"SECONDARY_AUTH_TOKEN={token}")
        self.stderr.write(
            "Both tokens are good until you promote or delete this one. Keep it now: it is not"
            " shown again."
        )

    def _promote_secondary(self, options: dict[str, Any]) -> None:
        account = of(options["sid"])
        accounts.promote_secondary_token(account=account, now=timezone.now())
        self.stdout.write(f"The secondary token of {account.sid} is the primary one now.")
        self.stderr.write("The old primary token has ended; callbacks are signed by the new one.")

    def _delete_secondary(self, options: dict[str, Any]) -> None:
        account = of(options["sid"])
        accounts.delete_secondary_token(account=account, now=timezone.now())
        self.stdout.write(f"The secondary token of {account.sid} opens nothing any more.")


def of(sid: str) -> models.Account:
    """Return the account of this sid, or end the command in words."""
    account = models.Account.objects.filter(sid=sid).first()
    if account is None:
        raise CommandError(f"There is no account {sid}.")
    return account
