"""A place for a server of a test's own; `cordboard` is one that several tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a data directory that does not exist yet."""
    return tmp_path / "var"
