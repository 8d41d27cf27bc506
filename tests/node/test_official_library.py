"""The official REST library for Node works against a running server."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.javascript_sdk.npm_install import install_npm_packages
from tests.server import Cordboard

pytestmark = pytest.mark.system

HERE = Path(__file__).resolve().parent
SECTIONS = (
    *("workspaces", "activities", "taskChannels", "taskQueues", "workflows"),
    *("workersAndTheirChannels", "tasksAndReservations", "pages", "events", "statistics"),
    "errors",
)
LONGEST = 120
"""Seconds; generous, as a machine that is busy must not fail a test that measures nothing."""


@pytest.fixture(scope="module")
def package() -> Path:
    """Return a directory in which the library is installed."""
    return install_npm_packages(HERE)


def run(script: Path, server: Cordboard) -> str:
    """Run a script beside the library and return what it prints."""
    environment = {**os.environ, **server.credentials(), "CORDBOARD": server.url}
    done = subprocess.run(
        ["node", str(script)], env=environment, capture_output=True, text=True, timeout=LONGEST
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def found(package: Path, cordboard: Cordboard) -> dict[str, str | None]:
    """Return what went wrong in each section."""
    said = run(package / "resources.mjs", cordboard)
    lines = map(json.loads, said.splitlines())
    return {line["section"]: line["wrong"] for line in lines}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_library_drives_every_resource(found: dict[str, str | None], section: str) -> None:
    assert found[section] is None, found[section]


def test_every_resource_of_the_library_is_tried(found: dict[str, str | None]) -> None:
    assert set(found) == set(SECTIONS)


def test_the_script_of_the_guide_reads_from_this_server(
    package: Path, cordboard: Cordboard
) -> None:
    text = (HERE.parent.parent / "docs" / "coming-from-taskrouter.md").read_text()
    script = package / "guide.mjs"
    script.write_text(text.partition("```javascript\n")[2].partition("```")[0])
    run(script, cordboard)
