"""What all tests share; each folder adds its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import postgres


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Return the URL of a private PostgreSQL that lasts as long as the tests."""
    with postgres.private_server() as url:
        yield url
