"""Accounts, API keys, logins and supervisors: secrets are shown once, and only to operators."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import User

from routing import models, secretbox
from routing.actions import api_keys
from tests import factories
from tests.admin.visitors import Visitor, errors, words
from tests.factories import NOW


def test_an_accounts_token_is_shown_once(olga: Visitor) -> None:
    answer = olga.send("routing_account_add", friendly_name="Acme")
    account = models.Account.objects.get(friendly_name="Acme")
    token = secretbox.unseal(account.sealed_auth_token)
    assert token in words(answer)
    for page in ("routing_account_changelist", "index"):
        assert token not in olga.see(page).content.decode()
    seen = olga.see("routing_account_change", account.pk).content.decode()
    assert token not in seen
    assert account.sealed_auth_token not in seen


def test_an_account_is_renamed_and_never_deleted(olga: Visitor) -> None:
    account = factories.account()
    before = account.sealed_auth_token
    olga.send("routing_account_change", account.pk, friendly_name="Acme & Sons")
    account.refresh_from_db()
    assert (account.friendly_name, account.sealed_auth_token) == ("Acme & Sons", before)
    assert "required" in errors(
        olga.send("routing_account_change", account.pk, friendly_name=" "), "friendly_name"
    )
    assert olga.post("routing_account_delete", account.pk, post="yes").status_code == 403


def test_a_renewed_token_is_shown_once_and_the_old_one_ends(olga: Visitor) -> None:
    account = factories.account(auth_token="the old one")
    asked = olga.see("routing_account_renew", account.pk)
    assert "becomes invalid at once" in words(asked)
    account.refresh_from_db()
    assert secretbox.matches_secret(account.sealed_auth_token, "the old one")
    answer = olga.send("routing_account_renew", account.pk)
    account.refresh_from_db()
    token = secretbox.unseal(account.sealed_auth_token)
    assert token != "the old one"
    assert token in words(answer)
    assert token not in olga.see("routing_account_change", account.pk).content.decode()


def test_a_token_is_rotated_by_buttons(olga: Visitor) -> None:
    account = factories.account(auth_token="the old one")
    assert "second auth token" in words(olga.see("routing_account_rotate", account.pk))
    answer = olga.send("routing_account_rotate", account.pk, do="create")
    account.refresh_from_db()
    token = secretbox.unseal(account.sealed_secondary_token)
    assert token in words(answer)
    seen = olga.see("routing_account_rotate", account.pk)
    assert token not in seen.content.decode()
    assert "Promote the secondary token" in words(seen)
    assert "already" in words(olga.send("routing_account_rotate", account.pk, do="create"))
    olga.send("routing_account_rotate", account.pk, do="promote")
    account.refresh_from_db()
    assert secretbox.unseal(account.sealed_auth_token) == token
    olga.send("routing_account_rotate", account.pk, do="create")
    assert "was deleted" in words(olga.send("routing_account_rotate", account.pk, do="delete"))
    assert "no secondary" in words(olga.send("routing_account_rotate", account.pk, do="delete"))


def test_a_supervisor_renews_no_token(alice: Visitor, workspace: models.Workspace) -> None:
    before = workspace.account.sealed_auth_token
    assert alice.see("routing_account_rotate", workspace.account.pk).status_code == 403
    assert (
        alice.post("routing_account_rotate", workspace.account.pk, do="create").status_code == 403
    )
    assert alice.see("routing_account_renew", workspace.account.pk).status_code == 403
    assert alice.post("routing_account_renew", workspace.account.pk).status_code == 403
    workspace.account.refresh_from_db()
    assert workspace.account.sealed_auth_token == before


def test_a_keys_last_use_is_shown_to_the_minute(olga: Visitor) -> None:
    key, _ = api_keys.create_api_key(
        account=factories.account(), friendly_name="reporting", now=NOW
    )
    assert "never" in words(olga.see("routing_apikey_changelist"))
    api_keys.record_use(key=key, now=NOW)
    for page in (
        olga.see("routing_apikey_changelist"),
        olga.see("routing_apikey_change", key.pk),
    ):
        assert "2026-03-02 12:00 UTC" in words(page)


def test_an_api_keys_secret_is_shown_once_and_it_is_revoked_once(olga: Visitor) -> None:
    account = factories.account()
    answer = olga.send("routing_apikey_add", account=account.pk, friendly_name="reporting")
    key = models.ApiKey.objects.get()
    assert secretbox.unseal(key.sealed_secret) in words(answer)
    seen = olga.see("routing_apikey_change", key.pk).content.decode()
    assert secretbox.unseal(key.sealed_secret) not in seen

    chosen: dict[str, Any] = {"action": "revoke", "_selected_action": [key.pk]}
    assert "Revoked: reporting" in words(olga.post("routing_apikey_changelist", **chosen))
    key.refresh_from_db()
    assert key.date_revoked is not None
    assert "revoked before" in words(olga.post("routing_apikey_changelist", **chosen))


def test_an_api_key_needs_a_name(olga: Visitor) -> None:
    answer = olga.send("routing_apikey_add", account=factories.account().pk, friendly_name="")
    assert "required" in errors(answer, "friendly_name")
    assert not models.ApiKey.objects.exists()


def test_a_login_shows_its_workers_and_the_workspaces_it_supervises(
    olga: Visitor, alice: Visitor, charlie: Visitor
) -> None:
    assert alice.user is not None
    assert charlie.user is not None
    assert "Floor A" in words(olga.see("auth_user_change", alice.user.pk))
    assert "Charlie (Floor A)" in words(olga.see("auth_user_change", charlie.user.pk))
    assert "Charlie (Floor A)" in words(olga.see("auth_user_changelist"))


def test_no_page_shows_a_password_hash(olga: Visitor, charlie: Visitor) -> None:
    assert charlie.user is not None
    page = olga.see("auth_user_change", charlie.user.pk).content.decode()
    hashed = re.split(r"\$", charlie.user.password)[-1]
    assert hashed not in page


def test_a_supervisor_is_made_once(olga: Visitor, workspace: models.Workspace) -> None:
    dana = User.objects.create_user("dana")
    olga.send("routing_membership_add", user=dana.pk, workspace=workspace.pk)
    assert Visitor(dana).see("index").status_code == 200
    answer = olga.send("routing_membership_add", user=dana.pk, workspace=workspace.pk)
    assert "already" in words(answer)
    assert models.Membership.objects.count() == 1


def test_the_link_to_the_desk_is_shown_to_logins_with_a_worker(
    alice: Visitor, workspace: models.Workspace
) -> None:
    assert "desk" not in words(alice.see("index"))
    factories.worker(workspace, "Alice", user=alice.user)
    assert 'href="/agent/"' in alice.see("index").content.decode()


def test_api_keys_are_filtered_by_whether_they_are_revoked(olga: Visitor) -> None:
    account = factories.account()
    for name in ("reporting", "gone"):
        key, _ = api_keys.create_api_key(account=account, friendly_name=name, now=NOW)
    api_keys.revoke_api_key(key=key, now=NOW)
    both = words(olga.see("routing_apikey_changelist"))
    assert "API keys" in both
    assert "reporting" in both
    assert "gone" in both
    works, revoked = (
        words(olga.see("routing_apikey_changelist", query=f"?works={chosen}"))
        for chosen in ("yes", "no")
    )
    assert "reporting" in works
    assert "gone" not in works
    assert "gone" in revoked
    assert "reporting" not in revoked
