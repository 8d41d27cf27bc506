"""Run the command blocks of a docs page, with an environment file as `deploy/` has it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import psycopg

from tests import database_templates, launcher
from tests.server import ROOT

MANAGE = "deploy/manage "
LONGEST_SECONDS = 120


def page_blocks(page: str, language: str = "sh") -> list[str]:
    """Return the blocks of a page in a language, those in lists too."""
    text = (ROOT / "docs" / page).read_text()
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE)
    return [dedent(block) for _, block in found]


def find_block(page: str, beginning: str) -> str:
    """Return the first block of a page that has a line with this beginning."""
    return next(each for each in page_blocks(page) if f"\n{beginning}" in f"\n{each}")


def write_environment(home: Path, **changed: str) -> dict[str, str]:
    """Write the sample of an environment file with changes to `home`, and return what it sets."""
    text = (ROOT / "deploy" / "environment").read_text()
    values = dict(line.split("=", 1) for line in text.splitlines() if re.match("[A-Z]", line))
    values |= changed
    lines = (f"{name}={shlex.quote(value)}\n" for name, value in values.items())
    (home / "environment").write_text("".join(lines))
    return values


def run_block(script: str, values: Mapping[str, str], home: Path) -> None:
    """Run the lines of a block; those of `deploy/manage` as forks, which saves their imports."""
    known = {"PATH": os.environ["PATH"], "BACKUPS": str(home), **values}
    known["CORDBOARD_ENVIRONMENT"] = str(home / "environment")
    for line in script.splitlines():
        if line.startswith(MANAGE):
            words = [_filled(word, known) for word in shlex.split(line)]
            django = {**known, "DJANGO_SETTINGS_MODULE": "config.settings"}
            ran = launcher.run("manage.py", *words[1:], env=django, timeout=LONGEST_SECONDS)
        else:
            ran = run_shell_line(line, known)
        assert ran.returncode == 0, f"{line}\n{ran.stdout}\n{ran.stderr}"


def run_shell_line(line: str, known: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a line by the shell in the project's directory."""
    return subprocess.run(
        ["sh", "-euc", line],
        cwd=ROOT,
        env=dict(known),
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
    )


def _filled(word: str, known: Mapping[str, str]) -> str:
    return re.sub(r"\$([A-Z_]+)", lambda found: known[found[1]], word)


def make_database(postgres_url: str) -> str:
    """Return the URL of a new PostgreSQL database with all tables and no rows."""
    name = f"operator_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        template = database_templates.migrated_postgres(postgres_url)
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return postgres_url.replace("/postgres?", f"/{name}?")
