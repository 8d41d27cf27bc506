"""Install packages for Node, exactly as their locks say, once a run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import templates
from tests.programs import required

HERE = Path(__file__).resolve().parent


def install_once(locked: Path = HERE) -> Path:
    """Return a directory with the scripts of `locked`, and what its package.json and lock name.

    Skips the test where there is no Node or they cannot be had; fails it where `CI` is set.
    """
    required("node")
    npm = required("npm")
    with templates.make_once(f"node-{locked.name}") as (home, is_made):
        if not is_made:
            _install(npm, home, locked)
    return home


def _install(npm: str, home: Path, locked: Path) -> None:
    for file in locked.iterdir():
        if file.suffix in (".json", ".js", ".mjs"):
            shutil.copy(file, home)
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True)
    if done.returncode:
        wanted = ", ".join(json.loads((locked / "package.json").read_text())["dependencies"])
        reason = f"the package {wanted} could not be had: {done.stderr[-500:]}"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(reason)
        pytest.skip(reason)
