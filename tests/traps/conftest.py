"""The traps: rules of routing that are easily got wrong, one test each.

Where the core decides, a trap is played in both worlds; else through actions or by request.
"""

from __future__ import annotations

from tests.actions.conftest import recorded_events
from tests.api.conftest import account, api, root, workspace
from tests.scenarios.conftest import office

__all__ = ["account", "api", "office", "recorded_events", "root", "workspace"]
