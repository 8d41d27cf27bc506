"""Seal stored secrets by the present `SECRET_KEY`, so that older keys can be given up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import InvalidToken
from django.db.models import QuerySet

from routing import models, secretbox


@dataclass(slots=True)
class Resealed:
    """How many secrets there were, how many were sealed again, and whose cannot be read."""

    found: int = 0
    sealed: int = 0
    unreadable: list[str] = field(default_factory=list)


def reseal_secrets() -> Resealed:
    """Seal the auth tokens of accounts and the secrets of API keys by the present key.

    Nothing that clients know changes. A secret that is renewed at the same time stays as renewed.
    """
    done = Resealed()
    for rows, sid, column, sealed in _sealed():
        done.found += 1
        try:
            again = secretbox.reseal(sealed)
        except InvalidToken:
            done.unreadable.append(sid)
            continue
        if again != sealed:
            done.sealed += rows.filter(**{"sid": sid, column: sealed}).update(**{column: again})
    return done


def _sealed() -> Iterator[tuple[QuerySet[Any], str, str, str]]:
    """Yield every sealed secret: its table, whose it is, its column and its text."""
    accounts, api_keys = models.Account.objects.all(), models.ApiKey.objects.all()
    for rows, column in ((accounts, "sealed_auth_token"), (api_keys, "sealed_secret")):
        for sid, sealed in rows.order_by("pk").values_list("sid", column):
            yield rows, sid, column, sealed
