"""A real Redis for wakes, and what they send."""

from __future__ import annotations

import pytest

from routing import wakes


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the workspaces that were put on the list for routers, which none takes."""
    found: list[str] = []
    monkeypatch.setattr(wakes, "_send", lambda client, workspace: found.append(workspace))
    return found
