"""A server that several tests may look at; those that break one start their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import Cordboard, running


@pytest.fixture(scope="session")
def cordboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cordboard]:
    """Return a running server that no test may break."""
    with running(tmp_path_factory.mktemp("shared") / "var") as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a data directory that does not exist yet."""
    return tmp_path / "var"
