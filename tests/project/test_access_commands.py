"""Commands for accounts and API keys: secrets are shown once, refusals have messages."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from routing import models, secretbox
from tests import factories

pytestmark = pytest.mark.django_db


def say(*words: str) -> str:
    """Run a command and return what it prints on its output alone."""
    printed = io.StringIO()
    call_command(*words, stdout=printed, stderr=io.StringIO())
    return printed.getvalue()


def values(printed: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in printed.splitlines())


def test_an_account_is_created_with_a_token_that_a_shell_can_read() -> None:
    made = values(say("account", "create", "Acme"))
    account = models.Account.objects.get(sid=made["ACCOUNT_SID"])
    assert account.friendly_name == "Acme"
    assert secretbox.matches_secret(account.sealed_auth_token, made["AUTH_TOKEN"])


def test_accounts_are_listed_without_their_tokens() -> None:
    account = factories.account(friendly_name="Acme", auth_token="tell nobody")
    assert say("account", "list") == f"{account.sid}  Acme\n"


def test_an_account_is_renamed() -> None:
    account = factories.account()
    say("account", "rename", account.sid, "Acme & Sons")
    account.refresh_from_db()
    assert account.friendly_name == "Acme & Sons"
    with pytest.raises(CommandError, match="must not be empty"):
        call_command("account", "rename", account.sid, " ")


def test_a_renewed_token_replaces_the_old_one() -> None:
    account = factories.account(auth_token="old")
    new = values(say("account", "renew-token", account.sid))["AUTH_TOKEN"]
    account.refresh_from_db()
    assert secretbox.unseal(account.sealed_auth_token) == new != "old"
    with pytest.raises(CommandError, match="There is no account AC0"):
        call_command("account", "renew-token", "AC0")


def test_a_rotated_token_and_the_old_one_overlap() -> None:
    account = factories.account(friendly_name="Acme", auth_token="old")
    second = values(say("account", "create-secondary", account.sid))["SECONDARY_AUTH_TOKEN"]
    assert "has a secondary token" in say("account", "list")
    with pytest.raises(CommandError, match="has a secondary auth token already"):
        call_command("account", "create-secondary", account.sid)
    assert "is the primary one now" in say("account", "promote-secondary", account.sid)
    account.refresh_from_db()
    assert secretbox.unseal(account.sealed_auth_token) == second
    assert say("account", "list") == f"{account.sid}  Acme\n"
    for word in ("promote-secondary", "delete-secondary"):
        with pytest.raises(CommandError, match="has no secondary auth token"):
            call_command("account", word, account.sid)
    say("account", "create-secondary", account.sid)
    assert "was deleted" in say("account", "delete-secondary", account.sid)


def test_a_key_is_created_for_the_only_account_and_listed_and_revoked() -> None:
    account = factories.account(friendly_name="Acme")
    made = values(say("api_key", "create", "reports"))
    key = models.ApiKey.objects.get(sid=made["API_KEY_SID"])
    assert key.account == account
    assert secretbox.matches_secret(key.sealed_secret, made["API_KEY_SECRET"])
    assert say("api_key", "list") == f"{key.sid}  works    never used  reports  (Acme)\n"
    say("api_key", "revoke", key.sid)
    assert "revoked" in say("api_key", "list")
    with pytest.raises(CommandError, match="revoked already"):
        call_command("api_key", "revoke", key.sid)


def test_an_account_must_be_named_if_there_are_several() -> None:
    first, second = factories.account(), factories.account()
    with pytest.raises(CommandError, match="several accounts"):
        call_command("api_key", "create", "reports")
    made = values(say("api_key", "create", "reports", "--account", second.sid))
    assert made["API_KEY_SID"] in say("api_key", "list", "--account", second.sid)
    assert say("api_key", "list", "--account", first.sid) == ""


def test_a_missing_row_is_reported_with_a_message() -> None:
    with pytest.raises(CommandError, match="There is no account yet"):
        call_command("api_key", "create", "reports")
    with pytest.raises(CommandError, match="There is no API key SK0"):
        call_command("api_key", "revoke", "SK0")
