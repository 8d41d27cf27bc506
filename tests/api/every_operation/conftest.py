"""One workspace for all tests of a file, made once: each test's changes are rolled back.

These files try every operation of the description, which is hundreds of tests that need the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from routing import models
from tests import factories
from tests.api.conftest import TOKEN, sids_of_each_kind


@dataclass
class Shared:
    """Rows that the tests of a file share; each test reads them again."""

    account: int
    workspace: int
    sids: dict[str, str]


@pytest.fixture(scope="module")
def shared(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Shared]:
    """Make the workspace in a transaction that ends with the file; tests run in savepoints."""
    with django_db_blocker.unblock(), transaction.atomic():
        account = factories.account(auth_token=TOKEN)
        workspace = factories.workspace(account=account)
        sids = sids_of_each_kind(workspace, now=timezone.now())
        yield Shared(account.pk, workspace.pk, sids)
        transaction.set_rollback(True)


@pytest.fixture
def account(shared: Shared, db: None) -> models.Account:
    """Return the account whose client `api` is."""
    return models.Account.objects.get(pk=shared.account)


@pytest.fixture
def workspace(shared: Shared, account: models.Account) -> models.Workspace:
    """Return the workspace of the account."""
    return models.Workspace.objects.get(pk=shared.workspace)


@pytest.fixture
def existing(shared: Shared, workspace: models.Workspace) -> dict[str, str]:
    """Return an existing sid of each kind."""
    return dict(shared.sids)
