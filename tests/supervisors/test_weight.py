"""What the pages of the cockpit load: not more than a slow connection takes at once."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from tests.supervisors.conftest import Cockpit

pytestmark = pytest.mark.django_db

STATIC = Path(__file__).parents[2] / "static"
MOST_BYTES = 60_000
PAGES = ("", "queues", "agents", "tasks", "reports", "alerts", "boards", "changes", "help")


def find_own(page: str) -> set[Path]:
    """Return the style sheets and scripts of a page, with all modules that they import."""
    named = re.findall(r'(?:href|src)="/static/([^"]+\.(?:css|js))"', page)
    waiting = [STATIC / name for name in named if not name.startswith("vendor/")]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop().resolve()
        if path in found:
            continue
        found.add(path)
        if path.suffix == ".js":
            imported = re.findall(r'(?:from|import) ?\(?"(\.[^"]+)"', path.read_text())
            waiting += [path.parent / name for name in imported]
    return found


def test_a_page_loads_at_most_60_kb_of_own_script_and_style(cockpit: Cockpit) -> None:
    for path in PAGES:
        own = find_own(cockpit.read(path))
        assert len(own) > 20, "modules are found"
        size = sum(len(gzip.compress(each.read_bytes())) for each in own)
        assert size <= MOST_BYTES, (path, size)
