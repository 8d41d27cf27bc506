"""API keys: further credentials of an account, each revocable by itself."""

from __future__ import annotations

from django.db import models

from routing.models.base import Dated, sid_field, unique_sid


class ApiKey(Dated):
    """A credential for its account that is accepted until it is revoked."""

    sid = sid_field()
    account = models.ForeignKey(
        "routing.Account", on_delete=models.CASCADE, related_name="api_keys"
    )
    friendly_name = models.CharField(max_length=64, blank=True, help_text="What uses this key.")
    sealed_secret = models.TextField(editable=False)
    # Precise to a minute: busy programs use their key hundreds of times a second.
    date_last_used = models.DateTimeField(null=True, blank=True, editable=False)
    date_revoked = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "api_keys"
        verbose_name = "API key"
        constraints = [unique_sid("api_keys")]

    def __str__(self) -> str:
        return self.friendly_name or self.sid
