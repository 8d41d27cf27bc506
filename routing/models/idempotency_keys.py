"""Idempotency keys: the stored answer to a request that creates, for its retries."""

from __future__ import annotations

from django.db import models


class IdempotencyKey(models.Model):
    """A client's key for one creation, stored in the same transaction as the new row."""

    account = models.ForeignKey(
        "routing.Account", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # Each worker token has its own keys; all other callers of an account share theirs.
    scope = models.CharField(max_length=34, blank=True)
    key = models.CharField(max_length=255)
    # A hash of the path and the form: the same key with another digest is a client error.
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    etag = models.CharField(max_length=32, blank=True)
    body = models.TextField()
    date_created = models.DateTimeField()

    class Meta:
        db_table = "idempotency_keys"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "scope", "key"], name="idempotency_keys_once"
            )
        ]

    def __str__(self) -> str:
        return self.key
