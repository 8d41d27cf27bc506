"""Accounts: who owns workspaces, and the tokens that speak for them."""

from __future__ import annotations

from django.db import models

from routing.models.base import Dated, sid_field, unique_sid


class Account(Dated):
    """An owner of workspaces; nothing of one account is visible to another."""

    sid = sid_field()
    friendly_name = models.CharField(max_length=64)
    sealed_auth_token = models.TextField(editable=False)
    # Empty where there is none. It opens what the first one does, until it takes its place.
    sealed_secondary_token = models.TextField(blank=True, default="", db_default="", editable=False)

    class Meta:
        db_table = "accounts"
        constraints = [unique_sid("accounts")]

    def __str__(self) -> str:
        return self.friendly_name
