"""Create, list and rename accounts, and renew or rotate their auth tokens."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from routing import models
from routing.actions import accounts
from routing.actions.support.errors import ActionError


class Command(BaseCommand):
    """The admin's page of accounts, for a shell."""

    help = "Create, list and rename accounts, and renew or rotate their auth tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the subcommands and their arguments."""
        todo = parser.add_subparsers(dest="do", required=True)
        create = todo.add_parser("create", help="create an account; its token is shown only once")
        create.add_argument("name", help="its display name")
        todo.add_parser("list", help="list accounts")
        rename = todo.add_parser("rename", help="rename an account")
        rename.add_argument("sid", metavar="AC…")
        rename.add_argument("name")
        renew = todo.add_parser(
            "renew-token",
            help="replace an account's auth token; the old one becomes invalid at once",
        )
        renew.add_argument("sid", metavar="AC…")
        for word, words in (
            ("create-secondary", "create a second auth token beside the primary one"),
            ("promote-secondary", "replace the primary auth token by the secondary one"),
            ("delete-secondary", "delete the secondary auth token; it becomes invalid at once"),
        ):
            todo.add_parser(word, help=words).add_argument("sid", metavar="AC…")

    def handle(self, **options: Any) -> None:
        """Run the subcommand; raise `CommandError` if an action refuses."""
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
        account = load_account(options["sid"])
        accounts.rename_account(account=account, friendly_name=options["name"], now=timezone.now())
        self.stdout.write(f"{account.sid} was renamed to {account.friendly_name!r}.")

    def _renew(self, options: dict[str, Any]) -> None:
        token = accounts.renew_auth_token(account=load_account(options["sid"]), now=timezone.now())
        self.stdout.write(f"AUTH_TOKEN={token}")
        self.stderr.write(
            "The old token is invalid now. Keep the new one now: it is not shown again."
        )

    def _create_secondary(self, options: dict[str, Any]) -> None:
        token = accounts.create_secondary_token(
            account=load_account(options["sid"]), now=timezone.now()
        )
        self.stdout.write(f"SECONDARY_AUTH_TOKEN={token}")
        self.stderr.write(
            "Both tokens are valid until you promote or delete this one. Keep it now: it is not"
            " shown again."
        )

    def _promote_secondary(self, options: dict[str, Any]) -> None:
        account = load_account(options["sid"])
        accounts.promote_secondary_token(account=account, now=timezone.now())
        self.stdout.write(f"The secondary token of {account.sid} is the primary one now.")
        self.stderr.write(
            "The old primary token is invalid now; callbacks are signed with the new one."
        )

    def _delete_secondary(self, options: dict[str, Any]) -> None:
        account = load_account(options["sid"])
        accounts.delete_secondary_token(account=account, now=timezone.now())
        self.stdout.write(f"The secondary token of {account.sid} was deleted.")


def load_account(sid: str) -> models.Account:
    """Return the account with this sid, or raise `CommandError`."""
    account = models.Account.objects.filter(sid=sid).first()
    if account is None:
        raise CommandError(f"There is no account {sid}.")
    return account
