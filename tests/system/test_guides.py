"""The scripts of the guides do what the guides say, run as they are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from twilio.rest import Client

from tests.server import ROOT, Cordboard

pytestmark = pytest.mark.system

LANGUAGES = {
    "sh": ("sh", "first.sh"),
    "python": (sys.executable, "first.py"),
    "javascript": ("node", "first.mjs"),
}
LONGEST = 60
SECTIONS = re.DOTALL | re.MULTILINE


def scripts(guide: str, language: str) -> list[str]:
    """Return the scripts of a guide in a language."""
    text = (ROOT / "docs" / f"{guide}.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, SECTIONS)


def run(
    language: str,
    script: str,
    server: Cordboard,
    place: Path,
    more: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a script with the environment of a reader of the guide."""
    program, name = LANGUAGES[language]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine")
    file = place / name
    file.write_text(script)
    known = {"CORDBOARD": server.url, **(more or {})}
    environment = {**os.environ, **server.credentials(), **known}
    return subprocess.run(
        [program, str(file)],
        env=environment,
        cwd=place,
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )


def test_the_readme_creates_a_task_by_hand_and_prints_it(
    tidied_demo: Cordboard, tmp_path: Path
) -> None:
    script = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), SECTIONS)[0]
    script = script.replace("var/credentials.env", str(tidied_demo.home / "credentials.env"))
    script = script.replace("http://127.0.0.1:8000", tidied_demo.url)
    done = run("sh", script, tidied_demo, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert '    "assignment_status": "pending",' in done.stdout.splitlines()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_integration_completes_its_task(
    cordboard: Cordboard, tmp_path: Path, language: str
) -> None:
    (script,) = scripts("first-integration", language)
    for _ in range(2):  # it leaves nothing behind that stands in its own way
        done = run(language, script, cordboard, tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "completed" in done.stdout


@pytest.mark.parametrize("language", ["sh", "python"])  # tests/node runs the one for Node
def test_a_library_of_the_hosted_service_reads_from_this_server(
    cordboard: Cordboard, tmp_path: Path, language: str
) -> None:
    (script,) = scripts("coming-from-taskrouter", language)
    done = run(language, script, cordboard, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_consumer_of_events_reads_each_one_once(cordboard: Cordboard, tmp_path: Path) -> None:
    (script,) = scripts("events", "python")
    known = cordboard.credentials()
    client = Client(known["ACCOUNT_SID"], known["AUTH_TOKEN"])
    client.taskrouter.base_url = cordboard.url
    workspace = client.taskrouter.v1.workspaces.create(friendly_name="Read on")
    more = {"WORKSPACE_SID": workspace.sid}

    def run_script() -> list[str]:
        done = run("python", script, cordboard, tmp_path, more)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        return [line.split()[1] for line in done.stdout.splitlines()]

    assert run_script()[0] == "workspace.created"
    assert run_script() == []
    workspace.activities.create(friendly_name="Lunch")
    workspace.activities.create(friendly_name="Training")
    assert run_script() == ["activity.created"] * 2
    workspace.delete()
