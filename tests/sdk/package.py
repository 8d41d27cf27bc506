"""Install packages for Node as their locks say; without them tests are skipped."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.programs import required

HERE = Path(__file__).resolve().parent


def installed(home: Path, *, locked: Path = HERE) -> Path:
    """Return `home` with what the package.json and the lock in `locked` name.

    Skips the test where there is no Node or they cannot be had; fails it where `CI` is set.
    """
    required("node")
    npm = required("npm")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(locked / name, home)
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True)
    if done.returncode:
        wanted = ", ".join(json.loads((locked / "package.json").read_text())["dependencies"])
        reason = f"the package {wanted} could not be had: {done.stderr[-500:]}"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(reason)
        pytest.skip(reason)
    return home
