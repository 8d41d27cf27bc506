"""Checks of other tools, so that plain `pytest` runs them too."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.core.management import call_command

from tests.server import ROOT


def test_imports_follow_the_contracts() -> None:
    code = "from importlinter.cli import lint_imports_command as main; main(['--no-cache'])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[result.stdout.find("Broken contracts") :]


@pytest.mark.django_db
def test_every_model_change_has_a_migration() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_no_migration_imports_the_application() -> None:
    for path in ROOT.glob("*/migrations/0*.py"):
        lines = path.read_text().splitlines()
        ours = ("from routing", "import routing", "from workflows", "from agents", "from config")
        assert not [line for line in lines if line.startswith(ours)], path
