"""Accounts: the owners of workspaces, and their auth tokens."""

from __future__ import annotations

from django.db import models

from routing.models.base import Dated, sid_field, unique_sid


class Account(Dated):
    """An owner of workspaces; nothing of one account is visible to another."""

    sid = sid_field()
    friendly_name = models.CharField(max_length=64)
    sealed_auth_token = models.TextField(editable=False)
    # Empty for none. It is accepted like the primary token, until it replaces that one.
    sealed_secondary_token = models.TextField(blank=True, default="", db_default="", editable=False)

    class Meta:
        db_table = "accounts"
        constraints = [unique_sid("accounts")]

    def __str__(self) -> str:
        return self.friendly_name
