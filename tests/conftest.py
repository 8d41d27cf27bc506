"""What all tests share; each folder adds its own."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest

from tests import postgres

# No example is wrong for being slow: how fast things are is measured by benchmarks.
hypothesis.settings.register_profile(
    "cordboard", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("cordboard")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Return the URL of a private PostgreSQL that lasts as long as the tests."""
    with postgres.private_server() as url:
        yield url
