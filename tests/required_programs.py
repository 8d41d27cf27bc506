"""Find programs that tests need; a missing one skips the test, or fails it in CI."""

from __future__ import annotations

import glob
import os
import shutil
from typing import Final

import pytest

CHROMIUM: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""Programs that can be the browser. The first draws no window, and needs half the CPU time."""


def find_program(*names: str, places: tuple[str, ...] = ()) -> str:
    """Return the path of the first of these programs that is on PATH or in one of `places`.

    Skips the test when there is none; fails it where `CI` is set, which installs them first.
    """
    for name in names:
        found = shutil.which(name) or next(
            (path for place in places for path in sorted(glob.glob(f"{place}/{name}"))[::-1]), None
        )
        if found:
            return found
    reason = f"needs {' or '.join(names)}, which is not on this machine"
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(reason)
    pytest.skip(reason)
