"""Encrypt stored secrets again with the present `SECRET_KEY`, so that older keys can go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.fernet import InvalidToken
from django.db.models import QuerySet

from routing import models, secretbox

_CHUNK: Final = 500


@dataclass(slots=True)
class Resealed:
    """How many secrets were found and resealed, and the names of unreadable ones."""

    found: int = 0
    sealed: int = 0
    unreadable: list[str] = field(default_factory=list)


def reseal_secrets() -> Resealed:
    """Seal auth tokens, secrets of API keys and stored answers with the present key.

    No secret changes for clients. A secret that is renewed at the same time keeps the new value.
    """
    done = Resealed()
    for secret in list_sealed_secrets():
        done.found += 1
        try:
            again = secretbox.reseal(secret.sealed)
        except InvalidToken:
            done.unreadable.append(secret.name)
            continue
        if again != secret.sealed:
            known = {"pk": secret.pk, secret.column: secret.sealed}
            done.sealed += secret.rows.filter(**known).update(**{secret.column: again})
    return done


def find_unreadable_secrets() -> Iterator[str]:
    """Yield the name of every stored secret that none of the keys can read."""
    for secret in list_sealed_secrets():
        try:
            secretbox.unseal(secret.sealed)
        except InvalidToken:
            yield secret.name


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """One stored secret: its row and column, a name for people, and its sealed text."""

    rows: QuerySet[Any]
    pk: int
    column: str
    name: str
    sealed: str


def list_sealed_secrets() -> Iterator[SealedSecret]:
    """Yield every sealed value; a column that is added must be added here.

    The secret of a revoked API key is rejected, but it is kept readable like the others.
    """
    accounts, api_keys = models.Account.objects.all(), models.ApiKey.objects.all()
    answers = models.IdempotencyKey.objects.filter(body__startswith=secretbox.PREFIX)
    for rows, owner, column, words in (
        (accounts, "sid", "sealed_auth_token", "the auth token of"),
        (accounts, "sid", "sealed_secondary_token", "the secondary auth token of"),
        (api_keys, "sid", "sealed_secret", "the secret of"),
        (answers, "account__sid", "body", "an answer kept for a day for"),
    ):
        found = rows.exclude(**{column: ""}).order_by("pk").values_list("pk", owner, column)
        for pk, sid, sealed in found.iterator(chunk_size=_CHUNK):
            yield SealedSecret(rows, pk, column, f"{words} {sid}", sealed)
