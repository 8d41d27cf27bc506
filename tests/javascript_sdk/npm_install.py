"""Install packages for Node once per run, exactly as their lock files say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import database_templates
from tests.required_programs import find_program

HERE = Path(__file__).resolve().parent


def install_npm_packages(locked: Path = HERE) -> Path:
    """Return a directory with the scripts of `locked`, and what its package.json and lock name.

    Skips the test where there is no Node or they cannot be had; fails it where `CI` is set.
    """
    find_program("node")
    npm = find_program("npm")
    with database_templates.make_once(f"node-{locked.name}") as (home, is_made):
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
